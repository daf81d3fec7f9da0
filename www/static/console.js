// What the console does beyond forms: local times, copying, and the live list. Every page works without it but Live.

for (const time of document.querySelectorAll('time')) {
  time.title = time.dateTime;
  time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

for (const button of document.querySelectorAll('[data-copy]')) {
  button.addEventListener('click', async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    await navigator.clipboard.writeText(field.value);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
}

const list = document.getElementById('arrivals');
if (list) watch(list);

function watch(list) {
  const MOST = 200;
  const state = document.getElementById('live-state');
  const waiting = document.getElementById('waiting');
  const stream = new EventSource(list.dataset.stream);
  stream.onopen = () => { state.textContent = 'Connected: new beacons appear here at once.'; };
  stream.onerror = () => { state.textContent = 'The connection is lost; trying again…'; };
  stream.addEventListener('missed', event => {
    list.prepend(element('li', 'missed', `${JSON.parse(event.data).missed} beacons came too fast to show.`));
  });
  stream.addEventListener('arrival', event => {
    waiting.hidden = true;
    list.prepend(arrival(JSON.parse(event.data)));
    while (list.children.length > MOST) list.lastElementChild.remove();
  });
}

function arrival(beacon) {
  const words = { accepted: 'Accepted', quarantined: 'In quarantine', refused: 'Refused' };
  const item = element('li', beacon.outcome);
  const head = element('p', 'head');
  const time = element('time', '', new Date(beacon.received).toLocaleTimeString());
  time.dateTime = time.title = beacon.received;
  head.append(time, element('span', `tag ${beacon.outcome}`, words[beacon.outcome]), name(beacon));
  if (beacon.ver) head.append(element('span', 'tag', `Version ${beacon.ver}`));
  if (beacon.test) head.append(element('span', 'tag', 'Test'));
  if (beacon.unchecked) head.append(element('span', 'tag', 'Not checked in the browser'));
  item.append(head);
  if (beacon.rejection) item.append(element('p', 'why', beacon.rejection.detail));
  for (const error of beacon.rejection?.errors ?? []) {
    item.append(element('p', 'why', `${error.field}: expected ${error.expected}, got ${error.got}`));
  }
  if (beacon.url) item.append(element('p', 'quiet', beacon.url));
  if (beacon.data) item.append(payload(beacon.data));
  return item;
}

function name(beacon) {
  if (!beacon.event) return element('strong', '', 'Unknown event');
  const link = element('a', '', beacon.name);
  link.href = `/events/${beacon.event}`;
  return link;
}

function payload(data) {
  const details = element('details');
  details.append(element('summary', '', 'Data'), element('pre', '', JSON.stringify(JSON.parse(data), null, 2)));
  return details;
}

function element(tag, className = '', text = '') {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
