// Snowplow as a page would bundle it: one self-describing event, sent at once, no context of its own and no probing for a
// root domain.
import { newTracker, trackSelfDescribingEvent } from '@snowplow/browser-tracker';
import { ORDER } from '../order.js';

newTracker('sp', ENDPOINT, {
  appId: 'shop',
  bufferSize: 1,
  encodeBase64: false,
  keepalive: true,
  contexts: { webPage: false },
  discoverRootDomain: false,
});
trackSelfDescribingEvent({ event: { schema: 'iglu:example.shop/order_placed/jsonschema/1-0-0', data: ORDER } });
