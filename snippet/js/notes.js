// Notes for the debug file: what was captured, what was wrong, what was sent. Nobody keeps them unless debug mode is on.
import { inSession, intoSession } from './storage.js';

// What the page sees of this: whichever comes first, a snippet or its engine, makes it.
export const page = window.beaconry ||= { q: [] };

// Loads a script in a way that every policy allows which allowed this one. A policy for Trusted Types can be made once a page.
page.l = (url, integrity) => {
  const { trustedTypes } = window;
  if (trustedTypes) page.p ||= trustedTypes.createPolicy('beaconry', { createScriptURL: url => url });
  document.head.append(Object.assign(document.createElement('script'), {
    integrity, crossOrigin: '', nonce: document.querySelector('[nonce]')?.nonce || '', src: page.p?.createScriptURL(url) || url,
  }));
};

export const note = (...what) => {
  if (page.n) page.n.push(what);
};

// `beaconry.debug()`: whether on or off, the debug file sees to it.
export const debug = (on = true) => {
  page.n ||= [];
  page.o = on;
  // The debug file lies beside this one, whose address is in every call's trace. To ask for the script's own element at start
  // would be each page's first look at an element, which costs as much as all of Wasm's start.
  page.l(/http\S*(?=\.js:)/.exec(Error().stack) + '.debug.js', DEBUG_INTEGRITY);
};

// Whether a mode is on in this tab: by its name in the page's address, in what reaches the server or behind the `#`, or in
// that of an earlier page.
export const mode = name => {
  if (!location.href.includes(name)) return inSession(storage => storage[name]);
  intoSession(storage => storage[name] = 1);
  return true;
};
