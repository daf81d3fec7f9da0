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
  /** A stable code: "missing_field", "unexpected_field", "wrong_type", "too_long", "not_allowed", "out_of_range", "too_large", "stale_version", "no_consent". */
  code: string;
  expected?: string;
  got?: unknown;
}

interface Beaconry {
  /** Whether the visitor agrees. Nothing is remembered: call it on each page. A refusal forgets what was not yet sent. */
  consent(given: boolean): void;
  /** Says who the visitor is, by a token that the site's back end signed. Call it on each page, as early as you can. */
  identify(token: string): void;
  /** Clears everything that is kept in this browser. */
  forget(): void;
  /** Says in the browser's console what happens, in this tab, until it is switched off. */
  debug(on?: boolean): void;
}

declare var beaconry: Beaconry;

interface Window {
  beaconry: Beaconry;
}
