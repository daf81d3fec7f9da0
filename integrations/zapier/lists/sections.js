// The sections to choose from.
'use strict';

const { choices } = require('../lib/api');

module.exports = {
  key: 'sections',
  noun: 'Section',
  display: { label: 'Section', description: 'The sections that the API key is for.', hidden: true },
  operation: { perform: (z, bundle) => choices(z, bundle, '/audience/sections') },
};
