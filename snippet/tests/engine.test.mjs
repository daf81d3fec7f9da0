// The built engine, Wasm and all, on a page without a screen.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { engineScript, open, settings, settled, snippet } from './page.mjs';

const [TEXT, BOOL, DATE, TIMESTAMP, NUMBER, DECIMAL] = [0, 1, 2, 3, 4, 5];
const REQUIRED = 8;
const COMMA = 2 << 4;
const DAY_FIRST = 1 << 6;

const pageWith = async (fields, options) => {
  const page = open(options);
  page.run(snippet(settings(fields)));
  page.loaded();
  await settled();
  return page;
};

test('a value that was given is as strict as the model', async () => {
  const table = [
    [TEXT, 'a', ''], [TEXT, '', ''], [TEXT, 1, 'wrong_type'], [TEXT, true, 'wrong_type'], [TEXT, {}, 'wrong_type'],
    [BOOL, false, ''], [BOOL, 'true', 'wrong_type'], [BOOL, 1, 'wrong_type'],
    [DATE, '2024-02-29', ''], [DATE, '2026-02-29', 'wrong_type'], [DATE, '2026-1-1', 'wrong_type'],
    [TIMESTAMP, '2026-03-01T12:00:00.5+01:00', ''], [TIMESTAMP, '2026-03-01T12:00:00', 'wrong_type'],
    [NUMBER, 12, ''], [NUMBER, -0, ''], [NUMBER, 12.5, 'wrong_type'], [NUMBER, '12', 'wrong_type'], [NUMBER, NaN, 'wrong_type'],
    [NUMBER, 2 ** 53, 'wrong_type'], [NUMBER, 2 ** 53 - 1, ''],
    [DECIMAL, 12.5, ''], [DECIMAL, Infinity, 'wrong_type'], [DECIMAL, [1], 'wrong_type'],
    [TEXT | REQUIRED, undefined, 'missing_field'], [TEXT | REQUIRED, null, 'missing_field'], [TEXT, null, ''],
  ];
  for (const [flags, value, code] of table) {
    const page = await pageWith([['it', flags]]);
    const answer = await page.track('order-placed', { it: value });
    assert.equal(answer.ok ? '' : answer.errors[0].code, code, `${flags} ${value}`);
    assert.equal(page.sent.length, answer.ok ? 1 : 0);
    if (answer.ok && value != null) assert.equal(page.sent[0].body.events[0].data.it, value === 0 ? 0 : value);
  }
});

test('limits bind', async () => {
  const table = [
    [[TEXT, , 3], 'åäö', ''], [[TEXT, , 3], '😀😀😀', ''], [[TEXT, , 3], 'abcd', 'too_long', 'at most 3'],
    [[TEXT, , , , , 'SEK\nEUR'], 'EUR', ''], [[TEXT, , , , , 'SEK\nEUR'], 'EU', 'not_allowed', 'SEK\nEUR'],
    [[NUMBER, , , 1, 5], 5, ''], [[NUMBER, , , 1, 5], 0, 'out_of_range', '1..5'], [[DECIMAL, , , , 5], 5.01, 'out_of_range', '..5'],
  ];
  for (const [rule, value, code, expected] of table) {
    const page = await pageWith([['it', ...rule]]);
    const { errors: [error] = [{ code: '' }] } = await page.track('order-placed', { it: value });
    assert.equal(error.code, code, `${rule} ${value}`);
    if (code) assert.deepEqual({ ...error }, { field: 'it', code, expected, got: value });
  }
});

test('what the page says is converted', async () => {
  const table = [
    [DECIMAL, '1 299,50 kr', 1299.5], [DECIMAL | COMMA, '1.299', 1299], [NUMBER, '1 299,-', 1299], [DECIMAL, '-0.5', -0.5],
    [DECIMAL, '1\u00a0299,50\u202f€', 1299.5], [DATE | DAY_FIRST, '24/12/2026', '2026-12-24'], [DATE, ' 2026.1.2 ', '2026-01-02'],
    [BOOL, 'Ja', true], [BOOL, 'off', false], [TEXT, '  a b ', 'a b'], [TIMESTAMP, '2026-03-01 12:00:00Z', '2026-03-01T12:00:00Z'],
    [DECIMAL, '1,299', 'wrong_type'], [NUMBER, '12.5', 'wrong_type'], [BOOL, 'perhaps', 'wrong_type'], [DATE, '24/12/2026', 'wrong_type'],
    [TEXT, '   ', undefined], [TEXT | REQUIRED, '   ', 'missing_field'],
  ];
  for (const [flags, text, expected] of table) {
    const page = await pageWith([['it', flags, text]]);
    const answer = await page.track('order-placed');
    assert.equal(answer.ok ? page.sent[0].body.events[0].data.it : answer.errors[0].code, expected, text);
  }
});

