//! Writing commits back from the write-ahead log into their database, because SQLite would do so by itself, but tell nobody
//! where the disk fails at it, and go on as if it had not.
//!
//! What was committed is safe in the WAL until all of it is written back and synced; then the WAL begins anew. But SQLite
//! syncs the database only where it reaches the WAL's end. Pages that it wrote before, while somebody read or wrote on, count
//! as written back all the same, and a sync that fails loses them with the others: Linux takes them for clean, and no later
//! sync tries again. The next one that succeeds would let go of the only good copy. So after the first failure nothing is
//! written back any more, not even in closing: the next start reads the WAL from its beginning and writes all of it anew.

use std::ffi::c_int;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode};

use crate::condition::Condition;
use crate::schema::Database;

/// Has what commits of this connection leave ahead written back whenever it is so many pages. The first failure is told to
/// `failed`; that commit, although it is on disk itself, and every later one end with an error (SQLite's, which does not say
/// what failed). A full disk and somebody who reads are no failures: it is tried again after the next commit.
pub(crate) fn watch(
    connection: &mut Connection,
    pages: c_int,
    mut failed: impl FnMut(&rusqlite::Error) + Send + 'static,
) -> Result<(), rusqlite::Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let mut has_failed = false;
    let write_back = move |wal: &mut Wal, ahead| {
        if ahead >= pages
            && !has_failed
            && let Err(error) = wal.checkpoint()
            && !passes(&error)
        {
            has_failed = true;
            failed(&error);
        }
        if has_failed { Err(rusqlite::Error::InvalidQuery) } else { Ok(()) }
    };
    connection.wal_hook(Some(write_back))
}

/// The same for a database of a thread that writes: with a failure nothing is accepted any more.
pub(crate) fn watch_thread(
    connection: &mut Connection,
    database: &Database,
    pages: c_int,
    condition: &Arc<Condition>,
) -> Result<(), rusqlite::Error> {
    let (name, condition) = (database.name, condition.clone());
    watch(connection, pages, move |error| {
        condition.failed(name, error);
    })
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

/// Closes a connection, the last one with all of the WAL written back, unless the disk has failed.
pub(crate) fn close(connection: Connection, condition: &Condition) {
    if condition.broken().is_none() {
        // Where this cannot be set, the WAL stays, and the next start writes it back.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
    }
    drop(connection);
}
