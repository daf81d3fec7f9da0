// Types of the event "Order placed" (Shop), version 1. Made by Beaconry; regenerate instead of editing.

interface Beaconry {
  /** Records "Order placed", version 1. The promise says whether its data fits; sending goes on by itself. */
  track(event: "order-placed", data?: {
    /** Filled in from the page where it is not given. */
    source?: string | null;
    /** At most 40 characters. Filled in from the page where it is not given. */
    orderid?: string | null;
    /** At least 0. At most 1000000000000000000000. Filled in from the page where it is not given. */
    total?: number | null;
    /** An integer. At least -1. Filled in from the page where it is not given. */
    items?: number | null;
    currency?: "SEK" | "EUR" | "\u003c/script>" | null;
    /** Filled in from the page where it is not given. */
    gift?: boolean | null;
    /** A date like 2026-03-01. Filled in from the page where it is not given. */
    delivery?: string | null;
    /** A time stamp like 2026-03-01T12:00:00Z. Filled in from the page where it is not given. */
    paid?: string | null;
    /** Filled in from the page where it is not given. */
    campaign?: string | null;
    /** Filled in from the page where it is not given. */
    segment?: string | null;
    /** Filled in from the page where it is not given. */
    sku?: string | null;
    /** Filled in from the page where it is not given. */
    about?: string | null;
    /** Filled in from the page where it is not given. */
    price?: number | null;
    /** Filled in from the page where it is not given. */
    brand?: string | null;
    /** Filled in from the page where it is not given. */
    item?: string | null;
    /** Filled in from the page where it is not given. */
    title?: string | null;
    /** Filled in from the page where it is not given. */
    address?: string | null;
    /** Filled in from the page where it is not given. */
    referrer?: string | null;
    /** Filled in from the page where it is not given. */
    note?: string | null;
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
