// Add or Remove Consent: what an address says of a topic.
'use strict';

const { part, url } = require('../lib/api');

const perform = async (z, bundle) => {
  const { section, channel, address, consent_list, topic, type } = bundle.inputData;
  const response = await z.request({
    url: url(bundle, `/audience/channels/${part(channel)}/addresses/${part(address)}/consents`),
    method: 'POST',
    body: {
      section_discriminator: section,
      consent_list_discriminator: consent_list,
      topic_discriminator: topic,
      type,
    },
  });
  return { id: topic, ...response.data };
};

module.exports = {
  key: 'consent',
  noun: 'Consent',
  display: {
    label: 'Add or Remove Consent',
    description: 'Notes that an address agrees to a topic, or does not any more.',
  },
  operation: {
    inputFields: [
      { key: 'section', label: 'Section', required: true, dynamic: 'sections.id.name', altersDynamicFields: true },
      {
        key: 'consent_list',
        label: 'Consent list',
        required: true,
        dynamic: 'consent_lists.id.name',
        altersDynamicFields: true,
      },
      { key: 'topic', label: 'Topic', required: true, dynamic: 'topics.id.name' },
      { key: 'channel', label: 'Channel', required: true, dynamic: 'channels.id.name' },
      { key: 'address', label: 'Address', required: true, helpText: 'The email address, or the mobile number.' },
      {
        key: 'type',
        label: 'What is said',
        required: true,
        choices: { 'opt-in': 'Yes', 'confirmed-opt-in': 'Yes, and confirmed by the address itself', 'opt-out': 'No' },
      },
    ],
    perform,
    sample: { id: 'com.beaconry.topics.news-0123456789', type: 'opt-in' },
  },
};
