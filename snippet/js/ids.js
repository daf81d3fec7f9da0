// Ids: of an event, of the visitor, and the token by which the site says who the visitor is.
import { inStorage } from './storage.js';

const VISITOR = 'beaconry.visitor';

// A UUID of version 7: 48 bits of time, then random bits. Plain http has no `crypto.randomUUID`.
export const uuid = () => {
  const time = Date.now().toString(16).padStart(12, 0);
  let at = 0;
  return 'xxxxxxxx-xxxx-7xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () =>
    time[at++] || (crypto.getRandomValues(new Uint8Array(1))[0] & 15).toString(16));
};

let known = '';

// The visitor's id, kept in this browser; where storage is refused, for this page only.
export const visitor = () => {
  inStorage(storage => known = storage[VISITOR] || known);
  if (!/^[\w-]{1,64}$/.test(known)) known = uuid();
  inStorage(storage => storage[VISITOR] = known);
  return known;
};

// Goes with every request from this page; kept in its memory alone.
export let token;

// `beaconry.identify()`.
export const identify = said => {
  token = said;
};

export const forgetVisitor = () => {
  known = token = '';
};
