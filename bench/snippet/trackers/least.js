// The least of our kind: what the browser is asked for where an event is read off the page, for a visitor who is known again;
// the engine's own Wasm, started and not used; and settings that come by a tag of their own. It converts by a rule for the one
// page of this benchmark, checks nothing, waits for nothing, keeps nothing and listens to nothing.
const bytes = Uint8Array.fromBase64(btoa(WASM_TEXT));
const imports = Object.fromEntries([...'abcdefg'].map(name => [name, () => 0]));
const engine = new WebAssembly.Instance(new WebAssembly.Module(bytes), { a: imports });
const visitor = localStorage['floor.visitor'] ||= crypto.randomUUID();
const textOf = selector => document.querySelector(selector).textContent;

const send = ([order, total, summary]) => {
  const data = {
    orderid: textOf(order),
    totalvalue: parseFloat(textOf(total).replace(',', '.')),
    currency: 'SEK',
    productcategories: document.querySelector(summary).getAttribute('data-categories'),
  };
  const body = JSON.stringify({ id: crypto.randomUUID(), visitor, time: new Date, url: location.href, data });
  fetch(`${ENDPOINT}/event`, { method: 'POST', body, keepalive: true, credentials: 'omit' });
};

const start = settings => {
  if (document.readyState == 'loading') addEventListener('DOMContentLoaded', () => send(settings));
  else send(settings);
};

const early = window.least || [];
window.least = { engine, push: start };
early.forEach(start);
