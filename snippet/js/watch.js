// Looks at the page again and again, as long as anybody asks: a look costs less than to hear of each change on a page that
// is busy, and misses nothing that happens in shadow trees.
import { safely } from './safely.js';

// Milliseconds between two looks.
const LOOK = 500;

const acts = new Set();
let timer;

export const look = () => acts.forEach(act => safely(act)());

export const watch = act => {
  acts.add(act);
  timer ||= setInterval(look, LOOK);
  look();
};

export const unwatch = act => {
  acts.delete(act);
  if (!acts.size) timer = clearInterval(timer);
};
