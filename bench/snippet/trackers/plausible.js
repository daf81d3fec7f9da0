// Plausible as a page would bundle it: no page views, and allowed on this machine's own address.
import { init, track } from '@plausible-analytics/tracker';
import { ORDER } from '../order.js';

init({ domain: 'shop.example', endpoint: `${ENDPOINT}/api/event`, autoCapturePageviews: false, captureOnLocalhost: true });
track('Order placed', { props: ORDER });
