// Ids: of an event, and of the visitor.
import { inStorage } from './storage.js';

const VISITOR = 'beaconry.visitor';

// A UUID of version 7: 48 bits of time, then random bits. Plain http has no `crypto.randomUUID`.
export const uuid = () => {
  const random = [...crypto.getRandomValues(new Uint8Array(10))].map(byte => (byte + 256).toString(16).slice(1)).join('');
  return (Date.now().toString(16).padStart(12, 0) + random)
    .replace(/(.{8})(.{4}).(.{3}).(.{3})(.*)/, '$1-$2-7$3-8$4-$5');
};

let known = '';

// The visitor's id, kept in this browser; where storage is refused, for this page only.
export const visitor = () => {
  inStorage(storage => {
    known = storage[VISITOR] || known;
  });
  if (!/^[\w-]{1,64}$/.test(known)) known = uuid();
  inStorage(storage => {
    storage[VISITOR] = known;
  });
  return known;
};
