// Measures what one event on page load costs with Beaconry and with its peers, side by side: `make bench-snippet`.
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { startBeaconry } from './beaconry.js';
import { bundle } from './bundle.js';
import { startChromium } from './chromium.js';
import { ORDER, carriesOrder } from './order.js';
import { html } from './page.js';
import { moments, parts } from './phases.js';
import { report } from './report.js';
import { servePages, serveTrackers } from './servers.js';
import { readTrace } from './trace.js';
import { GIVEN, OURS, PEERS, TRACKERS } from './trackers.js';
import { visit } from './visit.js';

const SLOWDOWN = 4;
// A good connection: 40 ms there and back, 10 Mbit/s each way.
const FAR = { latency: 40, downloadThroughput: 1_250_000, uploadThroughput: 1_250_000 };
const FAR_NAME = '40 ms, 10 Mbit/s';
// The page without any tracker.
const BASELINE = 'baseline';

const { values: { rounds } } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });
if (!/^[1-9]\d*$/.test(rounds)) throw Error('--rounds takes a number');

const started = [];
const stopLater = thing => {
  started.unshift(thing);
  return thing;
};
const stop = async () => {
  for (const thing of started.splice(0)) await thing.stop();
};
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => stop().finally(() => process.exit(1)));
}

const setUp = async () => {
  const pages = new Map();
  const files = new Map();
  const site = stopLater(await servePages(pages));
  const trackers = stopLater(await serveTrackers(files));
  const scriptsOf = ({ name, scripts = [name] }) => scripts;
  for (const [path, file] of await bundle(PEERS.flatMap(scriptsOf), trackers.origin)) files.set(path, file);
  const beaconry = stopLater(await startBeaconry(site.origin));
  const tag = name => `<script async src="${trackers.origin}/${name}.js"></script>`;
  for (const peer of PEERS) pages.set(`/${peer.name}`, html(scriptsOf(peer).map(tag).join('\n')));
  for (const [name, paste] of Object.entries(beaconry.pastes)) pages.set(`/${name}`, html(paste));
  pages.set(`/${BASELINE}`, html(''));
  const chromium = stopLater(await startChromium());
  return { pages, site, trackers, beaconry, chromium };
};

// One visit, and the proof that its event arrived. Ours is proved at the end, by what the collector has stored.
const measure = async ({ site, trackers, beaconry, chromium }, name, kind) => {
  trackers.received.length = 0;
  const isOurs = [OURS, GIVEN].includes(name);
  const origins = name == BASELINE ? [] : [isOurs ? beaconry.origin : trackers.origin];
  const options = { origins, slowdown: SLOWDOWN, network: kind == 'far' && FAR, traced: kind == 'traced' };
  const seen = await visit(chromium, `${site.origin}/${name}`, options);
  if (isOurs ? seen.status != 204 : trackers.received.filter(carriesOrder).length != origins.length) {
    throw Error(`${name}: the event did not arrive`);
  }
  if (seen.posts != origins.length) throw Error(`${name} sent ${seen.posts} requests for one event`);
  const { trace, ...rest } = seen;
  if (kind != 'traced') return rest;
  const { slices, ...costs } = readTrace(seen);
  if (name != OURS) return { ...rest, ...costs };
  return { ...rest, ...costs, moments: moments(seen, { slices }), parts: parts(seen, { slices }) };
};

const rotated = (list, by) => list.map((_, at) => list[(at + by) % list.length]);

const run = async setting => {
  const names = [BASELINE, ...TRACKERS.map(({ name }) => name)];
  const results = Object.fromEntries(names.map(name => [name, { near: [], far: [], traced: [] }]));
  // The browser's own first times are nobody's.
  for (const name of names) await measure(setting, name, 'traced');
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
    for (const name of rotated(names, round)) {
      for (const kind of name == BASELINE ? ['traced'] : ['near', 'far', 'traced']) {
        results[name][kind].push(await measure(setting, name, kind));
      }
    }
  }
  return results;
};

const provenStored = ({ beaconry }, visits) => {
  for (const stored of beaconry.stored()) {
    const good = stored.filter(({ data }) => Object.entries(ORDER).every(([name, value]) => data[name] === value));
    if (good.length != visits) throw Error(`${OURS}: ${good.length} of ${visits} events are stored`);
  }
};

const [load] = loadavg();
try {
  const setting = await setUp();
  const results = await run(setting);
  provenStored(setting, 1 + 3 * rounds);
  const { product } = await setting.chromium.send('Browser.getVersion');
  console.log(report({
    results,
    baseline: results[BASELINE].traced,
    rounds,
    slowdown: SLOWDOWN,
    far: FAR_NAME,
    pageBytes: setting.pages.get(`/${BASELINE}`).length,
    cpus: cpus().length,
    chromium: product.replace('Chrome/', 'Chromium '),
    node: process.versions.node,
    load,
    date: new Date().toISOString().slice(0, 10),
  }));
} finally {
  await stop();
}
