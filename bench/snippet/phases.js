// Where our own time goes, from the request for the page to the beacon: one visit's moments, by name.
import { median } from './numbers.js';
import { outermost } from './trace.js';

const ends = (slices, test) => Math.max(...slices.filter(test).map(({ to }) => to));
const begins = (slices, test) => Math.min(...slices.filter(test).map(({ from }) => from));

const both = files => {
  const at = folder => files.find(({ url }) => new URL(url).pathname.startsWith(folder));
  return { snippet: at('/s/'), engine: at('/engine/') };
};

/** The moments of one traced visit to our page, in milliseconds since the page was asked for. */
export const moments = ({ files, marks, beacon }, { slices }) => {
  const { snippet, engine } = both(files);
  const runs = file => slice => slice.name == 'EvaluateScript' && slice.url == file.url;
  const is = name => slice => slice.name == name;
  return [
    ['snippet asked for', snippet.sent],
    ['snippet there', snippet.finished],
    ['page parsed (DOMContentLoaded)', marks.DOMContentLoaded],
    ['first paint of content', marks.firstContentfulPaint],
    ['snippet evaluated, from', begins(slices, runs(snippet))],
    ['snippet evaluated, to', ends(slices, runs(snippet))],
    ['engine.js asked for', engine.sent],
    ['engine.js there', engine.finished],
    ['engine.js evaluated, from', begins(slices, runs(engine))],
    ['engine.js evaluated, to', ends(slices, runs(engine))],
    ['Wasm compile begun', begins(slices, is('wasm.SyncCompile'))],
    ['Wasm instantiated', ends(slices, is('wasm.SyncInstantiate'))],
    ['beacon sent', beacon],
  ];
};

/** What of one traced visit's script time our parts took, in milliseconds of the processor, each without what is inside it. */
export const parts = ({ files }, { slices }) => {
  const { snippet, engine } = both(files);
  const busy = test => outermost(slices.filter(test)).reduce((sum, slice) => sum + slice.busy, 0);
  const evaluates = file => ({ name, url }) => name == 'EvaluateScript' && url == file.url;
  const isWasm = ({ name }) => /^wasm\.(Sync|CompileLazy)/.test(name);
  const [handing, wasm] = [busy(evaluates(snippet)), busy(isWasm)];
  const all = outermost(slices).reduce((sum, slice) => sum + slice.busy, 0);
  return [
    ['the snippet: hands over its settings', handing],
    ['Wasm: compiled, started, compiled further as it is called', wasm],
    ["the engine's script and what it calls: reads the page, makes the event, sends it", all - handing - wasm],
  ];
};

/** The median of each over many visits. */
export const typical = visits => visits[0].map(([name], at) => [name, median(visits.map(visit => visit[at][1]))]);
