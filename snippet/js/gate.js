// The gate every event passes: what a visitor agreed to goes on to the queue, what waits for an answer is held here.
import { forgetVisitor } from './ids.js';
import { CONSENT, HELD, NO_CONSENT } from './kinds.js';
import { note } from './notes.js';
import { allowed, say, undecided } from './privacy.js';
import { flush, forgetAll, keep } from './queue.js';
import { inSession, inStorage } from './storage.js';
import { abandon } from './success.js';

// The most events that wait for an answer; over that the oldest are dropped.
const MOST = 200;

// Events that wait, in this page's memory alone.
let held = [];

// Whether the event may go, now or once the visitor agrees.
export const release = entry => {
  const required = entry[3];
  if (allowed(required)) return keep(entry), true;
  if (undecided(required)) {
    note(HELD, entry[2]);
    return held = [...held, entry].slice(-MOST);
  }
  note(NO_CONSENT, entry[2]);
};

// `beaconry.consent()`. Without it, what was collected and not yet sent is forgotten too.
export const consent = given => {
  say(given);
  note(CONSENT, given);
  if (!given) return forget();
  held.splice(0).forEach(release);
  flush();
};

// `beaconry.forget()`: clears everything that this browser keeps.
export const forget = () => {
  held = [];
  abandon();
  forgetVisitor();
  // The other storage holds what says that there is something in this one.
  inSession(forgetAll);
  inStorage(forgetAll);
};
