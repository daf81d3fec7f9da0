// Makes the snippet's parts from wasm-pack's output (`pkg/`) and the page side (`js/`): `dist/engine.wasm`,
// `dist/engine.js` and `dist/loader.js`, which the generator embeds.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const glue = join(here, 'pkg/beaconry_engine_bg.js');
const dist = join(here, 'dist');
// What the page side uses of Wasm; everything else that bindgen exports goes.
const EXPORTS = ['memory', 'buffer', 'capture'];
// Of WebAssembly, beyond its first version: what rustc emits and browsers have had since 2021.
const FEATURES = ['bulk-memory', 'mutable-globals', 'nontrapping-float-to-int', 'sign-ext', 'multivalue', 'reference-types']
  .map(feature => `--enable-${feature}`);

const run = (tool, ...args) =>
  execFileSync(join(here, 'node_modules/.bin', tool), args, { encoding: 'utf8', maxBuffer: 1 << 24 });

/** Strips and shrinks the Wasm; answers which short name each import and export now has. */
const shrinkWasm = () => {
  const graph = join(dist, 'graph.json');
  const lean = join(dist, 'lean.wasm');
  writeFileSync(graph, JSON.stringify(EXPORTS.map(name => ({ name, root: true, export: name }))));
  run('wasm-metadce', join(here, 'pkg/beaconry_engine_bg.wasm'), ...FEATURES, '-f', graph, '-o', lean);
  run('wasm-opt', lean, ...FEATURES, '-Oz', '--converge', '-o', lean);
  const minified = join(dist, 'engine.wasm');
  const names = run('wasm-opt', lean, ...FEATURES, '--minify-imports-and-exports-and-modules', '-o', minified);
  rmSync(graph);
  rmSync(lean);
  return JSON.parse(names);
};

/** The module that names bindgen's glue as the shrunk Wasm does. */
const wasmNames = names => ({
  name: 'wasm-names',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^beaconry:wasm$/ }, ({ path }) => ({ path, namespace: 'wasm' }));
    esbuild.onLoad({ filter: /.*/, namespace: 'wasm' }, () => {
      const pairs = names.imports.map(([, long, short]) => `${long} as ${short}`);
      const shorts = names.imports.map(([, , short]) => short);
      const contents = `import { ${pairs} } from ${JSON.stringify(glue)}; export const imports = { a: { ${shorts} } };`;
      return { contents, resolveDir: here };
    });
  },
});

const minify = options => build({
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2018',
  legalComments: 'none',
  logLevel: 'warning',
  ...options,
});

mkdirSync(dist, { recursive: true });
const names = shrinkWasm();
const short = Object.fromEntries(names.exports);
await minify({
  entryPoints: [join(here, 'js/engine.js')],
  outfile: join(dist, 'engine.js'),
  plugins: [wasmNames(names)],
  define: Object.fromEntries(EXPORTS.map(name => [`WASM_${name.toUpperCase()}`, JSON.stringify(short[name])])),
});
await minify({ entryPoints: [join(here, 'js/loader.js')], outfile: join(dist, 'loader.js'), bundle: false, format: undefined });
for (const file of ['engine.wasm', 'engine.js', 'loader.js']) {
  console.log(file, readFileSync(join(dist, file)).length, 'bytes');
}
