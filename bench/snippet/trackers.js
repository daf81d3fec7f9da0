// Who is measured, and what is known of each beside the numbers; the order is that of the printed table.
import { readFileSync } from 'node:fs';

const version = name => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
const peer = (name, package_, queue, checks, build = '') =>
  ({ name, title: `${package_} ${version(package_)}${build}`, queue, checks });

// Ours, which reads the event's values off the page; and ours on a page that gives them to `track()`, as peers have it.
export const OURS = 'beaconry';
export const GIVEN = 'beaconry-given';
export const REFERENCE = 'plausible';

/** Trackers that are bundled from `trackers/NAME.js`, or from several such. */
export const PEERS = [
  peer('plausible', '@plausible-analytics/tracker', 'no', 'no'),
  peer('snowplow', '@snowplow/browser-tracker', 'yes; localStorage', 'no; its pipeline does'),
  peer('jitsu', '@jitsu/js', 'no', 'no'),
  peer('segment', '@segment/analytics-next', 'yes; localStorage', 'no'),
  peer('posthog', 'posthog-js', 'yes; memory', 'no', ', slim build'),
  { name: 'least', scripts: ['least', 'least-settings'], title: 'floor: the least of our kind', queue: 'no', checks: 'no' },
  { name: 'floor', title: 'floor: a bare Wasm that sends', queue: 'no', checks: 'no' },
];

const ours = (name, title) => ({ name, title, queue: 'yes; localStorage', checks: 'yes, and again at the collector' });

export const TRACKERS = [
  ours(OURS, 'Beaconry'),
  ours(GIVEN, 'Beaconry, given the values'),
  ...PEERS,
];
