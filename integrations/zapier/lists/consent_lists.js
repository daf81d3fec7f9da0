// The consent lists of a section to choose from.
'use strict';

const { choices, part } = require('../lib/api');

module.exports = {
  key: 'consent_lists',
  noun: 'Consent List',
  display: { label: 'Consent List', description: 'The consent lists of a section.', hidden: true },
  operation: {
    inputFields: [{ key: 'section' }],
    perform: (z, bundle) =>
      bundle.inputData.section
        ? choices(z, bundle, `/audience/sections/${part(bundle.inputData.section)}/consent-lists`)
        : [],
  },
};
