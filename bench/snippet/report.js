// Turns measurements into the tables that are printed and kept in BENCHMARKS.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { median, spread } from './numbers.js';
import { typical } from './phases.js';
import { OURS, REFERENCE, TRACKERS } from './trackers.js';

const BEGIN = '<!-- bench-snippet -->';
const END = '<!-- /bench-snippet -->';
const FILE = new URL('../../BENCHMARKS.md', import.meta.url);
const HEAD = `# Benchmarks

What Beaconry costs, measured beside what it would be measured against. Every section is written by the command it names; run
it to have the numbers of your own machine.
`;

const table = rows => {
  const widths = rows[0].map((_, at) => Math.max(...rows.map(row => row[at].length)));
  const line = row => `| ${row.map((cell, at) => cell.padEnd(widths[at])).join(' | ')} |`;
  return [line(rows[0]), line(widths.map(width => '-'.repeat(width))), ...rows.slice(1).map(line)].join('\n');
};

const pick = (measured, kind, what) => measured[kind].map(what);

const summary = (name, { results, baseline }) => {
  const of = results[name];
  return {
    bytes: median(pick(of, 'near', ({ bytes }) => bytes)),
    near: pick(of, 'near', ({ beacon }) => beacon),
    far: pick(of, 'far', ({ beacon }) => beacon),
    scripts: pick(of, 'traced', ({ script }) => script).map((script, round) => script - baseline[round].script),
    longest: median(pick(of, 'traced', ({ longest }) => longest)),
    long: median(pick(of, 'traced', ({ long }) => long)) - median(baseline.map(({ long }) => long)),
    preflight: of.near.some(({ preflight }) => preflight),
  };
};

const results = (summaries, { far }) => table([
  ['tracker', 'bytes', 'ms to first beacon', `the same at ${far}`, 'script ms', 'most in a task ms', 'more tasks > 50 ms', 'preflight',
    'retries; queue', 'checks fields in the page'],
  ...TRACKERS.map(({ name, title, queue, checks }) => {
    const { bytes, near, far, scripts, longest, long, preflight } = summaries[name];
    return [title, `${bytes}`, spread(near), spread(far), median(scripts).toFixed(1), longest.toFixed(1), `${Math.max(0, long)}`,
      preflight ? 'yes' : 'no', queue, checks];
  }),
]);

// Round by round, because what else the machine does comes and goes.
const ratio = (mine, theirs) => median(mine.map((value, round) => value / theirs[round]));

const ratios = (summaries, { far }) => table([
  [`in times ${REFERENCE}`, 'bytes', 'first beacon', `first beacon at ${far}`, 'script time'],
  ...TRACKERS.filter(({ name }) => name != REFERENCE).map(({ name }) => {
    const [mine, theirs] = [summaries[name], summaries[REFERENCE]];
    const times = [mine.bytes / theirs.bytes, ratio(mine.near, theirs.near), ratio(mine.far, theirs.far),
      ratio(mine.scripts, theirs.scripts)];
    return [name, ...times.map(value => value.toFixed(2))];
  }),
]);

const phases = measured => {
  const rows = typical(measured.results[OURS].traced.map(({ moments }) => moments)).sort(([, one], [, other]) => one - other);
  return table([
    ['Beaconry, while it is traced', 'ms', 'since the row above'],
    ...rows.map(([name, at], row) => [name, at.toFixed(0), row ? `+${(at - rows[row - 1][1]).toFixed(0)}` : '']),
  ]);
};

const shares = measured => table([
  ['Beaconry, of its script time', 'ms'],
  ...typical(measured.results[OURS].traced.map(({ parts }) => parts)).map(([name, ms]) => [name, ms.toFixed(1)]),
]);

