// The real server on a data folder of its own, with a section, an event and an API key.
'use strict';

const { execFileSync, spawn } = require('node:child_process');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { createInterface } = require('node:readline');

const BIN = process.env.BEACONRY_BIN || join(__dirname, '../../../target/release/beaconry');

/** What `faketime` sets for the commands it runs; it would stand between a test and the process that the test ends. */
const shifted = (minutes) => {
  if (!minutes) return {};
  const listed = execFileSync('faketime', ['-f', `+${minutes}m`, 'env'], { encoding: 'utf8' });
  const pairs = listed.split('\n').map((line) => line.split(/=(.*)/s));
  return Object.fromEntries(pairs.filter(([name]) => name === 'LD_PRELOAD' || name === 'FAKETIME').map(([name, value]) => [name, value]));
};

const start = async () => {
  const data = mkdtempSync(join(tmpdir(), 'beaconry-zapier-'));
  const beaconry = (...args) => {
    const out = execFileSync(BIN, ['--data', data, '--json', ...args], { encoding: 'utf8' });
    return out.trim() ? JSON.parse(out) : undefined;
  };
  const section = beaconry('section', 'create', 'Shop', '--origin', 'https://shop.example').id;
  beaconry(
    'event', 'create', '--category', 'transactions', '--name', 'Order placed', '--retention', '2y',
    '--field', 'orderid:text:required', '--field', 'items:number', '--field', 'total:decimal',
    '--field', 'gift:bool', '--field', 'due:date', '--field', 'paid:timestamp',
  );
  beaconry('consent-list', 'create', 'Letters', '--topic', 'News');
  const key = beaconry('key', 'create', 'Zapier', '--all-sections', '--keyspace', 'email', '--keyspace', 'crm-id', '--read', '--write');
  const serve = (program, args, minutes) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...shifted(minutes) } });
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
      let collector;
      createInterface(child.stdout).on('line', (line) => {
        const [what, address] = line.split(/\s+/);
        if (what === 'collector') collector = address;
        if (what === 'console') resolve({ child, url: address, collector });
      });
    });
  const options = ['--collector', '127.0.0.1:0', '--console', '127.0.0.1:0', '--api-profile-rate', '1000', '--webhooks-to-private-addresses', '--webhook-wait', '50'];
  let running;
  const run = async (minutes) => {
    running = await serve(BIN, ['--data', data, 'serve', ...options], minutes);
    return { url: running.url, collector: running.collector };
  };
  const end = async () => {
    const ended = new Promise((resolve) => running.child.once('exit', resolve));
    running.child.kill();
    await ended;
  };
  const server = { ...(await run(0)), section, key, beaconry };
  /** Lets outside systems do with the event what is said of each identifier, and else everything. */
  server.allow = (said) => {
    const of = (name) => ({ read: true, write: true, ...said[name] });
    const tables = ['email', 'mobile', 'crm_id'].map((name) => `[allowed.${name}]\nread = ${of(name).read}\nwrite = ${of(name).write}\n`);
    writeFileSync(join(data, 'event.toml'), tables.join(''));
    beaconry('event', 'edit', 'order-placed', '--file', join(data, 'event.toml'));
  };
  /** Starts it anew at other addresses, under a clock that is so many minutes ahead. */
  server.restart = async (minutes) => {
    await end();
    Object.assign(server, await run(minutes));
  };
  server.stop = async () => {
    await end();
    rmSync(data, { recursive: true });
  };
  return server;
};

module.exports = { start };
