// Keeps events until the collector has them, and sends them.
//
// An event is sent at once; where that fails, has to wait, or is not answered before the page is left, it lies in
// localStorage under a key of its own, so that tabs never write over each other. It is deleted only after a 2xx or a final
// refusal. What is left is sent by the next page, or by another tab: one at a time. What is kept is
// [collector's address, members of the envelope, event, whether consent is required].
import { token, visitor } from './ids.js';
import { DROPPED, REJECTED, RETRY, SENT } from './kinds.js';
import { note } from './notes.js';
import { allowed } from './privacy.js';
import { inStorage } from './storage.js';
import { bytesOf } from './text.js';

const PREFIX = 'beaconry.';
const KEY = PREFIX + 'q.';
// The moment before which nobody sends.
const WAIT_UNTIL = PREFIX + 'wait';
// How many events were dropped and not yet reported.
const LOST = PREFIX + 'dropped';

// How many events are kept, and how many characters in all; over that the oldest are dropped.
const MOST = 200;
const MOST_CHARACTERS = 256 * 1024;
// Of one request, in events and bytes.
const BATCH = 100;
const BATCH_BYTES = 30_000;
// A browser lets pages have 64 KiB under way that outlive them (Fetch, "inflight keepalive bytes").
const UNDER_WAY_BYTES = 60_000;
// Milliseconds until the first further try, doubled with each up to the longest.
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;
// The longest that anybody waits because a collector, or another tab, asked for it: the clock may have been wrong then.
const LONGEST_ASKED = 3_600_000;
// Milliseconds in which an event is still on its way from the page it happened on, and in which a batch is answered.
const ON_ITS_WAY = 10_000;
// Milliseconds in which a failed request may be due to the page being left.
const GRACE = 100;

// What this page has sent and has no answer to, and what storage refuses to keep, by key.
const memory = {};
// The keys of what this page has sent: on its way, or done with.
const sent = new Set();
// Public keys of events that the collector takes no more from this page.
export const stopped = new Set();

let wait = FIRST_WAIT;
let timer;
let flushing;
// Bytes of all requests under way.
let underWay = 0;

const keyOf = entry => KEY + entry[2].id;

// Sends an event at once, or keeps it for later.
export const keep = entry => {
  memory[keyOf(entry)] = entry;
  if (underWay < UNDER_WAY_BYTES && !heldUp()) return send([entry]);
  persist();
  all();
  later(GRACE);
};

// Puts what this page has in memory where the next page finds it.
const persist = () => {
  for (const key in memory) inStorage(storage => {
    storage[key] = JSON.stringify(memory[key]);
    delete memory[key];
  });
};

const drop = key => {
  delete memory[key];
  inStorage(storage => delete storage[key]);
};

// Everything that is kept, oldest first, as [key, text]. What is over the bounds is dropped, the oldest first.
const all = () => {
  const found = {};
  for (const key in memory) found[key] = JSON.stringify(memory[key]);
  inStorage(storage => Object.assign(found, storage));
  let count = 0;
  let characters = 0;
  return Object.entries(found).filter(([key]) => key.startsWith(KEY)).sort().reverse().filter(([key, text]) => {
    characters += text.length;
    if (count++ < MOST && characters < MOST_CHARACTERS) return true;
    drop(key);
    note(DROPPED);
    inStorage(storage => storage[LOST] = 1 + (+storage[LOST] || 0));
  }).reverse();
};

// For how many milliseconds a collector's answer, or another tab, holds everybody up.
const heldUp = () => {
  const left = inStorage(storage => storage[WAIT_UNTIL] - Date.now());
  return left > 0 && left <= LONGEST_ASKED && left;
};

const holdUp = milliseconds => inStorage(storage => storage[WAIT_UNTIL] = Date.now() + milliseconds);

// What an earlier page left may still be on its way from there.
export const resume = () => later(ON_ITS_WAY);

