// What the pages on arrivals do by themselves: the live list, searches that go on, work and downloads that say how far they are.
// Without this script every page but Live works by links and forms. Whatever comes from outside is set as text.

const element = (tag, className = '', text = '') => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
};

// Live.
const list = document.getElementById('arrivals');
if (list) watch(list);

function watch(list) {
  const MOST = 200;
  const state = document.getElementById('live-state');
  const waiting = document.getElementById('waiting');
  const pause = document.getElementById('pause');
  const held = [];
  let paused = false, missed = 0;
  const say = () => {
    const lag = missed ? ` ${missed} beacons came too fast to show.` : '';
    state.textContent = paused ? `Paused. ${held.length}${held.length === MOST ? ' or more' : ''} new beacons wait.${lag}`
      : stream.readyState === EventSource.OPEN ? `Connected: new beacons appear here at once.${lag}` : lost(stream);
  };
  const show = beacon => {
    waiting.hidden = true;
    list.prepend(arrival(beacon));
    while (list.children.length > MOST) list.lastElementChild.remove();
  };
  const stream = new EventSource(list.dataset.live);
  stream.onopen = stream.onerror = say;
  stream.addEventListener('missed', event => { missed += JSON.parse(event.data).missed; say(); });
  stream.addEventListener('arrival', event => {
    const beacon = JSON.parse(event.data);
    if (!paused) return show(beacon);
    held.push(beacon);
    if (held.length > MOST) held.shift();
    say();
  });
  pause.hidden = false;
  pause.addEventListener('click', () => {
    paused = !paused;
    pause.setAttribute('aria-pressed', String(paused));
    pause.textContent = paused ? 'Go on' : 'Pause';
    if (!paused) held.splice(0).forEach(show);
    say();
  });
}

function arrival(beacon) {
  const words = { accepted: 'Accepted', quarantined: 'In quarantine', refused: 'Refused' };
  const item = element('li', beacon.outcome);
  const details = element('details');
  const head = element('summary', 'head');
  const time = element('time', '', beacon.received);
  time.dateTime = beacon.received;
  head.append(element('span', `tag ${beacon.outcome}`, words[beacon.outcome]), ' ', element('strong', '', beacon.name ?? 'Unknown event'), ' ', time);
  if (beacon.ver) head.append(' ', element('span', 'tag', `Version ${beacon.ver}`));
  if (beacon.test) head.append(' ', element('span', 'tag', 'Test'));
  if (beacon.unchecked) head.append(' ', element('span', 'tag', 'Not checked in the browser'));
  details.append(head);
  if (beacon.event) {
    const link = element('a', '', `Open ${beacon.name}`);
    link.href = `/events/${beacon.event}`;
    const line = element('p');
    line.append(link);
    details.append(line);
  }
  if (beacon.url) details.append(element('p', 'quiet', beacon.url));
  if (beacon.origin) details.append(element('p', 'quiet', `From ${beacon.origin}`));
  details.append(beacon.data ? element('pre', '', pretty(beacon.data)) : element('p', 'quiet', 'Its content is not kept.'));
  item.append(details);
  if (beacon.rejection) item.append(element('p', 'why', beacon.rejection.detail));
  for (const error of beacon.rejection?.errors ?? []) {
    item.append(element('p', 'why', `${error.field}: expected ${error.expected}, got ${error.got}`));
  }
  return item;
}

function pretty(json) {
  try { return JSON.stringify(JSON.parse(json), null, 2); } catch { return json; }
}

// Another page of this console, as a document. Its markup is the server's own, with everything from outside escaped.
async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), 'text/html');
}

// A search goes on by itself until the page is full, everything was searched, or somebody stops it.
async function goOn() {
  const PAGE = 50;
  const rows = document.getElementById('rows');
  let search = document.getElementById('search');
  let looked = true;
  while (search?.dataset.goOn && rows && looked && rows.children.length < PAGE) {
    const stop = element('button', 'small', 'Stop the search');
    stop.type = 'button';
    stop.addEventListener('click', () => { looked = false; stop.remove(); });
    search.append(stop);
    let next;
    try { next = await fetched(search.dataset.goOn); } catch {
      stop.remove();
      complain('The search broke off, because the server could not be reached. Continue it once the connection is back.');
      break;
    }
    if (!looked) break;
    rows.append(...next.querySelectorAll('#rows > tr'));
    const found = next.getElementById('search');
    search.replaceWith(found);
    search = found;
    search.querySelector('strong').textContent = `${rows.children.length} found`;
  }
}
goOn();

// What is shown is ticked all at once.
const tickAll = document.getElementById('tick-all');
if (tickAll) {
  const all = tickAll.querySelector('input');
  tickAll.hidden = false;
  const boxes = [...document.querySelectorAll('.kept input[type=checkbox]')];
  all.addEventListener('change', () => boxes.forEach(box => { box.checked = all.checked; }));
  boxes.forEach(box => box.addEventListener('change', () => { all.checked = boxes.every(one => one.checked); }));
}

// Work under way: the page's middle anew, until it has ended.
async function again() {
  let work = document.getElementById('work');
  while (work?.dataset.again) {
    await new Promise(next => setTimeout(next, 300));
    let next;
    try { next = (await fetched(work.dataset.again)).getElementById('work'); } catch {
      complain('The connection is lost; trying again…');
      continue;
    }
    complain();
    work.replaceWith(next);
    work = next;
  }
}
again();

// Downloads: the browser saves the file, and the page says how far it is.
for (const form of document.querySelectorAll('form[data-download]')) {
  const box = form.querySelector('.downloading');
  const [said, bar, stop] = [box.querySelector('p'), box.querySelector('progress'), box.querySelector('button')];
  form.addEventListener('submit', () => {
    const id = [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');
    let name = form.elements.namedItem('work');
    if (!name) {
      name = element('input');
      name.type = 'hidden';
      name.name = 'work';
      form.append(name);
    }
    name.value = id;
    follow(form.dataset.download + id);
  });
  async function follow(address) {
    box.hidden = stop.hidden = false;
    said.textContent = 'The download begins…';
    bar.removeAttribute('value');
    stop.onclick = () => fetch(`${address}/cancel`, { method: 'POST' });
    for (let missing = 0; missing < 20;) {
      await new Promise(next => setTimeout(next, 300));
      const answer = await fetch(address).catch(() => null);
      if (!answer?.ok) { missing++; continue; }
      const { done, total, ended, failed } = await answer.json();
      bar.max = Math.max(total, 1);
      bar.value = ended && !failed ? bar.max : done;
      said.textContent = failed ? `The download broke off: ${failed}.` : ended ? form.dataset.counts ? `${done} ${form.dataset.counts}. The download is complete.` : `${total} events looked at. The download is complete.` : `${done} of ${total} ${form.dataset.counts ? 'profiles' : 'events'}…`;
      if (ended) break;
    }
    stop.hidden = true;
  }
}
