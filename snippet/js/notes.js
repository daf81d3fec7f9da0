// Notes for the debug file: what was captured, what was wrong, what was sent. Nobody keeps them unless debug mode is on.
import { inSession, intoSession } from './storage.js';

const page = window.beaconry;
const { src } = document.currentScript;

export const note = (...what) => {
  if (page.n) page.n.push(what);
};

// `beaconry.debug()`: whether on or off, the debug file sees to it.
export const debug = (on = true) => {
  page.n ||= [];
  page.o = on;
  page.l(src.replace(/js$/, 'debug'), DEBUG_INTEGRITY);
};

// Whether a mode is on in this tab: by its name in the page's address, in what reaches the server or behind the `#`, or in
// that of an earlier page.
export const mode = name => {
  if (!location.href.includes(name)) return inSession(storage => storage[name]);
  intoSession(storage => storage[name] = 1);
  return true;
};
