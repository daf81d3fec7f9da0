// The events of a section to choose from. What is chosen is the version that is current now: the Zap keeps it.
'use strict';

const { items, part, identifier } = require('../lib/api');

const perform = async (z, bundle) => {
  const { section, keyspace } = bundle.inputData;
  if (!section) return [];
  const name = identifier(keyspace);
  const events = await items(z, bundle, `/audience/sections/${part(section)}/events`);
  return events
    .filter((event) => !name || event.allowed_operations[name].write)
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
