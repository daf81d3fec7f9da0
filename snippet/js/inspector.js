// The inspector's script: starts its Wasm with what the debug file handed over.
import init, { start } from '../inspector/pkg/beaconry_inspector.js';

const page = window.beaconry;
const { address, invitation, trouble, end, wasm } = page.i;
delete page.i;

const begin = async () => {
  const response = await fetch(wasm, { integrity: WASM_INTEGRITY });
  try {
    await init({ module_or_path: await response.arrayBuffer() });
  } catch (error) {
    return trouble('wasm_refused', `this page's Content-Security-Policy would have to allow 'wasm-unsafe-eval' in its script-src (${error})`);
  }
  start(address, invitation, end);
};

begin().catch(error => trouble('not_loaded', error));
