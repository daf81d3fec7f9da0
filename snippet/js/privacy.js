// Whether a visitor lets events go: the page's consent, and the browser's Global Privacy Control, which no consent lifts.

// As the generator writes them: consent that is not required, and what happens to events before it.
const HOLD = 1;

// What `beaconry.consent()` said last.
let said;

// With settings that require consent, it must have been given; otherwise it must not have been refused.
export const allowed = required => !navigator.globalPrivacyControl && (said ?? !required);

// Whether events are to wait for an answer.
export const undecided = required => required == HOLD && said == null && !navigator.globalPrivacyControl;

export const say = consent => {
  said = consent;
};
