// Makes the snippet's parts from wasm-pack's output (`pkg/`) and the page side (`js/`): `dist/engine.wasm`,
// `dist/engine.js`, `dist/debug.js` and `dist/loader.js`, which the generator embeds; and the inspector's two files, which
// are compressed here already, because they are large.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, 'dist');
const built = join(here, 'pkg/beaconry_engine_bg.wasm');
// What the page side uses of Wasm; everything else that bindgen exports goes.
const EXPORTS = ['memory', 'capture'];
// Of WebAssembly, beyond its first version: what rustc emits and browsers have had since 2021.
const FEATURES = ['bulk-memory', 'mutable-globals', 'nontrapping-float-to-int', 'sign-ext', 'multivalue', 'reference-types']
  .map(feature => `--enable-${feature}`);

const run = (tool, ...args) =>
  execFileSync(join(here, 'node_modules/.bin', tool), args, { encoding: 'utf8', maxBuffer: 1 << 24 });

/** Where the engine's buffer lies in its memory, once it is linked. */
const bufferAddress = () => {
  const module = new WebAssembly.Module(readFileSync(built));
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ||= {})[name] = () => {};
  return new WebAssembly.Instance(module, imports).exports.buffer();
};

/** Strips and shrinks the Wasm; answers which short name each import and export now has. */
const shrinkWasm = () => {
  const graph = join(dist, 'graph.json');
  const lean = join(dist, 'lean.wasm');
  writeFileSync(graph, JSON.stringify(EXPORTS.map(name => ({ name, root: true, export: name }))));
  run('wasm-metadce', built, ...FEATURES, '-f', graph, '-o', lean);
  // Writing the control flow anew, and what is left of toolchains taken out, saves 8 percent; no room for traps (`-tnh`) 2.
  run('wasm-opt', lean, ...FEATURES, '-tnh', '--flatten', '--rereloop', '-Oz', '-Oz', '--gufa', '-lmu', '-Oz', '--converge', '--reorder-functions', '--strip-producers', '--strip-target-features', '-o', lean);
  const minified = join(dist, 'engine.wasm');
  const names = run('wasm-opt', lean, ...FEATURES, '--minify-imports-and-exports-and-modules', '-o', minified);
  rmSync(graph);
  rmSync(lean);
  return JSON.parse(names);
};

// What gives the engine its Wasm until everything around it is shrunk.
const WASM_HERE = 'wasmHere()';
const ESCAPED = { '\r': '\\r' };

/** The engine with its Wasm at its end, where brotli has the script's own text behind it. */
const withWasm = code => `(WASM_TEXT=>{${code}})(${WASM_HERE})`;

/** A script with the Wasm in it, as text of one character a byte: in a template, where hardly anything needs escaping. */
const fillIn = code => code.replace(WASM_HERE, () => {
  const text = readFileSync(join(dist, 'engine.wasm'), 'latin1');
  return `\`${text.replace(/[\r\\`]|\$(?=\{)/g, it => ESCAPED[it] || `\\${it}`)}\``;
});

/**
 * The module with what Wasm imports, under the names the shrunk Wasm has for it. Only numbers cross over, so the host's
 * functions are called as they are, without the glue that bindgen puts around them.
 */
const wasmImports = names => ({
  name: 'wasm-imports',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^beaconry:wasm$/ }, ({ path }) => ({ path, namespace: 'wasm' }));
    esbuild.onLoad({ filter: /.*/, namespace: 'wasm' }, () => {
      const pairs = names.imports.map(([, long, short]) => [long.match(/^__wbg_(\w+)_[\da-f]{16}$/)[1], short]);
      const contents = `import { ${pairs.map(([name, short]) => `${name} as ${short}`)} } from './js/host.js';
        export const imports = () => ({ a: { ${pairs.map(([, short]) => short)} } });
        export const text = WASM_TEXT;`;
      return { contents, resolveDir: here };
    });
  },
});

// Tells V8 to compile every function with the script, because nearly all run before the first beacon: compiled one by one as
// they are called, they take a third longer.
const EAGER = '//# allFunctionsCalledOnLoad\n';

/** Bundles a script and shrinks it: esbuild joins the modules, terser finds more to leave out than it. */
const bundle = async (name, { define = {}, plugins = [], wrap = code => `(()=>{${code}})()`, head = '' } = {}) => {
  const { outputFiles: [{ text }] } = await build({
    entryPoints: [join(here, 'js', name)],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2021',
    define: Object.fromEntries(Object.entries(define).map(([key, value]) => [key, JSON.stringify(value)])),
    plugins,
  });
  const { code } = await minify(wrap(text), {
    ecma: 2020,
    // The names of what never leaves the engine.
    mangle: { properties: { builtins: true, regex: /^(near|item|context|given|fields|depth|seconds|ends)$/ } },
    compress: { passes: 5, unsafe_arrows: true, unsafe_methods: true, pure_getters: true, keep_fargs: false, hoist_props: true },
    format: { comments: false },
  });
  writeFileSync(join(dist, name), head + fillIn(code));
};

const integrity = name => `sha256-${createHash('sha256').update(readFileSync(join(dist, name))).digest('base64')}`;

/** The inspector: its Wasm as bindgen made it, and one script with the glue and the page side. */
const bundleInspector = async () => {
  writeFileSync(join(dist, 'inspector.wasm'), readFileSync(join(here, 'inspector/pkg/beaconry_inspector_bg.wasm')));
  await build({
    entryPoints: [join(here, 'js/inspector.js')],
    outfile: join(dist, 'inspector.js'),
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2021',
    define: { WASM_INTEGRITY: JSON.stringify(integrity('inspector.wasm')) },
    // Bindgen would look for its Wasm beside a module, and is given it instead; it names a file it imports from once for each name.
    logOverride: { 'empty-import-meta': 'silent', 'duplicate-object-key': 'silent' },
  });
  for (const name of ['inspector.js', 'inspector.wasm']) {
    writeFileSync(join(dist, `${name}.br`), brotliCompressSync(readFileSync(join(dist, name))));
  }
};

mkdirSync(dist, { recursive: true });
const names = shrinkWasm();
const short = Object.fromEntries(names.exports.map(([name, minified]) => [`WASM_${name.toUpperCase()}`, minified]));
await bundle('loader.js', { wrap: code => code });
await bundleInspector();
await bundle('debug.js', { define: { INSPECTOR_INTEGRITY: integrity('inspector.js') } });
await bundle('engine.js', { define: { ...short, BUFFER: bufferAddress(), DEBUG_INTEGRITY: integrity('debug.js') }, plugins: [wasmImports(names)], wrap: withWasm, head: EAGER });
for (const file of ['engine.wasm', 'engine.js', 'debug.js', 'loader.js', 'inspector.js', 'inspector.wasm']) {
  const bytes = readFileSync(join(dist, file));
  console.log(file, bytes.length, 'bytes,', brotliCompressSync(bytes).length, 'in brotli');
}
