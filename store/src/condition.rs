//! Whether events can be stored, as the threads that write find it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::ErrorCode;

use crate::writer::AppendError;

/// Shared by the threads that write and those who ask.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    /// Why nothing is written any more.
    broken: OnceLock<String>,
    /// The last write found no room.
    full: AtomicBool,
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
            eprintln!("store: there is room on the disk again; events are accepted");
        }
    }

    /// Notes why a write of this database failed, and says so once.
    ///
    /// A full disk heals. After any other failure of the disk nobody knows what it holds (a failed fsync may have dropped
    /// pages that later ones count on), so nothing is acknowledged any more.
    pub(crate) fn failed(&self, database: &str, error: &rusqlite::Error) -> AppendError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => {
                if !self.full.swap(true, Ordering::AcqRel) {
                    eprintln!(
                        "store: the disk is full ({database}); nothing is accepted until there is room"
                    );
                }
                AppendError::Full
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => AppendError::Busy,
            _ => {
                let why = self.broken.get_or_init(|| {
                    eprintln!(
                        "store: writing {database} failed ({error}); nothing is accepted any more, restart once that is mended"
                    );
                    format!("{database}: {error}")
                });
                AppendError::Broken(why.clone())
            }
        }
    }
}
