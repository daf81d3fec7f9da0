// What the inspector's Wasm asks of the page: it is read by the code that every snippet reads it by (`page.js`).
import { everywhere, liesMasked, linkedData, nearest, read } from './page.js';

// The most values of a page that are offered, and how deep they may lie.
const MOST = 150;
const DEPTH = 6;

const safely = (act, otherwise) => {
  try {
    return act();
  } catch {
    return otherwise;
  }
};

// How many elements of the page a selector matches, in shadow trees too.
export const count = selector => safely(() => everywhere(selector).length, 0);

// What a source holds for a field of this kind, seen from an element or the document; undefined where there is nothing.
export const look = (source, near, kind) => safely(() => read(source, { near }, kind));

// Whether a selector leads from here to this element.
export const leads = (selector, near, element) => safely(() => nearest(selector, near) == element, false);

// Whether an element is never read.
export const masked = element => liesMasked(element) || false;

// The paths below a thing that lead to a plain value.
const paths = (thing, before = [], depth = 0) => {
  if (thing == null || typeof thing == 'function' || typeof thing == 'symbol') return [];
  if (typeof thing != 'object') return before.length ? [before.join('.')] : [];
  if (depth > DEPTH || thing.nodeType || thing == window) return [];
  if (Array.isArray(thing)) return paths(thing[0], before, depth + 1);
  return Object.keys(thing).filter(key => key && !/[.@]/.test(key))
    .flatMap(key => safely(() => paths(thing[key], [...before, key], depth + 1), [])).slice(0, MOST);
};

// What the page itself holds, each as [kind, name, more about it].
export const pageValues = () => safely(() => {
  const params = [...new URLSearchParams(location.search).keys()].filter(name => !name.startsWith('beaconry-'));
  const parts = location.pathname.split('/').map((part, at) => part && ['path_segment', '' + at]).filter(Boolean);
  const metas = [...document.querySelectorAll('meta[content]')]
    .map(meta => meta.getAttribute('property') || meta.name).filter(name => name && !/^(viewport|robots|theme-color|csrf)/.test(name));
  const items = linkedData();
  const linked = items.flatMap(item => paths(item).map(path => ['json_ld', path, items.length > 1 ? '' + [].concat(item['@type'])[0] : '']));
  const layer = [...window.dataLayer || []].reverse().filter(item => item && !('0' in Object(item)))
    .flatMap(item => paths(item)).filter(path => path != 'event' && !path.startsWith('gtm'));
  const once = (kind, names) => [...new Set(names)].map(name => [kind, name, '']);
  return [
    ...once('url_param', params), ...parts.map(part => [...part, '']), ...once('meta', metas), ...linked, ...once('data_layer', layer),
    ['title', '', ''], ['url', '', ''], ['referrer', '', ''],
  ].slice(0, 2 * MOST);
}, []);

// The page's address, as beacons carry it.
export { pageUrl } from './page.js';

const NAME = 'beaconry-inspector';
const own = node => node.localName == NAME;

// The element of the page at a point, in open shadow trees too, and never the inspector's own.
export const under = (x, y) => {
  let found = document.elementsFromPoint(x, y).find(node => !own(node));
  for (let tree; (tree = found?.shadowRoot);) {
    const inner = tree.elementsFromPoint(x, y).find(node => node.getRootNode() == tree);
    if (!inner) break;
    found = inner;
  }
  return found;
};

// A house of its own for what the inspector shows: a closed shadow tree that the page's styles and scripts do not reach.
export const house = css => {
  const host = document.createElement(NAME);
  const root = host.attachShadow({ mode: 'closed' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  return root;
};

// Puts the houses where they can be used: a modal dialog makes everything outside it inert.
export const settle = (...hosts) => {
  const home = [...document.querySelectorAll(':modal')].pop() || document.documentElement;
  if (hosts.some(host => host.parentNode != home)) home.append(...hosts);
};
