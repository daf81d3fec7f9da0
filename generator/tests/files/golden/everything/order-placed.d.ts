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
    /** A time stamp like 2026-03-01T12:00:00Z. */
    paid?: string | null;
    /** Filled in from the page where it is not given. */
    campaign?: string | null;
    /** Filled in from the page where it is not given. */
    note?: string | null;
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
