// Debug mode's file, which only those download who ask for it: says in the browser's console, in sentences for people who
// do not program, what the engine noted. Notes are lists that begin with their kind.
import {
  CANCELLED, CAPTURED, CONSENT, DROPPED, FAILED, HELD, NO_CONSENT, NO_WASM, REFUSED, REJECTED, RETRY, SENT, UNKNOWN, UNREADABLE,
} from './kinds.js';
import { point } from './point.js';

const page = window.beaconry;
const STYLE = 'background:#5b4bdb;color:#fff;border-radius:3px;padding:1px 5px';

const info = (sentence, ...more) => console.info('%cBeaconry', STYLE, sentence, ...more);
const warn = (sentence, ...more) => console.warn('%cBeaconry', STYLE, sentence, ...more);

const counted = (count, thing) => count == 1 ? `one ${thing}` : `${count} ${thing}s`;
const names = events => events.map(event => slugs[event.key] || event.key).join(', ');
// What marketers call an event, by its public key.
const slugs = {};

const TRIGGERS = [
  () => 'a page view',
  selector => `a click on ${selector}`,
  (form, urls, element, url) => `a submit of ${form}` + (element ? `, once ${element} is on the page` : url ? `, once the address matches ${url}` : ''),
  (selector, urls, share, seconds) => `${share * 100}% of ${selector} seen for ${counted(seconds, 'second')}`,
  percent => `${percent}% of the page scrolled through`,
  seconds => `${counted(seconds, 'second')} on the page`,
  name => `“${name}” pushed to dataLayer`,
  name => `the DOM event “${name}”`,
];

const trigger = ([action, what, urls, ...more]) =>
  TRIGGERS[action](what, urls, ...more) + (urls ? ` (where the address matches ${urls})` : '');

const shown = value => typeof value == 'string' ? `the text “${value}”` : value === undefined ? 'nothing' : `${typeof value} ${JSON.stringify(value)}`;

const snippet = ([, collector, key, version, revision, slug, , triggers]) => {
  slugs[key] = slug;
  point(collector, warn);
  const when = triggers.length ? `It waits for ${triggers.map(trigger).join('; ')}.` : 'It waits for calls of beaconry.track().';
  info(`The snippet of “${slug}”, version ${version} (settings ${revision}), is on this page and sends to ${collector}. ${when} ${refusedByGpc()}`);
};

// What is wrong with one field, and what to do.
const PROBLEMS = {
  missing_field: () => 'is required, but has no value. Check that its source is on this page at this moment, or give it in track().',
  unexpected_field: ({ got }) => `is no field of this version of the event (got ${shown(got)}). Add it to the event and regenerate the snippet, or leave it out.`,
  wrong_type: ({ expected, got }) => `must be a ${expected}, got ${shown(got)}. Where a page writes it otherwise, set the field's decimal sign or order of dates.`,
  too_long: ({ expected, got }) => `can have ${expected} characters, got ${shown(got)}.`,
  not_allowed: ({ expected, got }) => `must be one of ${expected.split('\n').join(', ')}; got ${shown(got)}.`,
  out_of_range: ({ expected, got }) => `must lie in ${expected}, got ${shown(got)}.`,
};

const REFUSALS = {
  stale_version: 'The event was not sent: the collector takes no more of this event from this page (see above).',
  too_large: 'The event was not sent: it has more than 16 KiB.',
  no_consent: 'The event was not sent: the visitor has not agreed.',
};

const refusedByGpc = () => navigator.globalPrivacyControl
  ? 'This browser asks for privacy (Global Privacy Control), so nothing is stored or sent, whatever the page says.' : '';