test('an event is sent whole, and at once', async () => {
  const page = await pageWith([['source', TEXT | REQUIRED, 'Website'], ['c', TEXT, [0, 'c']], ['n', NUMBER]]);
  assert.deepEqual({ ...await page.track('order-placed', { n: 1 }) }, { ok: true });
  const [{ address, method, keepalive, credentials, body }] = page.sent;
  assert.deepEqual([address, method, keepalive, credentials], ['https://collect.example/c', 'POST', true, 'omit']);
  const { events: [{ id, time, ...event }], sent, visitor, ...rest } = body;
  assert.match(id, /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/);
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000 && Date.parse(sent) >= Date.parse(time));
  assert.equal(visitor, page.storage['beaconry.visitor']);
  assert.deepEqual(rest, { v: 1 });
  assert.deepEqual(event, {
    key: 'key', ver: 3, rev: 2, url: 'https://shop.example/?c=1', data: { source: 'Website', c: '1', n: 1 },
  });
  await settled();
  assert.deepEqual(Object.keys(page.storage), ['beaconry.visitor']);
});

test('unknown fields, and events that are too large, are refused in the page', async () => {
  const page = await pageWith([['it', TEXT]]);
  const { errors } = await page.track('order-placed', { it: 'a', that: 1 });
  assert.deepEqual({ ...errors[0] }, { field: 'that', code: 'unexpected_field', expected: '', got: 1 });
  assert.equal((await page.track('order-placed', { it: 'ä'.repeat(9_000) })).errors[0].code, 'too_large');
  assert.equal((await page.track('order-placed', { it: 'ä'.repeat(90_000) })).errors[0].code, 'too_large');
  assert.equal((await page.track('order-placed', { get it() { throw new Error('hostile'); } })).ok, false);
  assert.equal(page.sent.length, 0);
});

test('text goes out well-formed', async () => {
  const page = await pageWith([['it', TEXT]]);
  await page.track('order-placed', { it: 'a\ud800b😀' });
  assert.equal(page.sent[0].body.events[0].data.it, 'a\ufffdb😀');
});

test('calls made before the engine is up are answered once it is', async () => {
  const page = open();
  page.run(snippet(settings([['it', TEXT]])));
  const early = page.track('order-placed', { it: 'early' });
  const unknown = page.track('newsletter', {});
  page.loaded();
  assert.equal((await early).ok, true);
  assert.equal(page.sent[0].body.events[0].data.it, 'early');
  page.run(snippet(settings([], { key: 'other', slug: 'newsletter' })));
  assert.equal((await unknown).ok, true);
});

test('a page that made its own stub before the snippet came loses nothing', async () => {
  const page = open();
  page.run('window.beaconry = { q: [], track(...call) { return new Promise(answer => this.q.push([answer, call])); } };');
  const early = page.track('order-placed', { it: 'early' });
  page.run(snippet(settings([['it', TEXT]])));
  page.loaded();
  assert.equal((await early).ok, true);
});

test('the line that README gives makes calls wait, also those of consent tools', async () => {
  const readme = readFileSync(new URL('../../docs/tracking.md', import.meta.url)).toString();
  const [, line] = readme.match(/<script>(window\.beaconry=.*)<\/script>/);
  const page = open();
  page.run(line);
  const early = page.track('order-placed', { it: 'early' });
  page.page.beaconry.consent(true);
  page.run(snippet(settings([['it', TEXT]], { consent: 2 })));
  page.loaded();
  assert.equal((await early).ok, true);
  assert.equal(page.sent.length, 1);
});

test('calls made between the engine and the snippet are answered once it is there', async () => {
  const page = open();
  page.loaded();
  const early = page.track('order-placed', { it: 'early' });
  page.run(snippet(settings([['it', TEXT]])));
  assert.equal((await early).ok, true);
  assert.equal(page.sent[0].body.events[0].data.it, 'early');
});

test('two events share one engine, and what is pasted twice counts once', async () => {
  const page = open();
  const triggers = [[0]];
  page.run(snippet(settings([], { triggers })));
  page.loaded();
  const { track } = page.page.beaconry;
  page.loaded();
  assert.equal(page.page.beaconry.track, track);
  page.run(snippet(settings([], { triggers })));
  page.run(snippet(settings([], { key: 'other', slug: 'newsletter' })));
  await settled();
  assert.equal(page.sent.length, 1);
  assert.equal((await page.track('newsletter')).ok, true);
});

