// The keyspaces to choose from.
'use strict';

const { choices } = require('../lib/api');

module.exports = {
  key: 'keyspaces',
  noun: 'Keyspace',
  display: { label: 'Keyspace', description: 'The keyspaces that the API key is for.', hidden: true },
  operation: { perform: (z, bundle) => choices(z, bundle, '/audience/keyspaces') },
};
