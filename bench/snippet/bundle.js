// Makes of each peer one classic script as a page would load it, and compresses it as a good server would.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import loadWabt from 'wabt';
import { ORDER } from './order.js';

const here = path => fileURLToPath(new URL(path, import.meta.url));

// A bundler that splits would leave these apart, and none of them is loaded for this event; one that were would fail the run,
// because its event would not arrive.
const withoutLazyParts = {
  name: 'without-lazy-parts',
  setup(esbuild) {
    esbuild.onResolve({ filter: /.*/ }, ({ kind, path }) => kind == 'dynamic-import' ? { path, namespace: 'lazy' } : undefined);
    esbuild.onLoad({ filter: /.*/, namespace: 'lazy' }, () => ({ contents: '' }));
  },
};

const compress = bytes => brotliCompressSync(bytes, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
});

const script = async (name, endpoint) => {
  const { outputFiles: [file] } = await build({
    entryPoints: [here(`trackers/${name}.js`)],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2020',
    platform: 'browser',
    legalComments: 'none',
    logLevel: 'warning',
    charset: 'utf8',
    define: { ENDPOINT: JSON.stringify(endpoint), WASM_TEXT: engineWasm(), 'process.env.NODE_ENV': '"production"' },
    plugins: [withoutLazyParts],
    write: false,
  });
  return file.contents;
};

// The engine's Wasm as its script holds it: one character a byte.
const engineWasm = () => JSON.stringify(readFileSync(here('../../snippet/dist/engine.wasm'), 'latin1'));

const floorWasm = async () => {
  const event = JSON.stringify(ORDER);
  const wat = readFileSync(here('trackers/floor.wat'), 'utf8')
    .replace('"@event"', () => JSON.stringify(event))
    .replace('(i32.const @length)', `(i32.const ${event.length})`);
  const wabt = await loadWabt();
  return wabt.parseWat('floor.wat', wat).toBinary({}).buffer;
};

/** The files of these trackers by path, compressed: what a tracker's origin serves. */
export const bundle = async (names, endpoint) => {
  const files = new Map();
  for (const name of names) {
    files.set(`/${name}.js`, { type: 'text/javascript', body: compress(await script(name, endpoint)) });
  }
  files.set('/floor.wasm', { type: 'application/wasm', body: compress(await floorWasm()) });
  return files;
};
