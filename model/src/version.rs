//! The versions of an event's fields, and which of them is pending, current or deprecated at a moment.

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::error::{Invalid, Refusal};
use crate::fields::Fields;
use crate::names::VersionId;
use crate::time::{HOUR_MS, Timestamp};

/// How long an edit locks the event and keeps its new version pending, in milliseconds: one hour.
pub const LOCK_MS: i64 = HOUR_MS;

/// One version of an event's fields. Never changed once made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Opaque and unique.
    pub id: VersionId,
    /// 1, 2, 3 …
    pub number: u32,
    /// What the version asks of data.
    pub fields: Fields,
    /// When it was saved.
    pub saved_at: Timestamp,
}

impl Version {
    /// When it can be used: at once for the first, an hour after saving for those that an edit made.
    pub fn usable_from(&self) -> Timestamp {
        if self.number == 1 { self.saved_at } else { self.saved_at.plus(LOCK_MS) }
    }
}

/// Where a version stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VersionState {
    /// Saved less than an hour ago; cannot be used yet.
    Pending,
    /// The one to use.
    Current,
    /// Replaced by a later one.
    Deprecated,
}

impl VersionState {
    /// The word people see.
    pub const fn word(self) -> &'static str {
        match self {
            VersionState::Pending => "pending",
            VersionState::Current => "current",
            VersionState::Deprecated => "deprecated",
        }
    }
}

/// All versions of one event: at least one, numbered 1, 2, 3 …, each saved only after the one before could be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Version>", into = "Vec<Version>")]
pub struct Versions(Vec<Version>);

impl Versions {
    /// The versions of a new event.
    pub(crate) fn first(id: VersionId, fields: Fields, now: Timestamp) -> Versions {
        Versions(vec![Version { id, number: 1, fields, saved_at: now }])
    }

    /// Makes the next version, which is pending for an hour, unless the last one still is.
    pub(crate) fn save(
        &mut self,
        id: VersionId,
        fields: Fields,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if let Some(until) = self.locked_until(now) {
            return Err(Refusal::Locked { until });
        }
        let last = self.last();
        if last.fields == fields {
            return Err(Refusal::Unchanged { version: last.number });
        }
        let number = last.number + 1;
        // A clock that was set back must not put a version before the one it follows.
        let saved_at = now.max(last.usable_from());
        self.0.push(Version { id, number, fields, saved_at });
        Ok(())
    }

    /// Each version, oldest first.
    pub fn iter(&self) -> core::slice::Iter<'_, Version> {
        self.0.iter()
    }

    /// The version with this number.
    pub fn get(&self, number: u32) -> Option<&Version> {
        self.0.get(number.checked_sub(1)? as usize)
    }

    /// The newest version, pending or not.
    pub fn last(&self) -> &Version {
        &self.0[self.0.len() - 1]
    }

    /// The version to use at this moment: the last one whose hour has passed.
    pub fn current(&self, now: Timestamp) -> &Version {
        self.0.iter().rev().find(|version| version.usable_from() <= now).unwrap_or(&self.0[0])
    }

    /// The version that waits for its hour to pass.
    pub fn pending(&self, now: Timestamp) -> Option<&Version> {
        Some(self.last()).filter(|last| last.number > self.current(now).number)
    }

    /// Until when the fields cannot be edited; `None` where they can.
    pub fn locked_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.pending(now).map(Version::usable_from)
    }

    /// Where this version stands.
    pub fn state(&self, version: &Version, now: Timestamp) -> VersionState {
        match version.number.cmp(&self.current(now).number) {
            core::cmp::Ordering::Less => VersionState::Deprecated,
            core::cmp::Ordering::Equal => VersionState::Current,
            core::cmp::Ordering::Greater => VersionState::Pending,
        }
    }

    /// Since when this version is deprecated; `None` where it is not.
    pub fn deprecated_at(&self, version: &Version, now: Timestamp) -> Option<Timestamp> {
        let next = self.get(version.number + 1)?;
        (self.state(version, now) == VersionState::Deprecated).then(|| next.usable_from())
    }
}

impl TryFrom<Vec<Version>> for Versions {
    type Error = Invalid;

    fn try_from(versions: Vec<Version>) -> Result<Versions, Invalid> {
        let numbered = versions.iter().zip(1..).all(|(version, number)| version.number == number);
        let apart = versions.windows(2).all(|pair| pair[1].saved_at >= pair[0].usable_from());
        if versions.is_empty() || !numbered || !apart {
            return Err(Invalid::new(
                "versions",
                "numbers 1, 2, 3 …, each saved after the one before could be used",
                "something else",
            ));
        }
        Ok(Versions(versions))
    }
}

impl From<Versions> for Vec<Version> {
    fn from(versions: Versions) -> Vec<Version> {
        versions.0
    }
}
