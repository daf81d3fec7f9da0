// The queue: what is kept, for how long, and in which batches it goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, settings, settled, snippet } from './page.mjs';

const KEY = 'beaconry.q.';
const id = number => `01a20ae3-0000-7000-8000-${String(number).padStart(12, 0)}`;
const entry = (number, more = {}, address = 'https://collect.example/c', kind = {}) =>
  JSON.stringify([address, kind, { id: id(number), key: 'key', ver: 1, time: new Date(0), data: {}, ...more }]);
const left = numbers => Object.fromEntries(numbers.map(number => [KEY + id(number), entry(number)]));
const numbers = count => Array.from({ length: count }, (_, number) => number);
const sentIds = page => page.sent.flatMap(({ body }) => body.events.map(event => event.id));
const queued = storage => Object.keys(storage).filter(key => key.startsWith(KEY));

const visit = async options => {
  const page = open(options);
  page.run(snippet(settings([])));
  page.loaded();
  await settled();
  // What an earlier page left may still be on its way, so it waits; unless the browser comes online.
  assert.equal(page.sent.length, 0);
  page.tell('online');
  await settled();
  return page;
};

test('what an earlier page left is sent, oldest first, in batches', async () => {
  const page = await visit({ storage: left(numbers(150).reverse()) });
  assert.deepEqual(page.sent.map(({ body }) => body.events.length), [100, 50]);
  assert.deepEqual(sentIds(page), numbers(150).map(id));
  assert.deepEqual(queued(page.storage), []);
});

test('a batch is for one collector, of one kind, and small enough to outlive its page', async () => {
  const storage = {
    [KEY + id(1)]: entry(1),
    [KEY + id(2)]: entry(2, {}, 'https://other.example/c'),
    [KEY + id(3)]: entry(3, {}, 'https://other.example/c', { unchecked: true }),
    [KEY + id(4)]: entry(4, { data: { it: 'x'.repeat(16_000) } }),
    [KEY + id(5)]: entry(5, { data: { it: 'x'.repeat(16_000) } }),
  };
  const page = await visit({ storage });
  assert.deepEqual(page.sent.map(({ address, body }) => [new URL(address).host, body.unchecked, body.events.length]), [
    ['collect.example', undefined, 2], ['other.example', undefined, 1], ['other.example', true, 1], ['collect.example', undefined, 1],
  ]);
});

test('the queue is bounded, and drops the oldest', async () => {
  const many = await visit({ storage: left(numbers(250)) });
  assert.deepEqual(sentIds(many), numbers(250).slice(50).map(id));
  const large = Object.fromEntries(numbers(30).map(number => [KEY + id(number), entry(number, { data: { it: 'x'.repeat(15_000) } })]));
  const page = await visit({ storage: large });
  assert.deepEqual(sentIds(page), numbers(30).slice(13).map(id));
});

test('how many events were dropped is reported once', async () => {
  const answers = [];
  const page = open({ storage: { 'beaconry.dropped': '3' }, answer: () => new Promise(answer => answers.push(() => answer(204))) });
  page.run(snippet(settings([])));
  page.loaded();
  await settled();
  page.track('order-placed');
  page.track('order-placed');
  await settled();
  assert.deepEqual(page.sent.map(({ body }) => body.dropped), [3, undefined]);
  answers.forEach(answer => answer());
  await settled();
  page.track('order-placed');
  await settled();
  assert.equal(page.sent[2].body.dropped, undefined);
  assert.equal(page.storage['beaconry.dropped'], 0);
});

test('a page that is left does not say how many were dropped, for it does not learn whether that was heard', async () => {
  const page = open({ storage: { ...left([1]), 'beaconry.dropped': '3' } });
  page.run(snippet(settings([])));
  page.loaded();
  await settled();
  page.tell('pagehide');
  assert.deepEqual(page.beacons.map(({ dropped, events }) => [dropped, events.length]), [[undefined, 1]]);
  assert.equal(page.storage['beaconry.dropped'], '3');
});

test('only what the collector has, or has refused for good, is deleted', async () => {
  for (const [status, kept] of [[204, 0], [200, 0], [400, 0], [413, 0], [429, 1], [500, 1], [503, 1]]) {
    const page = await visit({ storage: left([1]), answer: () => [status, { rejected: [{ index: 0, code: 'too_old' }] }] });
    assert.equal(queued(page.storage).length, kept, `${status}`);
  }
  const offline = await visit({ storage: left([1]), answer: () => Promise.reject(new Error('offline')) });
  assert.equal(queued(offline.storage).length, 1);
});

test('an event that came while the collector was away goes out with the page', async () => {
  const page = await visit({ answer: () => 503 });
  await page.track('order-placed');
  await settled();
  page.tell('pagehide');
  assert.equal(page.beacons.length, 0, 'a failure this fresh may be the leaving itself');
  await new Promise(done => setTimeout(done, 150));
  page.tell('pagehide');
  assert.equal(page.beacons[0].events[0].id, page.sent[0].body.events[0].id);
  assert.equal(queued(page.storage).length, 1, 'nobody knows whether it arrived');
});

test('storage that is refused, full or damaged is not an error', async () => {
  const refuse = () => {
    throw new Error('refused');
  };
  const refused = new Proxy({}, { get: refuse, set: refuse, ownKeys: refuse, deleteProperty: refuse });
  const page = await visit({ storage: refused });
  await page.track('order-placed');
  await page.track('order-placed');
  const [first, second] = page.sent.map(({ body }) => body.visitor);
  assert.equal(first, second);
  const stuck = new Proxy(left([1]), { deleteProperty: refuse });
  assert.equal((await visit({ storage: stuck })).sent.length, 1);
  const damaged = await visit({ storage: { [`${KEY}x`]: '{', 'beaconry.visitor': 'x'.repeat(100) } });
  await damaged.track('order-placed');
  assert.equal(damaged.sent.length, 1);
  assert.match(damaged.sent[0].body.visitor, /^[\w-]{36}$/);
});

test('an event lies in storage only where it is not answered before the page is left', async () => {
  const written = [];
  const storage = new Proxy({}, {
    set: (kept, key, text) => {
      written.push(key);
      return Reflect.set(kept, key, text);
    },
  });
  let answer = 204;
  const page = await visit({ storage, answer: () => answer });
  written.length = 0;
  await page.track('order-placed');
  await settled();
  assert.deepEqual(written, ['beaconry.visitor']);
  answer = new Promise(() => {});
  await page.track('order-placed');
  assert.deepEqual(queued(storage), []);
  page.tell('pagehide');
  assert.deepEqual(queued(storage), [KEY + page.sent[1].body.events[0].id]);
  assert.equal(page.beacons.length, 0, 'it is on its way');
});
