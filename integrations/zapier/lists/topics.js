// The topics of a consent list to choose from.
'use strict';

const { choices, part } = require('../lib/api');

module.exports = {
  key: 'topics',
  noun: 'Topic',
  display: { label: 'Topic', description: 'The topics of a consent list.', hidden: true },
  operation: {
    inputFields: [{ key: 'section' }, { key: 'consent_list' }],
    perform: (z, bundle) => {
      const { section, consent_list } = bundle.inputData;
      return section && consent_list
        ? choices(z, bundle, `/audience/sections/${part(section)}/consent-lists/${part(consent_list)}/topics`)
        : [];
    },
  },
};
