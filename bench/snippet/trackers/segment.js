// Segment as a page would bundle it: its settings are in the bundle instead of fetched, and nothing is batched.
import { AnalyticsBrowser } from '@segment/analytics-next';
import { ORDER } from '../order.js';

const { host, protocol } = new URL(ENDPOINT);
const segment = { apiKey: 'bench', apiHost: `${host}/v1`, protocol: protocol.slice(0, -1) };

AnalyticsBrowser.load(
  { writeKey: 'bench', cdnURL: ENDPOINT, cdnSettings: { integrations: { 'Segment.io': segment } } },
  { initialPageview: false, integrations: { 'Segment.io': segment } },
).track('Order placed', ORDER);
