// What the console does beyond forms: local times, countdowns, copying, drafts, whether a snippet works.
// Every page works without it. Whatever comes from outside is set as text, never as markup.

// Where one is.
const here = [...document.querySelectorAll('.top nav a')].filter(link => {
  const path = link.getAttribute('href');
  return path === '/' ? /^\/($|events|sections)/.test(location.pathname) : location.pathname.startsWith(path);
}).at(-1);
here?.setAttribute('aria-current', 'page');
for (const row of document.querySelectorAll('.top nav, .tabs')) {
  const current = row.querySelector('[aria-current]');
  if (current) row.scrollLeft = current.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
}

// Times, in the reader's zone, the exact one on hover, or for all at once by a button, which needs no mouse; also of what is
// put into the page later.
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

const exactly = document.getElementById('exact');
const isExact = () => exactly?.getAttribute('aria-pressed') === 'true';
const spoken = at => isExact() ? exact : at.toDateString() === new Date().toDateString() ? clock : day;

function localise() {
  if (exactly) exactly.parentElement.hidden = !document.querySelector('time');
  for (const time of document.querySelectorAll('time:not([data-local])')) {
    const at = new Date(time.dateTime);
    if (isNaN(at)) continue;
    time.dataset.local = '';
    time.title = `${exact.format(at)} (${time.dateTime})`;
    time.textContent = spoken(at).format(at);
  }
  for (const left of document.querySelectorAll('[data-countdown]')) {
    const seconds = Math.round((new Date(left.dataset.countdown) - Date.now()) / 1000);
    const text = seconds > 0 ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}` : '0:00';
    if (left.textContent !== text) left.textContent = text;
    // The page says something else from now on; a draft is not thrown away for that.
    if (seconds <= 0 && !dirty && !left.dataset.over) {
      left.dataset.over = 'yes';
      setTimeout(() => location.reload(), 1500);
    }
  }
}

exactly?.addEventListener('click', () => {
  exactly.setAttribute('aria-pressed', String(!isExact()));
  document.querySelectorAll('time').forEach(time => delete time.dataset.local);
  localise();
});

// Bounds of time are typed in the reader's zone and sent as moments. Without scripts they are in UTC, as their labels say.
for (const input of document.querySelectorAll('input[data-utc]')) {
  const at = new Date(`${input.defaultValue}Z`);
  if (!isNaN(at)) input.value = new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  input.labels[0].querySelector('[data-zone]').textContent = '(your time)';
  input.form.addEventListener('formdata', ({ formData }) => {
    if (input.value) formData.set(input.name, new Date(input.value).toISOString());
  });
}

// What fails in the background is said on the page, with what to do; the page stays as it is.
const trouble = document.getElementById('trouble');
function complain(...words) {
  const said = document.createElement('p');
  said.append(...words);
  // Said once, however often it fails.
  if (trouble && trouble.textContent !== said.textContent) trouble.replaceChildren(...said.childNodes);
}

const kept = () => document.querySelector('form[data-guard]') ? ' What you typed is still here.' : '';

// What the server's page of a problem says, as nodes, so that its times are localised too; its markup is the server's own.
function problemIn(html) {
  const said = new DOMParser().parseFromString(html, 'text/html').querySelector('main [role=alert]');
  return said ? [...said.childNodes] : ['The server could not do that. Try again; if it stays so, tell an administrator.'];
}

document.addEventListener('htmx:before:swap', event => {
  const { ctx, tasks } = event.detail;
  const status = ctx.response?.status;
  const refused = status >= 400 && status !== 422;
  const absent = ctx.select && !tasks.some(task => task.type === 'main' && task.fragment.childElementCount);
  if (!refused && !absent) return complain();
  event.preventDefault();
  complain(...problemIn(ctx.text), kept());
});
document.addEventListener('htmx:error', event => {
  if (event.detail.ctx) complain('The server could not be reached, so nothing was done. Try again once the connection is back.', kept());
});

// A stream says beside what it fills that its connection is lost, and takes it back once it is there again.
const lost = stream => stream.readyState === EventSource.CLOSED ? 'The connection is lost: load this page anew.' : 'The connection is lost; trying again…';
function tellsOfItself(stream, filled) {
  const said = document.createElement('p');
  said.setAttribute('role', 'status');
  filled.after(said);
  stream.onerror = () => { said.textContent = lost(stream); };
  stream.onopen = () => { said.textContent = ''; };
}

// Drafts: leaving asks, once something was typed or moved and until it is sent.
let dirty = false;
const guarded = target => target instanceof Element && target.closest('form[data-guard]');
document.addEventListener('input', event => { if (guarded(event.target)) dirty = true; });
document.addEventListener('htmx:after:swap', event => { if (guarded(event.target) && !event.target.closest('[data-quiet]')) dirty = true; });
document.addEventListener('submit', event => { if (guarded(event.target)) dirty = false; });
addEventListener('beforeunload', event => { if (dirty) event.preventDefault(); });
if (document.querySelector('form[data-guard] .error:not(:empty)')) dirty = true;

localise();
new MutationObserver(localise).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['datetime'] });
setInterval(localise, 1000);

// Where a mistake is said, its input says so too.
function markMistakes() {
  for (const input of document.querySelectorAll('form [aria-describedby^="error-"]')) {
    const said = document.getElementById(input.getAttribute('aria-describedby').split(' ')[0]);
    if (!said || input.tagName === 'FIELDSET') continue;
    if (said.textContent) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  }
}
markMistakes();
document.addEventListener('htmx:after:swap', markMistakes);
document.querySelector('[role=alert]:not(.error) ~ * .error:not(:empty)')?.scrollIntoView({ block: 'center' });

// Rows by keyboard: Alt with an arrow moves one, and the cursor stays in it; Enter in a name begins the next field.
document.addEventListener('keydown', event => {
  const row = event.target instanceof Element && event.target.closest('.row');
  if (!row) return;
  const word = { ArrowUp: 'up-', ArrowDown: 'down-' }[event.key];
  if (word && event.altKey) {
    event.preventDefault();
    row.querySelector(`button[value^="${word}"]:not(:disabled)`)?.click();
  } else if (event.key === 'Enter' && event.target.matches('input[name^="name-"]')) {
    event.preventDefault();
    document.querySelector('button[value="add"]')?.click();
  }
});

// Where the cursor goes once a form was exchanged: to the row that was added or moved, there on the button that moved it;
// after a deletion to the next row's; else where it was.
let held = null;
document.addEventListener('htmx:before:swap', () => {
  const { id, value, form } = document.activeElement ?? {};
  held = { id, value, form };
});
document.addEventListener('htmx:after:swap', () => {
  const form = document.querySelector('#editor');
  if (!form || !held || held.form === form) return;
  const [, move] = /^(up-|down-)/.exec(held.value) ?? [];
  const fresh = form.querySelector('.row [autofocus]');
  const moved = move && fresh?.closest('.row').querySelector(`.moves button[value^="${move}"]:not(:disabled)`);
  const next = /^remove-/.test(held.value) && (form.querySelector(`button[value="${held.value}"]:not(:disabled)`) ?? form.querySelector('.add'));
  (moved || fresh || next || (held.id && document.getElementById(held.id)))?.focus();
});

// Copying.
document.addEventListener('click', async event => {
  const button = event.target instanceof Element && event.target.closest('[data-copy]');
  if (!button) return;
  const from = document.getElementById(button.dataset.copy);
  const text = from.value ?? from.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a clipboard (plain http elsewhere than on this machine) the text is at least selected.
    getSelection().selectAllChildren(from);
    from.select?.();
    document.execCommand('copy');
  }
  button.dataset.was ??= button.textContent;
  button.textContent = 'Copied';
  document.getElementById('said').textContent = 'Copied';
  setTimeout(() => { button.textContent = button.dataset.was; document.getElementById('said').textContent = ''; }, 2000);
});

// A link that the server wrote without knowing by which name it is reached.
for (const link of document.querySelectorAll('input[data-absolute]')) link.value = location.origin + link.dataset.absolute;

// Whether a pasted snippet works. The server sends the sentence anew with each beacon; it is the server's own escaped markup.
const proof = document.getElementById('status');
if (proof?.dataset.status) {
  const beacons = new EventSource(proof.dataset.status);
  tellsOfItself(beacons, proof);
  beacons.addEventListener('status', event => {
    proof.innerHTML = event.data;
    const works = !!proof.querySelector('.works');
    proof.closest('.status')?.classList.toggle('waits', !!proof.querySelector('.pulse'));
    if (works) document.getElementById('step-works')?.classList.add('done');
  });
}

// A password that is being chosen can be looked at.
document.addEventListener('click', event => {
  const button = event.target instanceof Element && event.target.closest('[data-show]');
  if (!button) return;
  const field = document.getElementById(button.dataset.show);
  const shown = field.type === 'text';
  field.type = shown ? 'password' : 'text';
  button.setAttribute('aria-pressed', String(!shown));
});
