// Beaconry as a Zapier app: what a Zap can do with events, profiles and consents.
'use strict';

const core = require('zapier-platform-core');
const { authentication, withToken } = require('./authentication');
const { refused } = require('./lib/api');

const byKey = (...parts) => Object.fromEntries(parts.map((part) => [part.key, part]));

module.exports = {
  version: require('./package.json').version,
  platformVersion: core.version,
  authentication,
  beforeRequest: [withToken],
  afterResponse: [refused],
  // Numbers stay numbers, and what was left empty is left out.
  flags: { cleanInputData: false },
  triggers: byKey(
    require('./lists/sections'),
    require('./lists/keyspaces'),
    require('./lists/events'),
    require('./lists/channels'),
    require('./lists/consent_lists'),
    require('./lists/topics'),
    require('./lists/segments'),
    require('./lists/events_to_hear_of'),
    require('./triggers/event_received'),
    require('./triggers/beacon_rejected'),
    require('./triggers/entered_segment'),
    require('./triggers/left_segment'),
  ),
  creates: byKey(
    require('./creates/post_event'),
    require('./creates/profile'),
    require('./creates/consent'),
  ),
};
