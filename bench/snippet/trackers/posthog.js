// PostHog as a page would bundle it at its smallest: the slim build, and everything that is not this event switched off.
import posthog from 'posthog-js/dist/module.slim.no-external';
import { ORDER } from '../order.js';

posthog.init('bench', {
  api_host: ENDPOINT,
  request_batching: false,
  disable_compression: true,
  advanced_disable_flags: true,
  advanced_disable_decide: true,
  disable_external_dependency_loading: true,
  autocapture: false,
  rageclick: false,
  capture_pageview: false,
  capture_pageleave: false,
  capture_heatmaps: false,
  capture_dead_clicks: false,
  capture_exceptions: false,
  capture_performance: false,
  disable_session_recording: true,
  disable_surveys: true,
  disable_product_tours: true,
  disable_conversations: true,
  disable_web_experiments: true,
  disable_scroll_properties: true,
  person_profiles: 'identified_only',
  // It drops what a browser under remote control sends.
  opt_out_useragent_filter: true,
});
posthog.capture('Order placed', ORDER);