const SENTENCES = {
  [CAPTURED](slug, data, errors) {
    if (!errors.length) return info(`“${slug}” was captured:`, { ...data });
    warn(`“${slug}” was captured, but its data does not fit, so it is not sent:`);
    errors.forEach(error => warn(`  “${error.field}” ${PROBLEMS[error.code](error)}`));
  },
  [REFUSED]: code => warn(REFUSALS[code] || `The event was not sent: ${code}`),
  [HELD]: event => info(`“${names([event])}” waits in this page's memory until the page calls beaconry.consent(true).`),
  [NO_CONSENT]: event => info(`“${names([event])}” was dropped: ${refusedByGpc() || 'the visitor has not agreed.'}`),
  [CONSENT]: given => info(given ? 'The page says that the visitor agrees.' : 'The page says that the visitor does not agree; what was kept is deleted.'),
  [SENT](status, events, rejected) {
    const stored = events.filter((event, at) => !rejected.some(({ index }) => index == at));
    if (status > 299) return warn(`The collector refused ${counted(events.length, 'event')} for good (status ${status}): ${names(events)}.`);
    if (stored.length) info(`The collector has stored ${counted(stored.length, 'event')}: ${names(stored)}.`);
  },
  [REJECTED](event, { code, detail, errors = [] }) {
    warn(`The collector rejected “${names([event])}” (${code}): ${detail}.`);
    errors.forEach(({ field, expected, got }) => warn(`  “${field}”: expected ${expected}, got ${got}.`));
    if (code == 'stale_version') warn('  Copy the current snippet from the event\'s page in Beaconry and paste it in place of this one. What was rejected is kept in quarantine. Until this page is loaded anew it sends no more of this event.');
  },
  [RETRY]: (error, events, wait) => warn(`Sending failed (${error}). ${counted(events.length, 'event')} stay in this browser; the next try is in about ${counted(Math.round(wait / 1000), 'second')}.`),
  [DROPPED]: () => warn('The queue was full, so the oldest event was dropped. The next beacon reports how many.'),
  [CANCELLED]: event => warn(`“${names([event])}”: the form was submitted, but the page cancelled it, as pages do that send a form by themselves. Set a success element or URL for this trigger.`),
  [UNKNOWN]: slug => warn(`track() was called for “${slug}”, but no snippet of that event is on this page yet. The call waits for it.`),
  [UNREADABLE]: (field, error) => warn(`The source of “${field}” could not be read: ${error}`),
  [NO_WASM]: error => warn(`WebAssembly did not start, so values go unchecked and the collector checks them (${error}). Where this page has a Content-Security-Policy, add 'wasm-unsafe-eval' to its script-src.`),
  [FAILED]: error => warn('Something went wrong, and was kept away from the page:', error),
};

const say = ([kind, ...what]) => SENTENCES[kind] && SENTENCES[kind](...what);

// Which directive of the page's policy refuses what, of before this file came too.
const policy = ({ effectiveDirective, blockedURL }) =>
  warn(`This page's Content-Security-Policy refuses ${blockedURL || 'something'}: its directive ${effectiveDirective} would have to allow it.`);
if (window.ReportingObserver) {
  new ReportingObserver(reports => reports.forEach(({ body }) => policy(body)), { types: ['csp-violation'], buffered: true }).observe();
} else {
  document.addEventListener('securitypolicyviolation', event => policy({ effectiveDirective: event.effectiveDirective, blockedURL: event.blockedURI }));
}

// Gives a list's items one by one, those of before and those to come.
const each = (list, act) => {
  list.forEach(act);
  list.push = (...items) => {
    items.forEach(act);
    return Array.prototype.push.apply(list, items);
  };
};

const begin = () => {
  info('Debug mode is on in this tab. beaconry.debug(false) ends it.');
  page.d = true;
  each(page.s ||= [], snippet);
  if (page.w) say([NO_WASM, page.w]);
  each(page.n, note => {
    say(note);
  });
};

// For this tab, until it is switched off.
const remembered = act => {
  try {
    act(sessionStorage);
  } catch {}
};

remembered(storage => page.o ? storage['beaconry-debug'] = 1 : delete storage['beaconry-debug']);
// What says that a tab keeps something (`storage.js`).
remembered(() => localStorage['beaconry.tab'] = 1);
if (!page.o) {
  page.d = page.n = 0;
  info('Debug mode is off.');
} else if (!page.d) {
  begin();
}
