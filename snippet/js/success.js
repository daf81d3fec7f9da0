// Submitted forms that wait for a sign that they were taken. They are kept for the tab, since the sign may be on the next page.
import { everywhere } from './page.js';
import { allowed } from './privacy.js';
import { inSession, intoSession } from './storage.js';
import { fits } from './triggers.js';
import { unwatch, watch } from './watch.js';

const KEY = 'beaconry.forms';
// How long a form waits, in milliseconds.
const HALF_HOUR = 1_800_000;

// Each as [until, selector, URL pattern, entry].
let waiting = [];
// What an event goes through once its sign is there.
let release;

const check = () => {
  waiting = waiting.filter(([until, selector, urls, entry]) => {
    if (Date.now() > until) return;
    // An element counts once it can be seen.
    if (selector ? !everywhere(selector).some(element => element.getClientRects().length) : !fits(urls)) return true;
    release(entry);
  });
  store();
  if (!waiting[0]) unwatch(check);
};

const store = () => {
  const lasting = waiting.filter(([, , , entry]) => allowed(entry[3]));
  if (lasting[0]) intoSession(storage => storage[KEY] = JSON.stringify(lasting));
  else inSession(storage => delete storage[KEY]);
};

// Lets an event go once the sign is there. A form that is submitted again counts once.
export const awaitSuccess = (selector, urls, entry) => {
  waiting = waiting.filter(([, , , { 2: { key } }]) => key != entry[2].key);
  waiting.push([Date.now() + HALF_HOUR, selector, urls, entry]);
  store();
  watch(check);
};

export const abandon = () => {
  waiting = [];
};

// Goes on with what an earlier page of the tab left.
export const resume = go => {
  release = go;
  waiting = inSession(storage => JSON.parse(storage[KEY] || '[]')) || [];
  if (waiting[0]) watch(check);
};
