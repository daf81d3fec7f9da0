// REST hooks: a Zap that is switched on makes a webhook, and one that is switched off deletes it.
'use strict';

const { part, url } = require('./api');

const hooks = (bundle, rest = '') =>
  url(bundle, `/v1/sections/${part(bundle.inputData.section)}/webhooks${rest}`);

/** What a Zap works on: one thing that was posted, its keys beside it by name. */
const flat = (posted) => {
  const keys = {};
  for (const { keyspace_discriminator, profile_key } of posted.profile.keys) {
    const name = keyspace_discriminator.split('.').pop().replace('-', '_');
    if (!(name in keys)) keys[name] = profile_key;
  }
  return { ...posted, profile: { ...posted.profile, ...keys } };
};

/** The operation of a trigger whose topic is made from what people chose. */
const operation = ({ name, topic, inputFields, sample, outputFields }) => ({
  type: 'hook',
  inputFields: [
    { key: 'section', label: 'Section', required: true, dynamic: 'sections.id.name', altersDynamicFields: true },
    ...inputFields,
  ],
  performSubscribe: async (z, bundle) => {
    const response = await z.request({
      url: hooks(bundle),
      method: 'POST',
      body: { name: `Zapier: ${name}`, url: bundle.targetUrl, topics: [topic(bundle.inputData)] },
    });
    return { id: response.data.discriminator, section: bundle.inputData.section };
  },
  performUnsubscribe: async (z, bundle) => {
    const { id, section } = bundle.subscribeData;
    await z.request({
      url: url(bundle, `/v1/sections/${part(section)}/webhooks/${part(id)}`),
      method: 'DELETE',
    });
    return { id };
  },
  perform: (z, bundle) => [flat(bundle.cleanedRequest)],
  performList: async (z, bundle) => {
    const response = await z.request({
      url: hooks(bundle, '/samples'),
      method: 'POST',
      body: { topics: [topic(bundle.inputData)] },
    });
    return response.data.items.map(flat);
  },
  sample,
  outputFields,
});

/** What every post has. */
const common = {
  id: 'b1a9e6a4-8f4e-4c0a-9d2b-0c8f6f1f7a11',
  created_at: '2026-11-23T12:00:01.000Z',
  section_discriminator: 'com.beaconry.sections.my-shop-vtln80eb31',
  profile: {
    keys: [{ keyspace_discriminator: 'com.apsis1.keyspaces.email', profile_key: 'ada@shop.example' }],
    email: 'ada@shop.example',
  },
};

const profileFields = [
  { key: 'profile__email', label: 'Email' },
  { key: 'profile__mobile', label: 'Mobile' },
  { key: 'profile__crm_id', label: 'CRM id' },
];

module.exports = { operation, common, profileFields };
