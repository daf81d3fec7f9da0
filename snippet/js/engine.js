// The engine's page side: takes what snippets hand over, listens, and answers `beaconry.track()`.
//
// The hand-over, which pasted code relies on for years: `beaconry.q` holds calls as [answer, arguments]; a call is
// (slug, data) from the page, or (settings) from a snippet. An engine takes what it can and passes the rest to the
// `track` it found: that of an engine for other settings, or the loader's, which puts it back into the queue.
//
// A snippet's settings, as the generator writes them:
// [format, collector's address, key, version, revision, slug, fields, triggers]; a trigger is [action, selector, URLs].
import { capture, checks, start } from './host.js';
import { uuid } from './ids.js';
import { pageUrl } from './page.js';
import { flush, keep, stopped } from './queue.js';

// The newest format of settings that this engine takes; it takes every older one.
const FORMAT = 1;
const PAGE_VIEW = 0;
const CLICK = 1;
const SUBMIT = 2;

const MAX_EVENT = 16 * 1024;
const MAX_URL = 2_048;

const page = window.beaconry;
// The `track` that was there before this engine's.
let earlier;
// The settings of each snippet on the page.
const snippets = [];

// The page comes first: nothing that goes wrong here may reach it.
const safely = act => (...given) => {
  try {
    return act(...given);
  } catch {}
};

const track = async (what, data) => {
  if (what[0] <= FORMAT && what.map) return adopt(what);
  const snippet = snippets.find(([, , , , , slug]) => slug == what);
  return snippet ? record(snippet, data, document) : earlier.call(page, what, data);
};

const adopt = snippet => {
  // The same event pasted twice counts once.
  if (snippets.some(([, , key]) => key == snippet[2])) return;
  snippets.push(snippet);
  view(snippet);
  replay();
};

const replay = () => page.q.splice(0).forEach(([answer, call]) => answer(page.track(...call)));

// Captures an event and lets it go, or says what is wrong with it.
const record = ([, address, key, ver, rev, , fields], given, near) => {
  try {
    if (stopped.has(key)) return refused('', 'stale_version');
    const { data, errors } = capture(fields, given, near);
    if (errors.length) return { ok: false, errors };
    const event = { id: uuid(), key, ver, rev, time: new Date, url: pageUrl().slice(0, MAX_URL), data };
    if (new Blob([JSON.stringify(event)]).size > MAX_EVENT) return refused('', 'too_large');
    keep(address, !checks(), event);
    return { ok: true };
  } catch (error) {
    return refused('', '' + error);
  }
};

const refused = (field, code) => ({ ok: false, errors: [{ field, code }] });

// Records the event of each snippet that has a trigger for this action, once, however many of its triggers fit.
const act = (action, path, snippet) => snippet[7].some(safely(([on, selector, urls]) => {
  if (on != action || urls && !RegExp(urls).test(pageUrl())) return;
  const near = path ? path.find(node => node.matches && node.matches(selector)) : document;
  // A form that does its own validation submits what the browser would not.
  if (near && !(on == SUBMIT && near.matches(':invalid'))) return record(snippet, {}, near);
}));

const listen = (type, action) => addEventListener(
  type,
  safely(event => snippets.forEach(snippet => act(action, event.composedPath(), snippet))),
  { capture: true, passive: true },
);

// A page is viewed once its elements are there.
const view = snippet => document.readyState == 'loading'
  ? addEventListener('DOMContentLoaded', () => act(PAGE_VIEW, 0, snippet))
  : act(PAGE_VIEW, 0, snippet);

// Moves within a page that is one application count as views.
let viewed = pageUrl();
const moved = () => {
  if (viewed != (viewed = pageUrl())) snippets.forEach(view);
};

const open = safely(() => {
  if (earlier) return;
  earlier = page.track;
  page.track = track;
  listen('click', CLICK);
  listen('submit', SUBMIT);
  replay();
  flush();
  addEventListener('popstate', moved);
  const { pushState } = history;
  history.pushState = function (...given) {
    pushState.apply(this, given);
    setTimeout(moved);
  };
});

const leave = safely(() => {
  // A page that is left before Wasm was there sends what it has unchecked.
  open();
  flush(true);
});

start(document.currentScript.w).catch(() => {}).then(open);
addEventListener('pagehide', leave);
document.addEventListener('visibilitychange', () => document.hidden && leave());
