// URL conditions as the generator compiles them (see its golden files), held against URLs by a real regular expression.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const golden = new URL('../../generator/tests/files/golden/everything/s/', import.meta.url);
const code = readFileSync(new URL(readdirSync(golden)[0], golden), 'utf8');
const settings = new Function('hand', `return ${code}`)(settings => settings);
const [view, click, submit] = settings[7].map(([, , urls]) => RegExp(urls));

const table = [
  // exact "/thanks", prefix "https://shop.example/done"
  [view, 'https://shop.example/thanks', true],
  [view, 'https://shop.example/thanks?a=1', false],
  [view, 'https://shop.example/thanks/', false],
  [view, 'https://shop.example/x/thanks', false],
  [view, 'https://shop.example/done/x?y', true],
  [view, 'https://other.example/done', false],
  [view, 'https://shopXexample/done', false],
  // contains "?step=(3)", contains "/cart"
  [click, 'https://shop.example/a?step=(3)', true],
  [click, 'https://shop.example/a?step=3', false],
  [click, 'https://shop.example/my/cart/1', true],
  [click, 'https://cart/', false],
  // wildcard "/*/checkout/*?*step=*", wildcard "*.example/", wildcard "/köp/*"
  [submit, 'https://shop.test/en/checkout/2?a=1&step=3', true],
  [submit, 'https://shop.test/checkout/2?step=3', false],
  [submit, 'https://shop.test/en/checkout/2?a=1', false],
  [submit, 'https://shop.example/', true],
  [submit, 'https://shop.example/x', false],
  [submit, 'https://shop.test/k%C3%B6p/nu', true],
];

test('a condition means what it says', () => {
  for (const [pattern, url, expected] of table) assert.equal(pattern.test(url), expected, `${pattern} ${url}`);
});

test('no URL keeps a page busy', () => {
  const started = performance.now();
  submit.test(`https://shop.test/${'a/checkout/?step'.repeat(100)}`);
  assert.ok(performance.now() - started < 100);
});
