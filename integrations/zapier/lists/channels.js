// The channels to choose from.
'use strict';

const { choices } = require('../lib/api');

module.exports = {
  key: 'channels',
  noun: 'Channel',
  display: { label: 'Channel', description: 'The ways to reach people.', hidden: true },
  operation: { perform: (z, bundle) => choices(z, bundle, '/audience/channels') },
};
