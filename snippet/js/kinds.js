// The kinds of notes that the engine makes for the debug file.
export const CAPTURED = 0;
export const REFUSED = 1;
export const HELD = 2;
export const NO_CONSENT = 3;
export const CONSENT = 4;
export const SENT = 5;
export const REJECTED = 6;
export const RETRY = 7;
export const DROPPED = 8;
export const CANCELLED = 9;
export const UNKNOWN = 10;
export const UNREADABLE = 11;
export const NO_WASM = 12;
export const FAILED = 13;
