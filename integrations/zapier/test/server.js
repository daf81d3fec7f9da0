// The real server on a data folder of its own, with a section, an event and an API key.
'use strict';

const { execFileSync, spawn } = require('node:child_process');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { createInterface } = require('node:readline');

const BIN = process.env.BEACONRY_BIN || join(__dirname, '../../../target/release/beaconry');

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
  const serve = (...more) =>
    new Promise((resolve, reject) => {
      const child = spawn(...more, { stdio: ['ignore', 'pipe', 'inherit'] });
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
      let collector;
      createInterface(child.stdout).on('line', (line) => {
        const [what, address] = line.split(/\s+/);
        if (what === 'collector') collector = address;
        if (what === 'console') resolve({ child, url: address, collector });
      });
    });
  const options = ['--collector', '127.0.0.1:0', '--console', '127.0.0.1:0', '--api-profile-rate', '1000', '--webhooks-to-private-addresses', '--webhook-wait', '50'];
  const { child, url, collector } = await serve(BIN, ['--data', data, 'serve', ...options]);
  const stop = async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill();
    await ended;
    rmSync(data, { recursive: true });
  };
  return { url, collector, section, key, beaconry, stop };
};

module.exports = { start };
