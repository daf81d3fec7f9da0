// The events that a Zap may hear of: those that may be read through at least one of the keyspaces that the API key is for.
'use strict';

const { choices, items, part, identifier } = require('../lib/api');

module.exports = {
  key: 'events_to_hear_of',
  noun: 'Event',
  display: { label: 'Event', description: 'The events of a section that may be read.', hidden: true },
  operation: {
    inputFields: [{ key: 'section' }],
    perform: async (z, bundle) => {
      const { section } = bundle.inputData;
      if (!section) return [];
      const events = await choices(z, bundle, `/audience/sections/${part(section)}/events`);
      const keyspaces = (await items(z, bundle, '/audience/keyspaces')).map((one) => identifier(one.discriminator));
      const mayRead = (event) => (name) => !name || event.allowed_operations[name].read;
      return events.filter((event) => keyspaces.some(mayRead(event)));
    },
  },
};
