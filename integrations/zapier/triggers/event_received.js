// Event Received: an event of the section was stored.
'use strict';

const { items, part } = require('../lib/api');
const { common, operation, profileFields } = require('../lib/hooks');

/** The chosen event's fields, so that they can be mapped before the first one came. */
const fields = async (z, bundle) => {
  const { section, event } = bundle.inputData;
  if (!section || !event) return [];
  const events = await items(z, bundle, `/audience/sections/${part(section)}/events`);
  const found = events.find((one) => one.discriminator === event);
  const version = found && found.versions.find((one) => one.deprecated_at === null);
  const types = { number: 'integer', decimal: 'number', bool: 'boolean', timestamp: 'datetime' };
  return (version ? version.fields : []).map((field) => ({
    key: `event__data__${field.name}`,
    label: field.name,
    type: types[field.type] || 'string',
  }));
};

module.exports = {
  key: 'event_received',
  noun: 'Event',
  display: { label: 'Event Received', description: 'Triggers when an event is stored, from a web site or a back end.' },
  operation: operation({
    name: 'Event Received',
    topic: ({ event }) => ({ type: 'event.received', event }),
    inputFields: [
      {
        key: 'event',
        label: 'Event',
        required: true,
        dynamic: 'events_to_hear_of.id.name',
        helpText: 'Events that may not be read through any keyspace of the API key are not offered.',
      },
    ],
    sample: {
      ...common,
      type: 'event.received',
      event: {
        id: '019a0000-0000-7000-8000-000000000001',
        discriminator: 'com.beaconry.events.transaction.custom-order-placed-i76id1rodz',
        name: 'Order placed',
        version_id: 'ecb0ca04-8866-42ef-86ad-e40539ed37a1',
        version: 1,
        event_time: '2026-11-23T12:00:00.000Z',
        received_at: '2026-11-23T12:00:00.500Z',
        data: { source: 'Website', orderid: 'A-17', total: 1299.5 },
      },
    },
    outputFields: [
      { key: 'event__name', label: 'Event' },
      { key: 'event__version', label: 'Version', type: 'integer' },
      { key: 'event__event_time', label: 'When it happened', type: 'datetime' },
      ...profileFields,
      fields,
    ],
  }),
};
