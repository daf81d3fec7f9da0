// Listens for what visitors do, and says which snippet's trigger it fits.
//
// A trigger is [action, selector or name or number, URL pattern, further settings], as the generator writes it.
import { everywhere, pageUrl } from './page.js';
import { safely } from './safely.js';
import { look, unwatch, watch } from './watch.js';

const PAGE_VIEW = 0;
const CLICK = 1;
export const SUBMIT = 2;
const SEEN = 3;
const SCROLL = 4;
const TIME = 5;
const DATA_LAYER = 6;
const CUSTOM = 7;

// Milliseconds between two measures of a page that is scrolled.
const MEASURE = 200;

// The settings of each snippet on the page.
export const snippets = [];
// What each has seen since the page was viewed: how far it was scrolled, for how many seconds, and what ends its watching.
const views = new Map();
// What makes an event, once a trigger fits: (snippet, trigger, context, DOM event).
let make;
// What is listened for already.
const heard = {};

const on = (type, act, options) => addEventListener(type, safely(act), { passive: true, ...options });

export const fits = urls => !urls || RegExp(urls).test(pageUrl());

// Makes the event of each snippet that has a trigger of this action for which the test gives an element, once, however
// many of its triggers fit.
const act = (some, action, test, event, item) => some.forEach(snippet => snippet[7].some(safely(trigger => {
  const near = trigger[0] == action && fits(trigger[2]) && test(trigger, views.get(snippet));
  if (near) make(snippet, trigger, { near, item, detail: event?.detail }, event);
  return near;
})));

// Once a page's elements are there, and it is not only made ready in case somebody comes.
const ready = act => document.prerendering ? document.addEventListener('prerenderingchange', () => ready(act))
  : document.readyState == 'loading' ? on('DOMContentLoaded', act)
  : safely(act)();

// Before any of the page's own listeners, which may change what is read.
const listen = type => on(type, event => {
  const path = event.composedPath();
  const action = type == 'click' ? CLICK : type == 'submit' ? SUBMIT : CUSTOM;
  // A form that does its own validation submits what the browser would not.
  const valid = node => action != SUBMIT || !node.matches(':invalid');
  act(snippets, action, ([, what]) => action != CUSTOM ? path.find(node => node.matches?.(what) && valid(node))
    : what == type && (path[0].matches ? path[0] : document), event);
}, { capture: true });

const scrolls = type => {
  let timer;
  const measure = () => {
    timer = 0;
    // One pixel for what browsers round away.
    const depth = (scrollY + innerHeight + 1) / document.documentElement.scrollHeight * 100;
    act(snippets, SCROLL, ([, percent], view) => percent > view.depth && percent <= depth && document);
    views.forEach(view => view.depth = Math.max(view.depth, depth));
  };
  on(type, () => timer ||= setTimeout(safely(measure), MEASURE));
};

// Seconds that the page is on screen.
const seconds = () => setInterval(safely(() => {
  if (document.hidden) return;
  views.forEach(view => view.seconds++);
  act(snippets, TIME, ([, time], view) => time == view.seconds && document);
}), 1000);

// An item as pages push it, or as `gtag()` does: ['event', name, more].
const named = item => item?.[0] == 'event' ? { event: item[1], ...item[2] } : item;

const pushed = (some, item) => ready(() => {
  act(some, DATA_LAYER, ([, name]) => name == item?.event && document, 0, item);
});

const pushes = () => {
  const layer = window.dataLayer ||= [];
  const { push } = layer;
  layer.push = function (...given) {
    const length = push.apply(this, given);
    given.forEach(item => pushed(snippets, named(item)));
    return length;
  };
};

// Watches for elements on screen, those that are added later too. Each counts once.
const sight = (snippet, trigger) => {
  const [, selector, , share, time] = trigger;
  // By element; 0 where it has been seen.
  const timers = new Map();
  const observer = new IntersectionObserver(safely(entries => entries.forEach(({ target, intersectionRatio }) => {
    clearTimeout(timers.get(target));
    if (intersectionRatio > share - .01) timers.set(target, setTimeout(() => {
      observer.unobserve(target);
      timers.set(target, 0);
      act([snippet], SEEN, that => that == trigger && target);
    }, time * 1000));
  })), { threshold: share });
  const search = () => everywhere(selector).forEach(element => timers.get(element) === 0 || observer.observe(element));
  watch(search);
  return () => {
    unwatch(search);
    observer.disconnect();
    timers.forEach(timer => clearTimeout(timer));
  };
};

// A page is viewed once its elements are there.
const view = snippet => ready(() => {
  views.get(snippet)?.ends.forEach(end => end());
  const sights = snippet[7].filter(([action]) => action == SEEN);
  views.set(snippet, { depth: 0, seconds: 0, ends: sights.map(trigger => sight(snippet, trigger)) });
  act([snippet], PAGE_VIEW, () => document);
});

// How a snippet's triggers come to be heard, by their action; and what names each, where the trigger does not.
const LISTENERS = [, listen, listen, , scrolls, seconds, pushes, listen];
const TYPES = [, 'click', 'submit', , 'scroll', TIME, DATA_LAYER];

export const adopt = safely((snippet, act) => {
  make = act;
  snippets.push(snippet);
  snippet[7].forEach(([action, what]) => {
    const type = TYPES[action] || what;
    if (!heard[type]) heard[type] = LISTENERS[action]?.(type) || 1;
  });
  view(snippet);
  // What was pushed before the snippet came.
  window.dataLayer?.forEach(item => pushed([snippet], named(item)));
});

// Listens for views: moves within a page that is one application, and coming back to a page that was kept.
export const start = () => {
  let viewed = pageUrl();
  const moved = () => {
    look();
    if (viewed != (viewed = pageUrl())) snippets.forEach(view);
  };
  on('popstate', moved);
  on('pageshow', event => {
    if (event.persisted) moved(viewed = 0);
  });
  ['pushState', 'replaceState'].forEach(safely(name => {
    const change = history[name];
    history[name] = function (...given) {
      const result = change.apply(this, given);
      setTimeout(safely(moved));
      return result;
    };
  }));
};
