// Reads values off the page, and never what is masked.
//
// A source is a constant text, or a list as the generator writes it: [number, what, more, whether anywhere]; its number is
// its place in `READERS`. Context is what the trigger has: the element (`near`), a `dataLayer` item, an event's detail.

import { safely } from './safely.js';

// Never read: what the page masks, passwords (also those shown as text), cards, files; and code, which is no text to a reader.
const MASK = '[data-beaconry-mask]';
const MASKED = MASK + ',[type=password],[autocomplete*=password i],[autocomplete*=cc- i],[type=file],script,style';

const BOOL = 1;
const TIMESTAMP = 3;
// Numbers, with and without decimals, come after these.

// Through shadow roots too.
const parent = node => node.parentNode || node.host;

export const liesMasked = (element, mask = MASKED) => {
  for (; element; element = element.getRootNode().host) {
    if (element.closest(mask)) return true;
  }
};

// A tree and all open shadow trees in it.
export const trees = root => [root, ...[...root.querySelectorAll('*')].flatMap(({ shadowRoot }) => shadowRoot ? trees(shadowRoot) : [])];

// All elements that match, in shadow trees too.
export const everywhere = selector => trees(document).flatMap(tree => [...tree.querySelectorAll(selector)]);

// The page's URL without its fragment, unless that is a route within the page.
export const pageUrl = () => location.href.replace(/#(?![/!]).*/, '');

// The match nearest to an element: inside it, else inside the closest ancestor that holds one, else anywhere.
export const nearest = (selector, near) => {
  for (; near; near = parent(near)) {
    const found = near.matches?.(selector) ? near : near.querySelector(selector);
    if (found) return found;
  }
  return everywhere(selector)[0];
};

// Node by node where there are elements, so that masked parts stay out; comments (node type 8) are no text.
const textOf = node =>
  node.nodeType > 4 || node.matches?.(MASKED) ? ''
    : node.firstElementChild ? [...node.childNodes].map(textOf).join('') : node.textContent;

// An input's value, by the kind of field that asks.
const valueOf = (input, kind) => {
  const { type, value, checked, selectedOptions } = input;
  if (/checkbox|radio/.test(type)) return kind == BOOL && type != 'radio' ? '' + checked : checked ? value : '';
  if (selectedOptions) return [...selectedOptions].map(option => option.value).join(', ');
  // What these inputs hold has one meaning, whatever the page's language.
  return kind > TIMESTAMP && /number|range/.test(type) && value ? +value : value;
};

// What lies at a path of keys parted by dots; a key that meets a list goes on in its first item.
const at = (path, value) => path.split('.').reduce((value, key) => value?.[key] ?? value?.[0]?.[key], value);

// The first value that lies at the path in any of these.
const inAny = (path, values) => values.map(value => at(path, value)).find(value => value != null);

// The items of the page's JSON-LD, those of lists and graphs each by itself; what is no JSON is skipped.
export const linkedData = () => everywhere('[type="application/ld+json"]').flatMap(safely(script =>
  liesMasked(script, MASK) ? [] : [].concat(JSON.parse(script.textContent)).flatMap(item => item['@graph'] || item)));

const element = read => (what, { near }, kind, more, anywhere) => {
  const found = nearest(what, anywhere ? document : near);
  if (found && !liesMasked(found)) return read(found, kind, more);
};

const READERS = [
  what => new URLSearchParams(location.search).get(what),
  element(found => textOf(found).replace(/\s+/g, ' ')),
  element(valueOf),
  element((found, kind, name) => found.getAttribute(name)),
  // The values of all inputs of this name; of a truth the last, which is how forms send a box that is not ticked.
  (what, { near }, kind) => {
    const form = near.closest?.('form') || near.form;
    const values = [...(form ? form.elements : [])]
      .filter(input => input.name == what && !liesMasked(input))
      .map(input => valueOf(input, kind))
      .filter(value => value !== '');
    return kind == BOOL || !values[1] ? values.pop() : values.join(', ');
  },
  what => decodeURIComponent(location.pathname.split('/')[what] || ''),
  (what, context, kind, type) => inAny(what, linkedData().filter(item => !type || [].concat(item?.['@type']).includes(type))),
  (what, { item }) => inAny(what, [item, ...[...window.dataLayer || []].reverse()]),
  (what, { detail }) => at(what, detail),
  pageUrl,
  () => document.referrer,
];

// The value a source holds for a field of this kind; undefined where there is none.
export const read = (source, context, kind) => {
  if (!source || source.big) return source;
  const [from, what, more, anywhere] = source;
  const value = READERS[from](what, context, kind, more, anywhere);
  // A number stays one for a number's field; all else that is not text is written as text, to be converted.
  const plain = typeof value == 'boolean' || typeof value == 'number' && kind <= TIMESTAMP ? '' + value : value;
  return plain === '' || plain == null ? undefined : plain;
};
