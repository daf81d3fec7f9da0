// The real program as a collector, with two events: one is made when the page is viewed, one when the page says so.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ORDER } from './order.js';
import { GIVEN, OURS } from './trackers.js';

const EVENT = 'order-placed';
// The same fields, with neither triggers nor mappings.
const REPORTED = 'order-reported';

// Two triggers and three mappings, as the size budget of the generator has it, and the currency as a constant, so that the
// same four properties are sent as by every peer.
const TRACKING = `
[[trigger]]
on = "page_view"
[[trigger]]
on = { click = ".buy" }
[[field]]
name = "orderid"
from = { text = "#order-number" }
[[field]]
name = "totalvalue"
from = { text = "#total" }
decimals = "comma"
[[field]]
name = "productcategories"
from = { attribute = { selector = "#summary", name = "data-categories" } }
[[field]]
name = "currency"
from = { constant = "${ORDER.currency}" }
`;

// What a page pastes above the snippet to call `track` before it has come, as README has it, and the call.
const REPORT = `<script>
window.beaconry=window.beaconry||{q:[]};['track','consent','forget','identify'].forEach(name=>beaconry[name]=beaconry[name]||((...call)=>new Promise(answer=>beaconry.q.push([answer,call,name]))))
beaconry.track('${REPORTED}', ${JSON.stringify(ORDER)});
</script>`;

const binary = process.env.BEACONRY_BIN || fileURLToPath(new URL('../../target/release/beaconry', import.meta.url));

/** Starts the program for pages of this origin; gives its collector's origin, what to paste for each of our trackers, and what each stored. */
export const startBeaconry = async pageOrigin => {
  if (!existsSync(binary)) throw Error('target/release/beaconry is missing: run `make build` first');
  const folder = mkdtempSync(join(tmpdir(), 'beaconry-bench-'));
  const data = join(folder, 'data');
  const run = (...args) => execFileSync(binary, ['--data', data, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 });
  const json = (...args) => JSON.parse(run(...args, '--json'));

  run('section', 'create', 'Shop', '--origin', pageOrigin);
  for (const name of ['Order placed', 'Order reported']) {
    run('event', 'create', '--category', 'transactions', '--name', name, '--template', EVENT, '--retention', '30d');
  }
  const tracking = join(folder, 'tracking.toml');
  writeFileSync(tracking, TRACKING);
  run('tracking', 'set', EVENT, '--file', tracking);

  const server = spawn(binary, ['--data', data, 'serve', '--collector', '127.0.0.1:0', '--console', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = async () => {
    if (server.exitCode == null && server.kill()) await once(server, 'exit');
    rmSync(folder, { recursive: true });
  };
  try {
    const origin = await collectorOf(server);
    server.stdout.resume();
    const pastes = {};
    for (const [name, event, before] of [[OURS, EVENT, ''], [GIVEN, REPORTED, REPORT]]) {
      run('tracking', 'enable', event);
      const { paste } = json('snippet', event, '--out', join(folder, 'snippet'));
      for (const [, url] of paste.matchAll(/src="([^"]+)"/g)) await served(url);
      pastes[name] = before + paste;
    }
    const stored = () => [EVENT, REPORTED].map(event => json('events', event, '--limit', '1000000'));
    return { origin, pastes, stop, stored };
  } catch (error) {
    await stop();
    throw error;
  }
};

// The last of the addresses it prints is the console's; everything answers by then.
const collectorOf = async server => {
  let collector;
  for await (const line of createInterface({ input: server.stdout })) {
    const [what, address] = line.split(/\s+/);
    if (what == 'collector') collector = address;
    if (what == 'console') return collector;
  }
  throw Error('beaconry serve ended before it said where it listens');
};

// The server notices within a second what was enabled beside it; each question takes a round trip.
const served = async url => {
  const until = Date.now() + 10_000;
  while (!(await fetch(url)).ok) {
    if (Date.now() > until) throw Error('the collector does not serve the snippet');
  }
};
