// The app against the real server: what people choose from, what a Zap posts, and what it is told where that is refused.
'use strict';

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const zapier = require('zapier-platform-core');
const App = require('../index');
const { start } = require('./server');

const tester = zapier.createAppTester(App);
const EMAIL = 'com.apsis1.keyspaces.email';

describe('the app', () => {
  let server;
  let authData;

  before(async () => {
    server = await start();
    const { client_id, client_secret } = server.key;
    const session = await tester(App.authentication.sessionConfig.perform, {
      authData: { base_url: server.url, client_id, client_secret },
    });
    authData = { base_url: server.url, client_id, client_secret, ...session };
  });
  after(() => server.stop());

  const list = (key, inputData = {}) => tester(App.triggers[key].operation.perform, { authData, inputData });
  const create = (key, inputData) => tester(App.creates[key].operation.perform, { authData, inputData });
  const inputs = (key, inputData) => tester(App.creates[key].operation.inputFields.at(-1), { authData, inputData });
  const profile = (profile_key = 'ada+lists@shop.example') => ({ section: server.section, keyspace: EMAIL, profile_key });
  const current = async () => (await list('events', profile()))[0].id;
  /** What Beaconry knows by now. */
  const read = async (path) => {
    const response = await fetch(server.url + path, { headers: { Authorization: `Bearer ${authData.access_token}` } });
    assert.equal(response.status, 200, path);
    return response.json();
  };

  it('says so where the secret is another', async () => {
    const wrong = { ...authData, access_token: undefined, client_secret: 'other' };
    await assert.rejects(
      tester(App.authentication.sessionConfig.perform, { authData: wrong }),
      /Client id and secret are not those of an API key/,
    );
  });

  it('asks for a new token where the old one is not good any more', async () => {
    await assert.rejects(
      tester(App.triggers.sections.operation.perform, { authData: { ...authData, access_token: 'old' } }),
      { name: 'RefreshAuthError' },
    );
  });

  it('offers sections, keyspaces, channels, lists and topics', async () => {
    assert.deepEqual((await list('sections')).map((one) => one.name), ['Shop']);
    assert.deepEqual((await list('keyspaces')).map((one) => one.name), ['Email', 'CRM id']);
    assert.deepEqual((await list('channels')).map((one) => one.name), ['email', 'sms']);
    const [consent_list] = await list('consent_lists', { section: server.section });
    assert.equal(consent_list.name, 'Letters');
    const topics = await list('topics', { section: server.section, consent_list: consent_list.id });
    assert.deepEqual(topics.map((one) => one.name), ['News']);
  });

  it('asks for the fields of the version, with their types', async () => {
    const fields = await inputs('post_event', { ...profile(), event: await current() });
    const types = Object.fromEntries(fields.map((field) => [field.key, field.type]));
    assert.deepEqual(types, {
      field_source: 'string', field_orderid: 'string', field_items: 'integer', field_total: 'number',
      field_gift: 'boolean', field_due: 'string', field_paid: 'datetime',
    });
    assert.equal(fields[0].default, 'Zapier');
    assert.deepEqual(fields.filter((field) => field.required).map((field) => field.key), ['field_source', 'field_orderid']);
    assert.deepEqual(await inputs('post_event', profile()), []);
  });

  it('makes a profile and posts an event to it, numbers as numbers', async () => {
    const attributes = await inputs('profile', profile());
    const first = attributes.find((field) => field.label === 'First name');
    await create('profile', { ...profile(), [first.key]: 'Ada' });
    const known = await read(`/audience/keyspaces/${EMAIL}/profiles/ada%2Blists%40shop.example/sections/${server.section}/attributes`);
    assert.deepEqual(Object.values(known), ['Ada']);
    const event = await current();
    const given = {
      ...profile(), event, id: 'A-1', event_time: '2026-01-01T12:00:00Z', field_source: 'Zapier', field_orderid: 17,
      field_items: '2', field_total: '12.50', field_gift: 'true', field_due: '2026-01-02T00:00:00Z', field_paid: '',
    };
    assert.equal((await create('post_event', given)).stored, 1);
    assert.equal((await create('post_event', given)).duplicates, 1);
    const stored = server.beaconry('events', 'order-placed');
    assert.deepEqual(stored.map((one) => one.data), [
      { source: 'Zapier', orderid: '17', items: 2, total: 12.5, gift: true, due: '2026-01-02' },
    ]);
  });

  it('gives and takes a consent', async () => {
    await create('profile', profile());
    const [consent_list] = await list('consent_lists', { section: server.section });
    const [topic] = await list('topics', { section: server.section, consent_list: consent_list.id });
    for (const type of ['opt-in', 'opt-out']) {
      const given = await create('consent', {
        section: server.section, channel: 'com.apsis1.channels.email', address: profile().profile_key,
        consent_list: consent_list.id, topic: topic.id, type,
      });
      assert.equal(given.type, type);
      const said = await read(`/audience/channels/com.apsis1.channels.email/addresses/ada%2Blists%40shop.example/consents/sections/${server.section}/consent-lists/${consent_list.id}/evaluations`);
      // What is read is what may be sent to: a topic that was opted out of is not among it.
      assert.deepEqual(said.items.map((one) => one.type), type === 'opt-in' ? [type] : []);
    }
  });

  it('tells people what is wrong in their words', async () => {
    const event = await current();
    await assert.rejects(create('post_event', { ...profile('eve@shop.example'), event, field_source: 'Zapier', field_orderid: '1' }), /create it by setting an attribute or by a merge/);
    await create('profile', profile());
    await assert.rejects(create('post_event', { ...profile(), event, field_source: 'Zapier', field_orderid: '1', field_items: 'two' }), /items: expected an integer .* got the text \\"two\\"/);
    await assert.rejects(create('post_event', { ...profile(), event: '00000000-0000-4000-8000-000000000000' }), /Update the Zap/);
  });

  it('says to update a Zap that was built with a version which is deprecated by now', async () => {
    await create('profile', profile());
    const given = { ...profile(), event: await current(), field_source: 'Zapier', field_orderid: '1' };
    server.beaconry('event', 'edit', 'order-placed', '--add-field', 'coupon:text');
    await server.restart(61);
    authData = { ...authData, base_url: server.url };
    assert.notEqual(await current(), given.event);
    await assert.rejects(create('post_event', given), /Update the Zap: .*is deprecated; use the current one, version 2/);
    assert.equal((await create('post_event', { ...given, event: await current() })).stored, 1);
  });

  it('does not offer an event that refuses the identifier', async () => {
    assert.equal((await list('events', profile())).length, 1);
    server.allow({ email: { read: true, write: false } });
    let offered;
    for (let asked = 0; asked < 1000; asked += 1) {
      offered = await list('events', profile());
      if (!offered.length) break;
    }
    assert.deepEqual(offered, []);
    assert.equal((await list('events', { ...profile(), keyspace: 'com.apsis1.keyspaces.crm-id' })).length, 1);
  });
});
