// One visit to a page in a browser context of its own: cold caches, a slow processor, and what DevTools saw of it.
import { once } from 'node:events';

const CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'v8', 'v8.execute', 'v8.wasm'];
// Milliseconds until a beacon that has not come is not coming.
const PATIENCE = 20_000;

/** Loads `url` until a beacon to one of the `origins` is answered; with `traced`, also until the network is idle.
 *
 * Times are in milliseconds since the page's own request; `trace` holds the trace's events where it was asked for. */
export const visit = async (chromium, url, { origins = [], slowdown, network, traced }) => {
  const { browserContextId } = await chromium.send('Target.createBrowserContext');
  try {
    const { targetId } = await chromium.send('Target.createTarget', { url: 'about:blank', browserContextId });
    const { sessionId } = await chromium.send('Target.attachToTarget', { targetId, flatten: true });
    const tell = (method, params) => chromium.send(method, params, sessionId);
    await tell('Network.enable');
    await tell('Page.enable');
    await tell('Page.setLifecycleEventsEnabled', { enabled: true });
    await tell('Emulation.setCPUThrottlingRate', { rate: slowdown });
    if (network) await tell('Network.emulateNetworkConditions', { offline: false, ...network });
    const stopTrace = traced && await startTrace(chromium);
    const log = watch(chromium, sessionId, origins, traced);
    await tell('Page.navigate', { url });
    await log.over();
    const trace = traced ? await stopTrace() : [];
    return { ...log.seen(), trace };
  } finally {
    await chromium.send('Target.disposeBrowserContext', { browserContextId });
  }
};

const startTrace = async chromium => {
  const trace = [];
  const collect = ({ value }) => trace.push(...value);
  chromium.events.on('Tracing.dataCollected', collect);
  await chromium.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { recordMode: 'recordUntilFull', includedCategories: CATEGORIES, excludedCategories: ['*'] },
  });
  return async () => {
    const complete = once(chromium.events, 'Tracing.tracingComplete');
    await chromium.send('Tracing.end');
    const [{ dataLossOccurred }] = await complete;
    chromium.events.off('Tracing.dataCollected', collect);
    if (dataLossOccurred) throw Error('the trace lost events');
    return trace;
  };
};

// Everything has its time by the same clock: DevTools' own, of the machine.
const watch = (chromium, sessionId, origins, untilIdle) => {
  const requests = new Map();
  const marks = {};
  let document;
  let idle = false;
  let end;
  let fail;
  const ended = new Promise((done, failed) => [end, fail] = [done, failed]);
  const beacon = () => [...requests.values()].find(({ method, url }) => method == 'POST' && ours(url));
  const ours = url => origins.some(origin => url.startsWith(origin + '/'));
  const settle = () => (idle || !untilIdle) && (!origins.length || beacon()?.responded) && end();

  const listeners = {
    'Network.requestWillBeSent': ({ requestId, request: { url, method }, timestamp, loaderId }) => {
      if (!document) document = { requestId, loaderId, start: timestamp };
      requests.set(requestId, { url, method, sent: timestamp });
    },
    'Network.responseReceived': ({ requestId, response: { status, headers }, timestamp }) => {
      Object.assign(requests.get(requestId) || {}, { status, headers, responded: timestamp });
      settle();
    },
    'Network.loadingFinished': ({ requestId, timestamp }) => {
      Object.assign(requests.get(requestId) || {}, { finished: timestamp });
    },
    'Network.loadingFailed': ({ requestId, errorText }) => {
      const { url, responded } = requests.get(requestId) || {};
      // An answer without a body that the page does not read counts as aborted.
      if (!responded) fail(Error(`${url}: ${errorText}`));
    },
    'Page.lifecycleEvent': ({ name, loaderId, timestamp }) => {
      if (loaderId != document?.loaderId) return;
      marks[name] ??= timestamp;
      if (name == 'networkIdle') idle = true;
      settle();
    },
  };
  const bound = Object.entries(listeners).map(([name, act]) => [name, (params, session) => session == sessionId && act(params)]);
  bound.forEach(pair => chromium.events.on(...pair));
  const ms = timestamp => (timestamp - document.start) * 1000;

  return {
    over: async () => {
      const late = setTimeout(() => fail(Error('no beacon came')), PATIENCE);
      try {
        await ended;
      } finally {
        clearTimeout(late);
        bound.forEach(pair => chromium.events.off(...pair));
      }
    },
    seen: () => {
      const mine = [...requests.values()].filter(({ url }) => ours(url));
      const files = mine.filter(({ method }) => method == 'GET');
      return {
        start: document.start,
        marks: Object.fromEntries(Object.entries(marks).map(([name, at]) => [name, ms(at)])),
        beacon: mine.length ? ms(beacon().sent) : undefined,
        status: beacon()?.status,
        posts: mine.filter(({ method }) => method == 'POST').length,
        preflight: mine.some(({ method }) => method == 'OPTIONS'),
        bytes: files.reduce((sum, file) => sum + wireBytes(file), 0),
        files: files.map(({ url, sent, finished }) => ({ url, sent: ms(sent), finished: ms(finished) })),
      };
    },
  };
};

// What a file's body is on the wire. Everyone's files are served compressed and with their length; a page's are few.
const wireBytes = ({ url, status, headers = {} }) => {
  const of = name => headers[Object.keys(headers).find(key => key.toLowerCase() == name)];
  if (status != 200 || of('content-encoding') != 'br' || !of('content-length')) {
    throw Error(`${url} came with status ${status}, or not in brotli, or without its length`);
  }
  return +of('content-length');
};
