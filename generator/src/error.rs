//! Everything the generator can refuse.

use std::fmt;

/// Why no snippet can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Web tracking is off, so nothing is pinned.
    TrackingOff {
        /// The event's slug.
        event: String,
    },
    /// The collector's address is none that a page can reach.
    Address {
        /// What came.
        got: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::TrackingOff { event } => write!(
                f,
                "snippet of \"{event}\": expected web tracking to be on, got off; \
                 run `beaconry tracking enable {event}` first"
            ),
            Error::Address { got } => write!(
                f,
                "public URL of the collector: expected one like https://collect.shop.example, got \"{got}\""
            ),
        }
    }
}

impl std::error::Error for Error {}
