// Jitsu as a page would bundle it: it sends each event at once anyway.
import { jitsuAnalytics } from '@jitsu/js';
import { ORDER } from '../order.js';

jitsuAnalytics({ host: ENDPOINT, writeKey: 'bench:key' }).track('Order placed', ORDER);
