// The engine's page side: takes what snippets hand over, and answers the page's calls.
//
// The hand-over, which pasted code relies on for years: `beaconry.q` holds calls as [answer, arguments, name]; a call of
// `track` is (slug, data) from the page, or (settings) from a snippet. An engine takes what it can and passes the rest to
// the `track` it found: that of an engine for other settings, or one that puts it back into the queue. `beaconry.f` is the
// newest format of settings that is taken on the page; an engine that knows no newer one does nothing, for its tag is
// pasted along with every snippet's.
//
// A snippet's settings, as the generator writes them:
// [format, collector's address, key, version, revision, slug, fields, triggers, consent, test].
import { consent, forget, release } from './gate.js';
import { capture, checks, start as startWasm } from './host.js';
import { identify, uuid } from './ids.js';
import { CANCELLED, CAPTURED, NO_WASM, REFUSED, UNKNOWN } from './kinds.js';
import { debug, mode, note, page } from './notes.js';
import { pageUrl } from './page.js';
import { flush, resume, stopped } from './queue.js';
import { safely } from './safely.js';
import { awaitSuccess, resume as resumeForms } from './success.js';
import { bytesOf } from './text.js';
import { SUBMIT, adopt, snippets, start as listen } from './triggers.js';

// The newest format of settings that this engine takes; it takes every older one.
const FORMAT = 1;

const MAX_EVENT = 16 * 1024;

// Whether test mode is on.
let testing;
// The `track` that was there before this engine's.
const earlier = page.track || ((...call) => new Promise(answer => page.q.push([answer, call])));
// What is to be decided once the page has dealt with an action.
let decisions = [];

const track = async (what, data) => {
  if (what?.map && what[0] <= FORMAT) return take(what);
  const snippet = snippets.find(([, , , , , slug]) => slug == what);
  if (snippet) return record(snippet, data, { near: document }, release);
  note(UNKNOWN, what);
  return earlier.call(page, what, data);
};

const take = snippet => {
  // The same event pasted twice counts once.
  if (snippets.some(([, , key]) => key == snippet[2])) return;
  adopt(snippet, make);
  replay();
};

const replay = () => page.q.splice(0).forEach(([answer, call, name = 'track']) => answer(page[name](...call)));

// Captures an event and lets it go, or says what is wrong with it.
const record = (snippet, given, context, go) => {
  try {
    const [, address, key, ver, rev, slug, fields, , required, test] = snippet;
    if (stopped.has(key)) return refused('stale_version');
    const { data, errors } = capture(fields, given, context);
    note(CAPTURED, slug, data, errors);
    if (errors.length) return { ok: false, errors };
    const event = { id: uuid(), key, ver, rev, time: new Date, url: pageUrl(), data };
    if (bytesOf(JSON.stringify(event)) > MAX_EVENT) return refused('too_large');
    const kind = { unchecked: !checks() || undefined, test: !!(test || testing) || undefined };
    return go([address, kind, event, required]) ? { ok: true } : refused('no_consent');
  } catch (error) {
    return refused('' + error);
  }
};

const refused = code => {
  note(REFUSED, code);
  return { ok: false, errors: [{ field: '', code }] };
};

// Makes the event of a trigger that fits. What a form says is read at once, and goes when the page has not cancelled it.
const make = (snippet, [action, , , element, urls], context, event) => record(snippet, {}, context, entry => {
  if (action != SUBMIT) return release(entry);
  if (element || urls) return awaitSuccess(element, urls, entry), true;
  decisions.push(() => event.defaultPrevented ? note(CANCELLED, entry[2]) : release(entry));
  return setTimeout(decide);
});

const decide = () => decisions.splice(0).forEach(safely(decision => decision()));

const leave = safely(() => {
  decide();
  flush(true);
});

const start = () => {
  page.f = FORMAT;
  testing = mode('beaconry-test');
  // For the debug file.
  page.s = snippets;
  if (mode('beaconry-debug')) debug();
  try {
    startWasm();
  } catch (error) {
    note(NO_WASM, page.w = error);
  }
  Object.assign(page, { track, consent, forget, debug, identify });
  // What waits may be to be sent, so it comes first.
  replay();
  listen();
  resumeForms(release);
  resume();
  addEventListener('online', safely(() => flush()));
  addEventListener('pagehide', leave);
  addEventListener('visibilitychange', () => document.hidden && leave());
};

if (!(page.f >= FORMAT)) safely(start)();
