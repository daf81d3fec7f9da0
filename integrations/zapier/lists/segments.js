// The segments of a section to choose from; broken ones are not evaluated, so they are not offered.
'use strict';

const { choices } = require('../lib/api');

module.exports = {
  key: 'segments',
  noun: 'Segment',
  display: { label: 'Segment', description: 'The segments of a section.', hidden: true },
  operation: {
    inputFields: [{ key: 'section' }],
    perform: async (z, bundle) =>
      (await choices(z, bundle, '/audience/segments')).filter(
        (one) => one.section_discriminator === bundle.inputData.section && !one.broken,
      ),
  },
};
