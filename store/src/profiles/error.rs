//! Why something could not be done with a profile.

use std::fmt;

use beaconry_model::data::FieldError;
use beaconry_model::error::Invalid;
use beaconry_model::post::{ItemCode, ItemError};

use crate::error::StoreError;
use crate::writer::AppendError;

/// Why something could not be done with a profile. One status of the API each.
#[derive(Debug)]
pub enum ProfileError {
    /// There is no such profile (404).
    NotFound,
    /// The person was erased and locked for good (409).
    Locked,
    /// The request is wrong (400).
    Invalid(Invalid),
    /// The body is not of the right shape (400).
    Body(String),
    /// Items of a post are wrong (400, or 403 where all are of [`ItemCode::NotAllowed`]); nothing of it was kept.
    Items(Vec<ItemError>),
    /// The item at this place is not what was stored under the same `Idempotency-Key` (409); nothing of the request was kept.
    Reused(usize),
    /// Values of attributes are wrong (400); nothing of the request was kept.
    Values(Vec<FieldError>),
    /// More waits to be written than is allowed to (503, try again).
    Busy,
    /// The disk is full, or failed (503).
    NotDurable(String),
    /// The store failed, or has no such section or definition.
    Store(StoreError),
}

impl ProfileError {
    /// Whether it is about what the event's allowed operations forbid, and nothing else.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, ProfileError::Items(items) if items.iter().all(|item| item.code == ItemCode::NotAllowed))
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProfileError::NotFound => f.write_str(
                "profile: there is none with this key; create it by setting an attribute or by a merge",
            ),
            ProfileError::Locked => {
                f.write_str("profile: this person was erased and locked for good, and is never taken again")
            }
            ProfileError::Invalid(invalid) => invalid.fmt(f),
            ProfileError::Body(why) => f.write_str(why),
            ProfileError::Items(items) => {
                let details: Vec<&str> = items.iter().map(|item| item.detail.as_str()).collect();
                f.write_str(&details.join("; "))
            }
            ProfileError::Reused(place) => write!(
                f,
                "Idempotency-Key: expected a new one for another body; items[{place}] is not what was stored under this key"
            ),
            ProfileError::Values(values) => {
                let details: Vec<String> = values
                    .iter()
                    .map(|error| format!("{}: expected {}, got {}", error.field, error.expected, error.got))
                    .collect();
                f.write_str(&details.join("; "))
            }
            ProfileError::Busy => AppendError::Busy.fmt(f),
            ProfileError::NotDurable(why) => f.write_str(why),
            ProfileError::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProfileError {}

impl From<StoreError> for ProfileError {
    fn from(error: StoreError) -> ProfileError {
        ProfileError::Store(error)
    }
}

impl From<rusqlite::Error> for ProfileError {
    fn from(error: rusqlite::Error) -> ProfileError {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => {
                ProfileError::NotDurable(AppendError::Full.to_string())
            }
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                ProfileError::Busy
            }
            _ => ProfileError::Store(StoreError::Sqlite(error)),
        }
    }
}

impl From<Invalid> for ProfileError {
    fn from(invalid: Invalid) -> ProfileError {
        ProfileError::Invalid(invalid)
    }
}

impl From<AppendError> for ProfileError {
    fn from(error: AppendError) -> ProfileError {
        match error {
            AppendError::Busy => ProfileError::Busy,
            AppendError::Full | AppendError::Broken(_) => {
                ProfileError::NotDurable(error.to_string())
            }
        }
    }
}
