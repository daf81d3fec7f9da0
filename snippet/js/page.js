// Reads values off the page, and never what is masked.
//
// A source is a constant text, or a list as the generator writes it: [0, URL parameter], [1, selector] for text,
// [2, selector] for an input's value, [3, selector, attribute], [4, name of an input of the form].

// Never read: what the page masks, passwords (also those shown as text), cards; and code, which is not text to a reader.
const MASKED = '[data-beaconry-mask],[type=password],[autocomplete*=password i],[autocomplete*=cc- i],script,style';

const BOOL = 1;

const isMasked = node => node.matches && node.matches(MASKED);
// Through shadow roots too.
const parent = node => node.parentNode || node.host;

const liesMasked = node => {
  for (; node; node = parent(node)) {
    if (isMasked(node)) return true;
  }
};

// The page's URL without its fragment.
export const pageUrl = () => location.href.split('#')[0];

// The text a source holds for a field of this kind; undefined where there is none.
export const read = (source, near, kind) => {
  if (!source || source.big) return source;
  const [from, what, attribute] = source;
  if (!from) return new URLSearchParams(location.search).get(what) || undefined;
  if (from == 4) return formInput(what, near, kind);
  const element = nearest(what, near);
  if (!element || liesMasked(element)) return;
  return (from == 1 ? textOf(element) : from == 2 ? valueOf(element, kind) : element.getAttribute(attribute)) || undefined;
};

// The match nearest to an element: inside it, else inside the closest ancestor that holds one.
const nearest = (selector, near) => {
  for (; near; near = parent(near)) {
    const found = near.matches && near.matches(selector) ? near : near.querySelector(selector);
    if (found) return found;
  }
};

// Node by node, so that masked parts stay out.
const textOf = node =>
  node.nodeType == 3 ? node.data : isMasked(node) ? '' : [...node.childNodes].map(textOf).join('').replace(/\s+/g, ' ');

const valueOf = (input, kind) => {
  const tick = /^(checkbox|radio)$/.test(input.type);
  if (tick && kind == BOOL && input.type != 'radio') return '' + input.checked;
  return tick && !input.checked ? '' : input.value;
};

// The values of all inputs of this name; of a truth the last, which is how forms send a box that is not ticked.
const formInput = (name, near, kind) => {
  const form = near.closest && near.closest('form') || near.form;
  const values = [...(form ? form.elements : [])]
    .filter(input => input.name == name && !liesMasked(input))
    .map(input => valueOf(input, kind))
    .filter(value => value);
  return (kind == BOOL ? values.pop() : values.join(', ')) || undefined;
};
