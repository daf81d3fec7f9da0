//! The fixed sentence for each word people see: what it means, and what to do next.

use beaconry_model::category::Category;
use beaconry_model::version::VersionState;
use beaconry_model::wire::Code;

/// A pasted snippet that carries an older version or older settings.
pub(super) const OUTDATED: &str = "Outdated: the pasted snippet carries an older version or older settings. It still works; \
                                   regenerate it, and paste the new code.";
/// A beacon of a version older than the pinned one.
pub(super) const STALE: &str = "Stale: a beacon whose version is older than the pinned one. Unless you chose otherwise it is \
                                kept in quarantine for up to 30 days; paste the new snippet, then replay what was kept.";
/// The version a snippet carries.
pub(super) const PINNED: &str = "Pinned: the snippet carries this version for as long as it is pasted. Only regenerating it \
                                 moves the pin.";

/// Events whose values no browser has checked.
pub(super) const UNCHECKED: &str = "Unchecked: WebAssembly did not run on that page, so the collector converted and checked \
                                    the values; nothing is lost. If the page has a Content-Security-Policy, add \
                                    'wasm-unsafe-eval' to its script-src.";

/// What a version's state means.
pub(super) const fn of_state(state: VersionState) -> &'static str {
    match state {
        VersionState::Pending => {
            "Pending: saved less than an hour ago. It cannot be used yet, and the version before it stays current; wait \
             until its hour has passed."
        }
        VersionState::Current => {
            "Current: the version to use. A snippet that you generate now is pinned to it."
        }
        VersionState::Deprecated => {
            "Deprecated: replaced by a later version. Events stored under it keep it; regenerate a snippet that still \
             carries it."
        }
    }
}

/// Why a beacon was turned away.
pub(super) const fn of_code(code: Code) -> &'static str {
    match code {
        Code::InvalidFields => "Data does not fit",
        Code::StaleVersion => "Stale",
        Code::UnknownVersion => "Version never published",
        Code::TrackingDisabled => "Tracking is off",
        Code::UnknownEvent => "Unknown event",
        Code::OriginNotAllowed => "Origin not allowed",
        Code::TooOld => "Too old",
        Code::TooLarge => "Too large",
        Code::MalformedEvent => "Not an event",
        Code::ProfileLocked => "Erased for good",
    }
}

/// What is wrong with a field, by its stable code.
pub(super) fn of_violation(code: &str) -> &str {
    match code {
        "missing_field" => "is missing",
        "unexpected_field" => "is not a field of the event",
        "wrong_type" => "is not of the field's type",
        "too_long" => "is too long",
        "not_allowed" => "is not one of the allowed values",
        "out_of_range" => "is out of range",
        other => other,
    }
}

/// What a folder is for, with two examples.
pub(super) const fn of_category(category: Category) -> (&'static str, &'static str) {
    match category {
        Category::Transactions => (
            "Transactions",
            "Something was bought or booked, like an order placed or a booking made.",
        ),
        Category::Conversions => (
            "Conversions",
            "Somebody moved on to a new state, like a visitor who became a customer or a loyalty tier upgraded.",
        ),
        Category::Signals => (
            "Signals",
            "Somebody showed interest, like a demo requested or a newsletter signed up for.",
        ),
    }
}
