// Point and click: where this tab was opened by a link that the console made, asks the collector of the page's own snippets
// whether the link is good, and only then loads the inspector.
const page = window.beaconry;
const folder = document.currentScript.src.replace(/debug\.js$/, '');

// What this tab remembers until the picking is over.
const KEY = 'beaconry-pick';
const MODES = [KEY, 'beaconry-debug', 'beaconry-test'];

const LINK = /beaconry-pick=([\da-f.]+)/;
// What the link adds behind the `#`, and what it leaves of a fragment that was there.
const ADDED = /(^#|&)beaconry-(debug|test|pick=[\da-f.]*)/g;

let asked;
// Collectors that were asked already.
const tried = new Set();

const session = act => {
  try {
    return act(sessionStorage);
  } catch {}
};

// The link's token, taken out of the address before anybody else takes it along; or the key of an earlier page.
const take = () => {
  const [, link] = location.hash.match(LINK) || [];
  if (!link) return { key: session(storage => storage[KEY]) };
  const rest = location.hash.replace(ADDED, '');
  // A page that is one application finds its way by what stands there.
  if (/^#[/!]/.test(rest)) location.replace(rest);
  else history.replaceState(history.state, '', location.pathname + location.search + rest);
  return { link };
};

const ask = (address, what) => fetch(address, { method: 'POST', body: JSON.stringify(what) });

// Ends the picking in this tab, and the modes that came with it.
const end = () => session(storage => MODES.forEach(name => delete storage[name]));

// Asks the collector of a snippet, once.
export const point = async (collector, warn) => {
  asked ||= take();
  const address = collector.replace(/c$/, 'pick');
  if (!(asked.link || asked.key) || tried.has(address)) return;
  tried.add(address);
  try {
    const answer = await ask(address, asked);
    const invitation = await answer.json();
    if (!answer.ok) {
      end();
      return warn(`Nothing can be picked on this page. ${invitation.detail}`);
    }
    session(storage => storage[KEY] = invitation.key);
    const trouble = (what, why) => {
      warn(`The inspector did not start: ${why}`);
      ask(address, { trouble: { key: invitation.key, trouble: what } }).catch(() => {});
    };
    addEventListener('error', ({ target }) => {
      if (target.src == folder + 'inspector.js') trouble('not_loaded', 'its file could not be loaded');
    }, true);
    page.i = { address, invitation, trouble, end, wasm: folder + 'inspector.wasm' };
    page.l(folder + 'inspector.js', INSPECTOR_INTEGRITY);
  } catch (error) {
    warn(`The collector could not be asked what to pick: ${error}`);
  }
};
