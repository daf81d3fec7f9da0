// The triggers against the real server: a Zap that is switched on hears of what happens, until it is switched off.
'use strict';

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const { once } = require('node:events');
const { createServer } = require('node:http');
const zapier = require('zapier-platform-core');
const App = require('../index');
const { start } = require('./server');

const tester = zapier.createAppTester(App);
const EMAIL = 'com.apsis1.keyspaces.email';

/** What Zapier is to Beaconry: an address that takes posts. */
const listen = async () => {
  const posts = [];
  let heard = () => {};
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => (body += piece));
    request.on('end', () => {
      posts.push(JSON.parse(body));
      response.end('{"status":"success"}');
      heard();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const next = async (type) => {
    for (;;) {
      const at = posts.findIndex((post) => post.type === type);
      if (at >= 0) return posts.splice(at, 1)[0];
      await new Promise((resolve) => (heard = resolve));
    }
  };
  return { url: `http://127.0.0.1:${server.address().port}/hook`, posts, next, close: () => server.close() };
};

describe('the triggers', () => {
  let server;
  let authData;
  let zap;

  before(async () => {
    server = await start();
    zap = await listen();
    const { client_id, client_secret } = server.key;
    const session = await tester(App.authentication.sessionConfig.perform, {
      authData: { base_url: server.url, client_id, client_secret },
    });
    authData = { base_url: server.url, client_id, client_secret, ...session };
  });
  after(async () => {
    zap.close();
    await server.stop();
  });

  const run = (key, what, bundle) => tester(App.triggers[key].operation[what], { authData, ...bundle });
  const list = (key, inputData) => run(key, 'perform', { inputData });
  const subscribe = (key, inputData) => run(key, 'performSubscribe', { inputData, targetUrl: zap.url });
  const event = async () => (await list('events_to_hear_of', { section: server.section }))[0].id;
  const ask = async (method, path, body, token = authData.access_token) => {
    const response = await fetch(server.url + path, {
      method, body: JSON.stringify(body), headers: { Authorization: `Bearer ${token}` },
    });
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
    return response.status === 204 ? undefined : response.json();
  };
  const place = async (orderid) => {
    await ask('PUT', '/audience/profiles/merges', { profiles: [{ keyspace_discriminator: EMAIL, profile_key: 'ada@shop.example' }] });
    const events = await ask('GET', `/audience/sections/${server.section}/events`);
    const version_id = events.items[0].versions.find((one) => one.deprecated_at === null).id;
    await ask('POST', `/audience/keyspaces/${EMAIL}/profiles/ada%40shop.example/sections/${server.section}/events`, {
      items: [{ version_id, data: { source: 'ERP', orderid, total: 12.5 } }],
    });
  };

  it('hears of events, and no more once the Zap is off', async () => {
    const inputData = { section: server.section, event: await event() };
    assert.deepEqual(await run('event_received', 'performList', { inputData }), []);
    const subscribeData = await subscribe('event_received', inputData);
    await place('A-1');
    const posted = await zap.next('event.received');
    const [found] = await run('event_received', 'perform', { inputData, cleanedRequest: posted });
    assert.deepEqual(found.event.data, { source: 'ERP', orderid: 'A-1', total: 12.5 });
    assert.equal(found.profile.email, 'ada@shop.example');
    const [sample] = await run('event_received', 'performList', { inputData });
    assert.deepEqual(sample.event, found.event);
    assert.deepEqual(Object.keys(sample), Object.keys(found));
    const fields = await tester(App.triggers.event_received.operation.outputFields.at(-1), { authData, inputData });
    assert.equal(fields.find((field) => field.key === 'event__data__total').type, 'number');
    await run('event_received', 'performUnsubscribe', { inputData, subscribeData });
    const { items } = await ask('GET', `/v1/sections/${server.section}/webhooks`);
    assert.deepEqual(items, []);
  });

  it('hears of beacons that were rejected', async () => {
    const inputData = { section: server.section };
    const subscribeData = await subscribe('beacon_rejected', inputData);
    server.beaconry('tracking', 'enable', 'order-placed');
    const { key } = server.beaconry('event', 'show', 'order-placed');
    const now = new Date().toISOString();
    const hex = Date.now().toString(16).padStart(12, '0');
    const beacon = {
      v: 1, sent: now, visitor: 'somebody',
      events: [{ id: `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000001`, key, ver: 1, rev: 1, time: now, data: { source: 'Website' } }],
    };
    // Until the server knows that tracking is on, it keeps nothing.
    for (let code = 'tracking_disabled'; code === 'tracking_disabled';) {
      const answer = await fetch(`${server.collector}/c`, { method: 'POST', body: JSON.stringify(beacon) });
      code = (await answer.json()).rejected[0].code;
    }
    const posted = await zap.next('beacon.rejected');
    const [found] = await run('beacon_rejected', 'perform', { inputData, cleanedRequest: posted });
    assert.equal(found.beacon.code, 'invalid_fields');
    assert.deepEqual(found.beacon.errors.map((error) => error.field), ['orderid']);
    const [sample] = await run('beacon_rejected', 'performList', { inputData });
    assert.deepEqual(sample.beacon, found.beacon);
    await run('beacon_rejected', 'performUnsubscribe', { inputData, subscribeData });
  });

  it('hears of profiles that enter and leave a segment', async () => {
    const { token } = server.beaconry('token', 'create', 'Tester');
    const condition = { event: { event: await event(), at_least: 2, at_most: 2 } };
    await ask('POST', `/v1/sections/${server.section}/segments`, { name: 'Twice', condition }, token);
    const segments = await list('segments', { section: server.section });
    assert.deepEqual(segments.map((one) => one.name), ['Twice']);
    const inputData = { section: server.section, segment: segments[0].id };
    const entered = await subscribe('entered_segment', inputData);
    const left = await subscribe('left_segment', inputData);
    // Who came in before everybody was looked at once does not enter, so this goes on until somebody does.
    let heard = false;
    const posted = zap.next('segment.entered').then((post) => {
      heard = true;
      return post;
    });
    for (let n = 0; !heard && n < 50; n += 1) {
      const key = `ada-${n}@shop.example`;
      await ask('PUT', '/audience/profiles/merges', { profiles: [{ keyspace_discriminator: EMAIL, profile_key: key }] });
      const events = await ask('GET', `/audience/sections/${server.section}/events`);
      const version_id = events.items[0].versions.find((one) => one.deprecated_at === null).id;
      const items = [1, 2].map(() => ({ version_id, data: { source: 'ERP', orderid: 'B' } }));
      await ask('POST', `/audience/keyspaces/${EMAIL}/profiles/${encodeURIComponent(key)}/sections/${server.section}/events`, { items });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const [found] = await run('entered_segment', 'perform', { inputData, cleanedRequest: await posted });
    assert.equal(found.segment.name, 'Twice');
    assert.match(found.profile.email, /^ada-\d+@shop\.example$/);
    const events = await ask('GET', `/audience/sections/${server.section}/events`);
    const version_id = events.items[0].versions.find((one) => one.deprecated_at === null).id;
    await ask('POST', `/audience/keyspaces/${EMAIL}/profiles/${encodeURIComponent(found.profile.email)}/sections/${server.section}/events`, {
      items: [{ version_id, data: { source: 'ERP', orderid: 'C' } }],
    });
    const gone = await zap.next('segment.left');
    assert.equal(gone.profile.keys[0].profile_key, found.profile.email);
    await run('entered_segment', 'performUnsubscribe', { inputData, subscribeData: entered });
    await run('left_segment', 'performUnsubscribe', { inputData, subscribeData: left });
  });

  it('offers only events that the key may read', async () => {
    const reader = server.beaconry('key', 'create', 'Reader', '--all-sections', '--keyspace', 'email', '--read', '--write');
    const session = await tester(App.authentication.sessionConfig.perform, {
      authData: { base_url: server.url, client_id: reader.client_id, client_secret: reader.client_secret },
    });
    const by = (token) => tester(App.triggers.events_to_hear_of.operation.perform, {
      authData: { ...authData, ...token }, inputData: { section: server.section },
    });
    assert.equal((await by(session)).length, 1);
    server.allow({ email: { read: false, write: true } });
    let offered;
    for (let asked = 0; asked < 1000; asked += 1) {
      offered = await by(session);
      if (!offered.length) break;
    }
    assert.deepEqual(offered, []);
    assert.equal((await by({})).length, 1, 'by CRM id it may be read');
    server.allow({});
  });

  it('says what is wrong in words', async () => {
    const inputData = { section: server.section, event: await event() };
    await assert.rejects(
      tester(App.triggers.event_received.operation.performSubscribe, { authData, inputData, targetUrl: 'ftp://zapier.example/' }),
      /begins with https/,
    );
  });
});
