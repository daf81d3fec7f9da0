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
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode};

use crate::condition::Condition;
use crate::schema::Database;

/// A connection that may write. The last one to close has all of the WAL written back, unless that has failed before.
#[derive(Debug)]
pub(crate) struct Writable {
    connection: Connection,
    /// Whether the WAL must stay.
    failed: Arc<AtomicBool>,
    /// Where it says that a disk failed, the WAL must stay, too.
    condition: Option<Arc<Condition>>,
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
        let mut writable = Writable { connection, failed: Arc::default(), condition: None };
        writable.watch(pages, on_failure)?;
        Ok(writable)
    }

    /// The same for the thread that writes a database: once the disk fails, nothing is accepted any more.
    pub(crate) fn watch_for(
        &mut self,
        condition: &Arc<Condition>,
        database: &Database,
        pages: c_int,
    ) -> Result<(), rusqlite::Error> {
        self.heed(condition);
        let (name, condition) = (database.name, condition.clone());
        self.watch(pages, move |error| {
            condition.failed(name, error);
        })
    }

    fn watch(
        &mut self,
        pages: c_int,
        mut on_failure: impl FnMut(&rusqlite::Error) + Send + 'static,
    ) -> Result<(), rusqlite::Error> {
        let has_failed = self.failed.clone();
        let write_back = move |wal: &mut Wal, ahead| {
            if ahead >= pages
                && !has_failed.load(Ordering::Relaxed)
                && let Err(error) = wal.checkpoint()
                && !passes(&error)
            {
                has_failed.store(true, Ordering::Relaxed);
                on_failure(&error);
            }
            let failed = has_failed.load(Ordering::Relaxed);
            if failed { Err(rusqlite::Error::InvalidQuery) } else { Ok(()) }
        };
        self.connection.wal_hook(Some(write_back))
    }

    /// Leaves the WAL as it is, in closing too, once anything else of the same store has failed: that may have been another
    /// connection, writing back this one's commits.
    pub(crate) fn heed(&mut self, condition: &Arc<Condition>) {
        self.condition = Some(condition.clone());
    }

    fn may_let_go(&self) -> bool {
        let broken = self.condition.as_ref().is_some_and(|condition| condition.broken().is_some());
        !broken && !self.failed.load(Ordering::Relaxed)
    }
}

impl Drop for Writable {
    fn drop(&mut self) {
        if self.may_let_go() {
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
