// The events of a section to choose from. What is chosen is the version that is current now: the Zap keeps it.
'use strict';

const { items, part } = require('../lib/api');

// The keyspaces whose identifiers an event's allowed operations speak of. Web visitors are a matter of the API key alone.
const IDENTIFIERS = {
  'com.apsis1.keyspaces.email': 'email',
  'com.apsis1.keyspaces.mobile': 'mobile',
  'com.apsis1.keyspaces.crm-id': 'crm_id',
};

const perform = async (z, bundle) => {
  const { section, keyspace } = bundle.inputData;
  if (!section) return [];
  const identifier = IDENTIFIERS[keyspace];
  const events = await items(z, bundle, `/audience/sections/${part(section)}/events`);
  return events
    .filter((event) => !identifier || event.allowed_operations[identifier].write)
    .map((event) => {
      const version = event.versions.find((one) => one.deprecated_at === null);
      return { id: version.id, name: `${event.name} (version ${version.number})` };
    });
};

module.exports = {
  key: 'events',
  noun: 'Event',
  display: { label: 'Event', description: 'The events that may be posted.', hidden: true },
  operation: { inputFields: [{ key: 'section' }, { key: 'keyspace' }], perform },
};
