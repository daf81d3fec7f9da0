// What the two triggers about segments have in common.
'use strict';

const { common, operation, profileFields } = require('../lib/hooks');

const segment = ({ key, label, type, does }) => ({
  key,
  noun: 'Profile',
  display: { label, description: `Triggers when a profile ${does} a segment.` },
  operation: operation({
    name: label,
    topic: (inputData) => ({ type, segment: inputData.segment }),
    inputFields: [
      {
        key: 'segment',
        label: 'Segment',
        required: true,
        dynamic: 'segments.id.name',
        helpText: 'Segments are made in Beaconry. Who is in one already when the Zap is switched on does not trigger it.',
      },
    ],
    sample: {
      ...common,
      type,
      segment: {
        discriminator: 'com.beaconry.segments.bought-lately-0123456789',
        name: 'Bought lately',
        at: '2026-11-23T12:00:00.000Z',
      },
    },
    outputFields: [
      { key: 'segment__name', label: 'Segment' },
      { key: 'segment__at', label: 'When', type: 'datetime' },
      ...profileFields,
    ],
  }),
});

module.exports = { segment };
