// The events that a Zap may hear of: those of which at least one identifier may be read.
'use strict';

const { choices, part } = require('../lib/api');

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
      return events.filter((event) => Object.values(event.allowed_operations).some((allowed) => allowed.read));
    },
  },
};
