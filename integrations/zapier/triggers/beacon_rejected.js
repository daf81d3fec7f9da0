// Beacon Rejected: a web site sent what does not fit, and it lies in quarantine.
'use strict';

const { common, operation, profileFields } = require('../lib/hooks');

module.exports = {
  key: 'beacon_rejected',
  noun: 'Rejected Beacon',
  display: {
    label: 'Beacon Rejected',
    description: 'Triggers when a beacon of a web site is turned away and kept in quarantine, with the reason.',
  },
  operation: operation({
    name: 'Beacon Rejected',
    topic: ({ event }) => (event ? { type: 'beacon.rejected', event } : { type: 'beacon.rejected' }),
    inputFields: [
      {
        key: 'event',
        label: 'Event',
        dynamic: 'events_to_hear_of.id.name',
        helpText: 'Any event of the section, where none is chosen.',
      },
    ],
    sample: {
      ...common,
      type: 'beacon.rejected',
      beacon: {
        number: 17,
        id: '019a0000-0000-7000-8000-000000000002',
        discriminator: 'com.beaconry.events.transaction.custom-order-placed-i76id1rodz',
        name: 'Order placed',
        version: 1,
        event_time: '2026-11-23T12:00:00.000Z',
        received_at: '2026-11-23T12:00:00.500Z',
        url: 'https://shop.example/checkout',
        code: 'invalid_fields',
        detail: 'total: expected a finite number, got the text "12"',
        errors: [{ field: 'total', code: 'wrong_type', detail: 'expected a finite number, got the text "12"' }],
        data: { source: 'Website', orderid: 'A-17', total: '12' },
      },
    },
    outputFields: [
      { key: 'beacon__name', label: 'Event' },
      { key: 'beacon__code', label: 'Reason' },
      { key: 'beacon__detail', label: 'Reason in words' },
      { key: 'beacon__url', label: 'Page' },
      { key: 'beacon__version', label: 'Version', type: 'integer' },
      { key: 'beacon__received_at', label: 'When it arrived', type: 'datetime' },
      ...profileFields,
    ],
  }),
};
