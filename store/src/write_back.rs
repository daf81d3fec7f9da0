//! Writing commits back from the write-ahead log into their database, because SQLite would do so by itself, but tell nobody
//! where the disk fails at it, and go on as if it had not.
//!
//! What was committed is safe in the WAL until all of it is written back and synced; then the WAL begins anew. But SQLite
//! syncs the database only where it reaches the WAL's end. Pages that it wrote before, while somebody read or wrote on, count
//! as written back all the same, and a sync that fails loses them with the others: Linux takes them for clean, and no later
//! sync tries again. The next one that succeeds would let go of the only good copy. So after the first failure nothing is
//! written back any more, not even in closing: the next start reads the WAL from its beginning and writes all of it anew.

use std::ffi::c_int;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode};

use crate::condition::Condition;
use crate::schema::Database;

/// A connection that may write. The last one to close has all of the WAL written back, unless that has failed before.
#[derive(Debug)]
pub(crate) struct Writable {
    connection: Connection,
    failures: Arc<Failures>,
}

/// What says that the WAL may hold the only good copy of something.
#[derive(Debug, Default)]
struct Failures {
    /// Of this connection.
    mine: AtomicBool,
    /// Of any connection of the same store: that may have been one that wrote back this one's commits.
    all: OnceLock<Arc<Condition>>,
}

impl Failures {
    /// Whether the WAL must stay as it is.
    fn any(&self) -> bool {
        self.mine.load(Ordering::Relaxed)
            || self.all.get().is_some_and(|condition| condition.is_broken())
    }
}

impl Writable {
    /// Has what this connection commits written back whenever the WAL is so many pages ahead, and calls `on_failure` where the
    /// disk fails at that. That commit, although it is on disk itself, and every later one end with an error (SQLite's, which
    /// does not say what failed). A full disk and somebody who reads are no failures: it is tried again after the next commit.
    pub(crate) fn new(
        connection: Connection,
        pages: c_int,
        on_failure: impl FnMut(&rusqlite::Error) + Send + 'static,
    ) -> Result<Writable, rusqlite::Error> {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        let mut writable = Writable { connection, failures: Arc::default() };
        writable.watch(pages, on_failure)?;
        Ok(writable)
    }

    /// The same for a store that runs: once the disk fails, nothing is accepted any more, and no connection writes back.
    pub(crate) fn watch_for(
        &mut self,
        condition: &Arc<Condition>,
        database: &Database,
        pages: c_int,
    ) -> Result<(), rusqlite::Error> {
        let all = self.failures.all.get_or_init(|| condition.clone()).clone();
        let name = database.name;
        self.watch(pages, move |error| {
            all.failed(name, error);
        })
    }

    fn watch(
        &mut self,
        pages: c_int,
        mut on_failure: impl FnMut(&rusqlite::Error) + Send + 'static,
    ) -> Result<(), rusqlite::Error> {
        let failures = self.failures.clone();
        let write_back = move |wal: &mut Wal, ahead| {
            if ahead >= pages
                && !failures.any()
                && let Err(error) = wal.checkpoint()
                && !passes(&error)
            {
                failures.mine.store(true, Ordering::Relaxed);
                on_failure(&error);
            }
            if failures.any() { Err(rusqlite::Error::InvalidQuery) } else { Ok(()) }
        };
        self.connection.wal_hook(Some(write_back))
    }
}

impl Drop for Writable {
    fn drop(&mut self) {
        if !self.failures.any() {
            // Where this cannot be set, the WAL stays, and the next start writes it back.
            let close = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            let _ = self.connection.set_db_config(close, false);
        }
    }
}

impl Deref for Writable {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Writable {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

fn passes(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Brings what an earlier process left in the WAL into the database itself. It may have ended because a sync failed, and
/// then the pages that this process can read are not all on disk, and never will be unless they are written anew. Where
/// somebody reads for longer than ten seconds, some stays until the next time; says whether some does.
pub(crate) fn write_out(connection: &Connection) -> Result<bool, rusqlite::Error> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::folder::Folder;
    use crate::schema::REGISTRY;

    #[test]
    fn where_one_connection_failed_none_lets_go_of_a_wal() {
        for fails in [false, true] {
            let place = tempfile::tempdir().unwrap();
            let (folder, condition) = (Folder::open(place.path()).unwrap(), Arc::default());
            let writable = REGISTRY.open_for(&folder, &condition).unwrap();
            if fails {
                condition.failed("events.db", &rusqlite::Error::InvalidQuery);
            }
            let committed = writable.execute_batch("INSERT INTO settings VALUES ('a', 'b')");
            assert_eq!(committed.is_err(), fails);
            drop(writable);
            let wal = fs::metadata(place.path().join("registry.db-wal"));
            assert_eq!(wal.is_ok_and(|wal| wal.len() > 0), fails);
        }
    }
}
