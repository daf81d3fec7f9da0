// Keeps events until the collector has them, and sends them.
//
// An event lies in localStorage under a key of its own, so that tabs never write over each other, and is deleted only
// after a 2xx or a final refusal. What is left is sent by the next page.
import { visitor } from './ids.js';
import { inStorage } from './storage.js';

const KEY = 'beaconry.q.';
// Of what earlier pages left: how many events, and how many characters in all.
const MOST = 200;
const MOST_CHARACTERS = 256 * 1024;
// Of one request: a browser lets pages have 64 KiB under way that outlive them.
const BATCH = 100;
const BATCH_CHARACTERS = 30_000;
// Milliseconds until the first further try, doubled with each up to the longest.
const WAIT = 1_000;
const LONGEST_WAIT = 60_000;
// Milliseconds in which a failed request may be due to the page being left.
const GRACE = 100;

// Events by id, as [address, unchecked, event]. The collector may not have them yet.
const kept = {};
// The ids on their way.
const flying = new Set();
// The ids that are done with, so that storage which does not let go of them makes nobody send them again.
const done = new Set();
// Public keys of events that the collector takes no more from this page.
export const stopped = new Set();

let wait = WAIT;

// Keeps an event, and sends it at once.
export const keep = (address, unchecked, event) => {
  const entry = kept[event.id] = [address, unchecked, event];
  inStorage(storage => storage.setItem(KEY + event.id, JSON.stringify(entry)));
  send([entry]);
};

const drop = id => {
  delete kept[id];
  done.add(id);
  inStorage(storage => storage.removeItem(KEY + id));
};

// Sends what earlier pages left and what could not be sent, a batch at a time. A page that is being left hands it to the
// browser, and does not learn what became of it.
export const flush = leaving => {
  inStorage(storage => Object.keys(storage).forEach(key => {
    if (key.startsWith(KEY)) load(key.slice(KEY.length), storage[key]);
  }));
  const batch = [];
  let characters = 0;
  for (const id of waiting()) {
    const entry = kept[id];
    const [[address, unchecked] = entry] = batch;
    characters += JSON.stringify(entry).length;
    if (characters > BATCH_CHARACTERS || batch.length == BATCH || address != entry[0] || unchecked != entry[1]) break;
    batch.push(entry);
  }
  if (batch.length) send(batch, leaving);
};

const load = (id, text) => {
  try {
    if (!done.has(id)) kept[id] ||= JSON.parse(text);
  } catch {
    drop(id);
  }
};

// The ids to send, oldest first; what is over the bounds is dropped, the oldest first.
const waiting = () => {
  let characters = 0;
  return Object.keys(kept).sort().reverse().filter((id, at) => {
    characters += JSON.stringify(kept[id]).length;
    if (at < MOST && characters < MOST_CHARACTERS) return !flying.has(id);
    drop(id);
  }).reverse();
};

const send = (batch, leaving) => {
  const [[address, unchecked]] = batch;
  const events = batch.map(entry => entry[2]);
  // A string goes as text/plain, which needs no preflight.
  const body = JSON.stringify({ v: 1, sent: new Date, visitor: visitor(), unchecked: unchecked || undefined, events });
  if (leaving) return navigator.sendBeacon(address, body);
  events.forEach(event => flying.add(event.id));
  fetch(address, { method: 'POST', body, keepalive: true, credentials: 'omit' })
    .then(response => settle(response, events))
    .catch(() => retry(events));
};

// What becomes of events after an answer: 429 and 5xx are tried again, everything else is final.
const settle = async (response, events) => {
  if (response.status == 429 || response.status > 499) throw response;
  if (response.status == 200) {
    (await response.json()).rejected.forEach(({ index, code }) => {
      if (/stale|disabled|unknown|origin/.test(code)) stopped.add(events[index].key);
    });
  }
  wait = WAIT;
  events.forEach(event => drop(event.id));
  flush();
};

const retry = events => {
  // A browser fails what is on its way just before a page is left, and delivers it all the same: no second try then.
  setTimeout(() => events.forEach(event => flying.delete(event.id)), GRACE);
  setTimeout(flush, wait * (.5 + Math.random()));
  wait = Math.min(wait * 2, LONGEST_WAIT);
};
