// A page without a screen: just enough of a browser to run the built loader, engine script and Wasm as they are served.
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { webcrypto } from 'node:crypto';

const built = name => readFileSync(new URL(`../dist/${name}`, import.meta.url));
const loader = built('loader.js').toString();
const engineScript = built('engine.js').toString();

/** A snippet's script, as the generator fills it in. */
export const snippet = settings => loader
  .replace('SETTINGS', JSON.stringify(settings).replaceAll('null', '').replace(/,+]$/, ']'));

// What a browser's storage has besides its keys.
const storageMethods = {
  setItem(key, text) { this[key] = text; },
  removeItem(key) { delete this[key]; },
};

/** Settings of an event with these fields, for `snippet`. */
export const settings = (fields, { format = 1, key = 'key', slug = 'order-placed', triggers = [], consent, test } = {}) =>
  [format, 'https://collect.example/c', key, 3, 2, slug, fields, triggers, consent, test];

/**
 * A page at a URL. `answer(request)` is what the collector says: a status, or [status, body]; `wasm` is the page's WebAssembly.
 * An engine's script runs when `loaded` is called, as a script that a browser loads beside the page.
 */
export const open = ({ url = 'https://shop.example/?c=1#top', answer = () => 204, wasm = WebAssembly, storage = {}, session = {}, gpc } = {}) => {
  const sent = [];
  const beacons = [];
  const scripts = [];
  const listeners = {};
  const listen = (type, act) => (listeners[type] ||= []).push(act);
  const document = {
    readyState: 'complete',
    addEventListener: listen,
    createElement: () => ({}),
    querySelector: () => null,
    querySelectorAll: () => [],
    documentElement: { scrollHeight: 900 },
    head: { append: script => scripts.push(script) },
  };
  const fetch = async (address, options = {}) => {
    const request = { address, ...options, body: JSON.parse(options.body) };
    sent.push(request);
    const [status, body, headers = {}] = [].concat(await answer(request));
    return { status, json: async () => body, headers: new Headers(headers) };
  };
  const page = createContext({
    document, fetch, localStorage: Object.setPrototypeOf(storage, storageMethods), location: new URL(url), crypto: webcrypto, addEventListener: listen, WebAssembly: wasm,
    history: { pushState() {}, replaceState() {} }, sessionStorage: Object.setPrototypeOf(session, storageMethods), navigator: { globalPrivacyControl: gpc, sendBeacon: (address, body) => beacons.push(JSON.parse(body)) },
    // A page that tries again for ever does not keep the tests running.
    setTimeout: (...given) => setTimeout(...given).unref(), clearTimeout, setInterval: (...given) => setInterval(...given).unref(), clearInterval, URLSearchParams, TextEncoder, TextDecoder, atob, btoa, Blob, console,
  });
  page.window = page;
  return {
    page, sent, beacons, scripts, storage, session,
    /** Runs a script on the page. */
    run: code => runInContext(code, page),
    /** Runs an engine's script. */
    loaded(engine = engineScript) {
      runInContext(engine, page, 'https://collect.example/engine/1.js');
    },
    /** What `track` answers. */
    track: (slug, data) => page.beaconry.track(slug, data),
    /** What the browser says to the page. */
    tell: (type, event = {}) => (listeners[type] || []).forEach(act => act(event)),
  };
};

export { engineScript };

/** Waits until all that is under way without a timer is done. */
export const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise(done => setImmediate(done));
};
