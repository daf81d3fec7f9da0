// Ids: of an event, of the visitor, and the token by which the site says who the visitor is.
import { inStorage } from './storage.js';

const VISITOR = 'beaconry.visitor';

// A UUID of version 7: 48 bits of time, of which the first four are 0 until the year 2527, then random bits. Plain http has
// no `crypto.randomUUID`.
export const uuid = () => crypto.getRandomValues(new Uint8Array(18))
  .reduce((digits, byte) => digits + (byte & 15).toString(16), 0 + Date.now().toString(16))
  .replace(/(.{8})(.{4})(...)(...)/, '$1-$2-7$3-8$4-');

let known = '';

// The visitor's id, kept in this browser; where storage is refused, for this page only. What has not the length of one of
// ours is none.
export const visitor = () => {
  inStorage(storage => known = storage[VISITOR] || known);
  if (known.length != 36) {
    known = uuid();
    inStorage(storage => storage[VISITOR] = known);
  }
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