const later = milliseconds => {
  timer ||= setTimeout(() => {
    timer = 0;
    flush();
  }, milliseconds);
};

// The next events to send together: to one collector, of one kind, small enough to outlive the page.
const next = () => {
  const batch = [];
  let size = 0;
  let first;
  for (const [key, text] of all()) {
    if (sent.has(key)) continue;
    try {
      const entry = JSON.parse(text);
      const kind = JSON.stringify(entry.slice(0, 2));
      if (!allowed(entry[3]) || kind != (first ||= kind)) continue;
      size += bytesOf(text);
      if (batch.length == BATCH || batch[0] && size > BATCH_BYTES) break;
      batch.push(entry);
    } catch {
      drop(key);
    }
  }
  return batch;
};

// Sends what earlier pages left and what could not be sent, batch by batch. A page that is being left hands one to the
// browser, and does not learn what became of it.
export const flush = leaving => {
  if (leaving) persist();
  const milliseconds = heldUp();
  if (milliseconds) return later(milliseconds);
  if (leaving) return send(next(), leaving);
  const { locks } = navigator;
  flushing ||= (locks ? locks.request(KEY, sendAll).catch(() => sendAll()) : sendAll()).finally(() => {
    flushing = 0;
  });
};

// One tab at a time: by a lock, and where the browser has none (on plain http) by holding the others up meanwhile.
const sendAll = async lock => {
  let batch;
  while ((batch = next())[0]) {
    if (!lock) holdUp(ON_ITS_WAY);
    if (!await send(batch)) return;
  }
  if (!lock) holdUp(0);
};

// Whether the collector has answered for good.
const send = async (batch, leaving) => {
  if (!batch[0]) return;
  const [[address, kind]] = batch;
  const keys = batch.map(keyOf);
  const events = batch.map(entry => entry[2]);
  let size = 0;
  try {
    // Reported once: by what has an answer to wait for, and nothing under way beside it that may report it too.
    const dropped = !leaving && !underWay && inStorage(storage => +storage[LOST]) || undefined;
    // A string goes as text/plain, which needs no preflight.
    const body = JSON.stringify({ v: 1, ...kind, sent: new Date, visitor: visitor(), identify: token, dropped, events });
    if (leaving) return navigator.sendBeacon(address, body);
    keys.forEach(key => sent.add(key));
    underWay += size = bytesOf(body);
    const options = { method: 'POST', body, keepalive: underWay < UNDER_WAY_BYTES, credentials: 'omit' };
    await settle(await fetch(address, options), events);
    keys.forEach(drop);
    if (dropped) inStorage(storage => storage[LOST] -= dropped);
    // The first that gets through after a while takes the others along.
    if (wait != (wait = FIRST_WAIT)) flush();
    return true;
  } catch (error) {
    note(RETRY, error, events, wait);
    persist();
    // A browser fails what is on its way just before a page is left, and delivers it all the same: no second try then.
    setTimeout(() => keys.forEach(key => sent.delete(key)), GRACE);
    later(wait * (.5 + Math.random()));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  } finally {
    underWay -= size;
  }
};

// What becomes of events after an answer: 429 and 5xx are tried again, everything else is final.
const settle = async (response, events) => {
  const { status } = response;
  if (status == 429 || status > 499) {
    const asked = response.headers.get('Retry-After') * 1000;
    if (asked) holdUp(Math.min(asked, LONGEST_ASKED));
    throw status;
  }
  const { rejected = [] } = status == 200 ? await response.json() : {};
  rejected.forEach(rejection => {
    const event = events[rejection.index];
    if (/stale|disabled|unknown|origin/.test(rejection.code)) stopped.add(event.key);
    note(REJECTED, event, rejection);
  });
  note(SENT, status, events, rejected);
};

// Forgets what waits, here and in a storage.
export const forgetAll = storage => {
  for (const key in memory) drop(key);
  Object.keys(storage).forEach(key => key.startsWith('beaconry') && delete storage[key]);
};
