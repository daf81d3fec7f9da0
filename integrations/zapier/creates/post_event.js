// Post Custom Event: section, then event, then its fields.
'use strict';

const { items, part, profile, url } = require('../lib/api');
const { input, values } = require('../lib/fields');

/** The fields of the version that the Zap was built with, be it current or not. */
const fieldsOf = async (z, bundle) => {
  const { section, event } = bundle.inputData;
  if (!section || !event) return [];
  const events = await items(z, bundle, `/audience/sections/${part(section)}/events`);
  const versions = events.flatMap((one) => one.versions);
  const version = versions.find((one) => one.id === event);
  return version ? version.fields : [];
};

const perform = async (z, bundle) => {
  const { section, event, event_time, id } = bundle.inputData;
  const data = values(await fieldsOf(z, bundle), bundle.inputData);
  const item = { version_id: event, data };
  if (event_time) item.event_time = event_time;
  if (id) item.id = id;
  const response = await z.request({
    url: url(bundle, `${profile(bundle.inputData)}/sections/${part(section)}/events`),
    method: 'POST',
    body: { items: [item] },
  });
  return { id: id || event, ...response.data };
};

module.exports = {
  key: 'post_event',
  noun: 'Custom Event',
  display: {
    label: 'Post Custom Event',
    description: 'Posts an event to a profile that is there; "Create or Update Profile" makes one that is not.',
  },
  operation: {
    inputFields: [
      { key: 'section', label: 'Section', required: true, dynamic: 'sections.id.name', altersDynamicFields: true },
      {
        key: 'keyspace',
        label: 'Keyspace',
        required: true,
        dynamic: 'keyspaces.id.name',
        altersDynamicFields: true,
        helpText: 'What names the profile: an email address, a mobile number or a CRM id.',
      },
      { key: 'profile_key', label: 'Profile', required: true, helpText: 'The email address, mobile number or CRM id.' },
      {
        key: 'event',
        label: 'Event',
        required: true,
        dynamic: 'events.id.name',
        altersDynamicFields: true,
        helpText: 'The Zap keeps the version it is built with. Events that may not be written through the keyspace are not offered.',
      },
      { key: 'event_time', label: 'When it happened', type: 'datetime', helpText: 'Now, where it is left empty.' },
      { key: 'id', label: 'Id of the occurrence', helpText: 'The same id is stored once, however often the Zap runs.' },
      async (z, bundle) => (await fieldsOf(z, bundle)).map((field) => input(field)),
    ],
    perform,
    sample: { id: 'ecb0ca04-8866-42ef-86ad-e40539ed37a1', stored: 1, duplicates: 0 },
    outputFields: [
      { key: 'stored', label: 'Stored', type: 'integer' },
      { key: 'duplicates', label: 'Stored before', type: 'integer' },
    ],
  },
};
