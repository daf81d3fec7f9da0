// Where our own time goes, from the request for the page to the beacon: one visit's moments, by name.
import { median } from './numbers.js';

const ends = (slices, test) => Math.max(...slices.filter(test).map(({ to }) => to));
const begins = (slices, test) => Math.min(...slices.filter(test).map(({ from }) => from));

/** The moments of one traced visit to our page, in milliseconds since the page was asked for. */
export const moments = ({ files, marks, beacon }, { slices }) => {
  const [snippet] = files;
  const engine = files.find(({ url }) => url.endsWith('.js') && url != snippet.url);
  const wasm = files.find(({ url }) => url.endsWith('.wasm'));
  const runs = file => slice => slice.name == 'EvaluateScript' && slice.url == file.url;
  const is = name => slice => slice.name == name;
  return [
    ['snippet asked for', snippet.sent],
    ['snippet there', snippet.finished],
    ['page parsed (DOMContentLoaded)', marks.DOMContentLoaded],
    ['first paint of content', marks.firstContentfulPaint],
    ['snippet evaluated, from', begins(slices, runs(snippet))],
    ['snippet evaluated, to', ends(slices, runs(snippet))],
    ['wasm asked for', wasm.sent],
    ['wasm there', wasm.finished],
    ['engine.js asked for', engine.sent],
    ['engine.js there', engine.finished],
    ['engine.js evaluated, from', begins(slices, runs(engine))],
    ['engine.js evaluated, to', ends(slices, runs(engine))],
    ['wasm compile begun', begins(slices, is('wasm.AsyncCompile'))],
    ['wasm instantiated', ends(slices, is('wasm.AsyncInstantiate'))],
    ['beacon sent', beacon],
  ];
};

/** The median of each moment over many visits, in the order of time. */
export const typical = visits => visits[0]
  .map(([name], at) => [name, median(visits.map(visit => visit[at][1]))])
  .sort(([, one], [, other]) => one - other);