const section = measured => {
  const summaries = Object.fromEntries(TRACKERS.map(({ name }) => [name, summary(name, measured)]));
  const alone = what => median(measured.baseline.map(what));
  const { rounds, slowdown, cpus, chromium, node, date, far, pageBytes, load } = measured;
  return `## One event on page load

Measured on ${date}, ${cpus} CPUs, ${chromium}, Node ${node}; ${rounds} rounds, the processor slowed down ${slowdown} times by
DevTools. To repeat: \`make bench-snippet\`, or with N rounds \`scripts/bench-snippet --rounds N\`.

${results(summaries, measured)}

${ratios(summaries, measured)}

What is measured. A page of ${(pageBytes / 1000).toFixed(0)} kB loads one tracker, pasted with \`async\` into its head, in a browser context of its own with
cold caches; the tracker sends one event with four properties. Trackers take turns within a round, and each round begins with
another one. Each figure is the median, with the quartiles in brackets; a ratio is the median of the rounds' ratios. Where
quartiles overlap, the difference may be chance: other work on the machine (load ${load.toFixed(1)} before the run) moves every time here,
and bytes alone are exact. Every event was seen to arrive, with its four values.

- *bytes*: the bodies, in brotli at its best, of everything the page downloads for the tracker.
- *ms to first beacon*: from the request for the page to the request with the event, both as DevTools saw them, not traced.
  The second column adds ${far} by DevTools' network throttling.
- *script ms*: processor time in scripts, timers, microtasks and Wasm on the page's main thread, from traces of further
  visits, less what the same page costs without a tracker. *Most in a task*: of it, in the task that has most of it.
  *More tasks > 50 ms*: than without a tracker, where there are ${alone(({ long }) => long)}. The page's own layout takes about as long as that; where
  the browser does it in the task in which a script runs, their sum is longer.
- Peers are npm packages of the versions above, each bundled by esbuild into one classic script with its settings and the
  event. What this event does not need is off (page views, autocapture, replay, flags, fetched settings), and nothing waits
  for a batch.

What is not fair, and to whom.

- To Beaconry, in its first row: it reads the values off the page, so it waits until the page is parsed, converts and checks
  them; the peers are given theirs in their script, and send as soon as it runs. In its second row the page gives them to
  \`track()\`, in a script of its own, which is part of *script ms* and not of *bytes*. Its scripts carry integrity hashes, which
  are checked.
- To Beaconry: a further event on a page shares the engine; only the first is measured.
- To the peers: Beaconry does only events like this one. Some peers bring much that is switched off here but was downloaded.
- To Plausible: it promises nothing about an event that fails to arrive, and is the smaller for it.
- In favour of those with a preflight: it comes after the moment that counts; on a real network their event is under way a
  round trip later than it says here.
- To PostHog: its beacon is not compressed here, which sends it sooner but makes it need a preflight.
- In favour of Segment and PostHog: their usual installation fetches settings and lazy parts first; here it does not.
- In favour of the least of our kind: a visitor's id in localStorage, three elements, an event of JSON and its request is all it
  does, with our Wasm started beside and settings in a tag of their own, as every event's are. It converts by a rule for this one
  page, checks nothing, waits for nothing, keeps nothing and listens to nothing.
- In favour of the bare Wasm that sends: it is compiled on another thread, which is not in *script ms*; ours is compiled on the page's.
- To nobody: plain HTTP/1.1, no TLS.

Where Beaconry's time goes, from the traced visits (tracing itself slows them):

${phases(measured)}

${shares(measured)}`;
};

/** The section for these measurements; it also replaces the one in BENCHMARKS.md. */
export const report = measured => {
  const text = section(measured);
  const before = existsSync(FILE) ? readFileSync(FILE, 'utf8') : HEAD;
  const block = `${BEGIN}\n${text}\n${END}`;
  const [begin, end] = [before.indexOf(BEGIN), before.indexOf(END)];
  writeFileSync(FILE, begin >= 0 && end > begin
    ? before.slice(0, begin) + block + before.slice(end + END.length)
    : `${before.trimEnd()}\n\n${block}\n`);
  return text;
};
