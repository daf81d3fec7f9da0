//! Whether events can be stored, as the threads that write find it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::ErrorCode;

use crate::writer::AppendError;

/// How often a disk is called full at the most: one with little room is full and not full many times a second.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// Shared by the threads that write and those who ask.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    /// Why nothing is written any more.
    broken: OnceLock<String>,
    /// The last write found no room.
    full: AtomicBool,
    /// When it was said last that the disk is full.
    said: Mutex<Option<Instant>>,
}

impl Condition {
    /// What keeps events from being stored.
    pub(crate) fn check(&self) -> Result<(), AppendError> {
        match self.broken.get() {
            Some(why) => Err(AppendError::Broken(why.clone())),
            None if self.is_full() => Err(AppendError::Full),
            None => Ok(()),
        }
    }

    /// Whether nothing is written any more until a restart.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.get().is_some()
    }

    pub(crate) fn broken(&self) -> Option<AppendError> {
        self.broken.get().cloned().map(AppendError::Broken)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::Acquire)
    }

    /// Notes that there is room.
    pub(crate) fn wrote(&self) {
        if self.full.load(Ordering::Relaxed) {
            self.full.store(false, Ordering::Release);
        }
    }

    fn say_full(&self, database: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|said| said.elapsed() >= SAY_AGAIN) {
            *said = Some(Instant::now());
            tracing::error!(
                %database,
                "the disk is full; what finds no room is answered with 503, and accepted again once there is some"
            );
        }
    }

    /// Notes why a write of this database failed, and says so once.
    ///
    /// A full disk heals. After any other failure of the disk nobody knows what it holds (a failed fsync may have dropped
    /// pages that later ones count on), so nothing is acknowledged any more.
    pub(crate) fn failed(&self, database: &str, error: &rusqlite::Error) -> AppendError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => {
                self.full.store(true, Ordering::Release);
                self.say_full(database);
                AppendError::Full
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => AppendError::Busy,
            _ => {
                let why = self.broken.get_or_init(|| {
                    tracing::error!(
                        %database,
                        %error,
                        "writing failed; nothing is accepted any more, restart once that is mended"
                    );
                    format!("{database}: {error}")
                });
                AppendError::Broken(why.clone())
            }
        }
    }
}