test('an older engine works beside a newer one, whichever comes first', async () => {
  const format = /(\[0\]<=|\.f>=|\.f=)1/g;
  assert.equal(engineScript.match(format).length, 3);
  const newer = engineScript.replace(format, '$12');
  for (const engines of [[engineScript, newer], [newer, engineScript]]) {
    const page = open();
    for (const format of [1, 2]) {
      page.run(snippet(settings([], { format, key: `key${format}`, slug: `event-${format}` })));
    }
    const early = page.track('event-2');
    engines.forEach(page.loaded);
    assert.equal((await early).ok, true);
    assert.equal((await page.track('event-1')).ok, true);
    assert.deepEqual(page.sent.map(({ body }) => body.events[0].key), ['key2', 'key1']);
  }
});

test('the Wasm is the same, whether or not the browser makes bytes of text', async () => {
  const native = 'Uint8Array.fromBase64 = text => (window.calls = 1, Uint8Array.from(atob(text), character => character.charCodeAt()))';
  for (const [script, calls] of [['delete Uint8Array.fromBase64', undefined], [native, 1]]) {
    const page = open();
    page.run(script);
    page.run(snippet(settings([['it', NUMBER]])));
    page.loaded();
    assert.equal(page.page.calls, calls);
    assert.equal((await page.track('order-placed', { it: 1.5 })).errors[0].code, 'wrong_type');
  }
});

test('without Wasm, values go unchecked and raw', async () => {
  const refuse = function () {
    throw new WebAssembly.CompileError('policy');
  };
  const page = await pageWith([['total', DECIMAL, '1 299,50 kr'], ['it', TEXT]], { wasm: { Module: refuse } });
  assert.equal((await page.track('order-placed', { it: 'a\ud800', that: [1] })).ok, true);
  const { unchecked, events: [{ data }] } = page.sent[0].body;
  assert.equal(unchecked, true);
  assert.deepEqual(data, { total: '1 299,50 kr', it: 'a\ufffd', that: [1] });
});

test('after a stale answer the page stops sending that event', async () => {
  const rejected = [{ index: 0, code: 'stale_version', detail: '' }];
  const page = await pageWith([], { answer: () => [200, { accepted: 0, rejected }] });
  assert.equal((await page.track('order-placed')).ok, true);
  await settled();
  assert.equal((await page.track('order-placed')).errors[0].code, 'stale_version');
  assert.equal(page.sent.length, 1);
  assert.deepEqual(Object.keys(page.storage), ['beaconry.visitor']);
});

test("a tab's own storage is looked at only once something was put there", async () => {
  const refuse = () => {
    throw new Error('looked at');
  };
  const visit = async (options, before = '') => {
    const page = open(options);
    page.run(before + snippet(settings([])));
    page.loaded();
    await page.track('order-placed');
    return page;
  };
  const session = new Proxy({}, { get: refuse, set: refuse });
  const [first] = (await visit({ session })).sent;
  assert.equal(first.body.test, undefined);
  const tab = { storage: {}, session: {} };
  for (const query of ['?beaconry-test', '']) {
    const page = await visit({ ...tab, url: `https://shop.example/${query}` });
    assert.equal(page.sent[0].body.test, true);
  }
  const page = await visit(tab);
  page.page.beaconry.forget();
  assert.deepEqual([Object.keys(tab.storage), Object.keys(tab.session)], [[], []]);
});

test('the debug file is looked for beside the engine, whose address each browser writes its own way', async () => {
  // V8's own, then as Firefox and Safari have it.
  const traces = [
    '', "Error = () => ({ stack: 'debug@https://collect.example/engine/1.js:2:99\\n@https://shop.example/shop.js:1:1\\n' })",
    "Error = () => ({ stack: 'https://collect.example/engine/1.js:2:99\\nglobal code@https://shop.example/shop.js:1:1' })",
  ];
  for (const trace of traces) {
    const page = await pageWith([]);
    page.run(`${trace}; beaconry.debug()`);
    assert.deepEqual(page.scripts.map(({ src }) => src), ['https://collect.example/engine/1.debug.js']);
  }
  const page = await pageWith([]);
  page.run('Error.stackTraceLimit = 0; beaconry.debug()');
  assert.equal((await page.track('order-placed')).ok, true);
});
