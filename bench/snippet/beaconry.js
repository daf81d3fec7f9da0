// The real program as a collector, with one event whose snippet fires when the page is viewed.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ORDER } from './order.js';

const EVENT = 'order-placed';

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

const binary = process.env.BEACONRY_BIN || fileURLToPath(new URL('../../target/release/beaconry', import.meta.url));

/** Starts the program for pages of this origin; gives its collector's origin, the code to paste, and what it stored. */
export const startBeaconry = async pageOrigin => {
  if (!existsSync(binary)) throw Error('target/release/beaconry is missing: run `make build` first');
  const folder = mkdtempSync(join(tmpdir(), 'beaconry-bench-'));
  const data = join(folder, 'data');
  const run = (...args) => execFileSync(binary, ['--data', data, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 });
  const json = (...args) => JSON.parse(run(...args, '--json'));

  run('section', 'create', 'Shop', '--origin', pageOrigin);
  run('event', 'create', '--category', 'transactions', '--name', 'Order placed', '--template', EVENT, '--retention', '30d');
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
    run('tracking', 'enable', EVENT);
    const { paste } = json('snippet', EVENT, '--out', join(folder, 'snippet'));
    await served(paste.match(/src="([^"]+)"/)[1]);
    return { origin, paste, stop, stored: () => json('events', EVENT, '--limit', '1000000') };
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
