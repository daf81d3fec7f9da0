// Types of the event "Newsletter signed up" (Shop), version 1. Made by Beaconry; regenerate instead of editing.

interface Beaconry {
  /** Records "Newsletter signed up", version 1. The promise says whether its data fits; sending goes on by itself. */
  track(event: "newsletter-signed-up", data?: {
    /** Filled in from the page where it is not given. */
    source?: string | null;
  }): Promise<{ ok: true } | { ok: false; errors: BeaconryFieldError[] }>;
}

/** What is wrong with one field, or with the whole event where `field` is empty. */
interface BeaconryFieldError {
  field: string;
  /** A stable code: "missing_field", "unexpected_field", "wrong_type", "too_long", "not_allowed", "out_of_range", "too_large", "stale_version". */
  code: string;
  expected?: string;
  got?: unknown;
}

declare var beaconry: Beaconry;

interface Window {
  beaconry: Beaconry;
}
