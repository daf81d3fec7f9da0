//! Everything the domain can refuse, as a closed list with one message each.

use alloc::string::String;
use core::fmt;

use crate::time::Timestamp;

/// What is wrong with a definition or its tracking settings. The message names the thing, what was expected and what came.
#[derive(Clone, Debug, PartialEq)]
pub struct Invalid {
    /// The thing, as the person who wrote it knows it: `field "total"`, `retention`.
    pub thing: String,
    /// What was expected, as a phrase that follows "expected".
    pub expected: &'static str,
    /// What came.
    pub got: String,
}

impl Invalid {
    /// An error that names the thing, what was expected and what came.
    pub fn new(
        thing: impl Into<String>,
        expected: &'static str,
        got: impl Into<String>,
    ) -> Invalid {
        Invalid { thing: thing.into(), expected, got: got.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.thing, self.expected, self.got)
    }
}

impl core::error::Error for Invalid {}

/// Why a change to an event was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The definition or the settings are not valid.
    Invalid(Invalid),
    /// The fields were changed less than an hour ago.
    Locked {
        /// When the event can be edited again.
        until: Timestamp,
    },
    /// A new version is pending, so nothing can be pinned yet.
    Pending {
        /// The version that waits.
        version: u32,
        /// When it becomes current.
        until: Timestamp,
    },
    /// The event is hidden, for good.
    Hidden,
    /// The fields are the same as before.
    Unchanged {
        /// The version that has these fields already.
        version: u32,
    },
    /// Web tracking is on already.
    AlreadyOn {
        /// The version it is pinned to.
        pinned: u32,
    },
    /// Web tracking is off.
    TrackingOff,
    /// Nothing waits for a pending version.
    NothingScheduled,
    /// Somebody else saved since what is to be saved was read.
    Overtaken,
    /// Another visible event of the section has this slug.
    SlugTaken {
        /// The slug that both names give.
        slug: String,
    },
}

impl Refusal {
    /// The stable code of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            Refusal::Invalid(_) => "invalid",
            Refusal::Locked { .. } => "locked",
            Refusal::Pending { .. } => "pending",
            Refusal::Hidden => "hidden",
            Refusal::Unchanged { .. } => "unchanged",
            Refusal::AlreadyOn { .. } => "already_on",
            Refusal::TrackingOff => "tracking_off",
            Refusal::NothingScheduled => "nothing_scheduled",
            Refusal::Overtaken => "overtaken",
            Refusal::SlugTaken { .. } => "slug_taken",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Invalid(invalid) => invalid.fmt(f),
            Refusal::Locked { until } => write!(
                f,
                "the event is locked until {until}, because its fields were changed less than an hour ago; \
                 edit it after that"
            ),
            Refusal::Pending { version, until } => write!(
                f,
                "version {version} is pending until {until} and cannot be pinned yet; \
                 try again after that, or schedule it with --when-ready"
            ),
            Refusal::Hidden => {
                f.write_str("the event is hidden, which cannot be undone; create a new event")
            }
            Refusal::Unchanged { version } => {
                write!(
                    f,
                    "the fields are the same as version {version}'s, so no new version was made"
                )
            }
            Refusal::AlreadyOn { pinned } => write!(
                f,
                "web tracking is on already, pinned to version {pinned}; regenerate the snippet to move the pin"
            ),
            Refusal::TrackingOff => f.write_str("web tracking is off; enable it first"),
            Refusal::NothingScheduled => f.write_str(
                "nothing is scheduled; what was may have been done already, so look at the tracking",
            ),
            Refusal::Overtaken => f.write_str(
                "somebody else saved meanwhile, so nothing was saved; look at what they saved, then save again",
            ),
            Refusal::SlugTaken { slug } => write!(
                f,
                "the section has a visible event with the slug \"{slug}\" already; choose another name, or hide that event"
            ),
        }
    }
}

impl core::error::Error for Refusal {}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Refusal {
        Refusal::Invalid(invalid)
    }
}
