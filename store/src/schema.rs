//! The three databases' schemas, as numbered migrations from the first day, and how each is opened.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::error::StoreError;
use crate::folder::Folder;

/// One database of the data folder. A commit is on disk (`synchronous=FULL`) in each: also in the index, which can be made
/// anew, because with less a failed sync is noticed by nobody.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) name: &'static str,
    /// Each brings the schema from its index to the next number.
    migrations: &'static [&'static str],
}

/// Definitions, published files, audit and jobs.
pub(crate) const REGISTRY: Database = Database {
    name: "registry.db",
    migrations: &["
        CREATE TABLE sections (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            doc TEXT NOT NULL
        ) STRICT;
        CREATE TABLE events (
            number INTEGER PRIMARY KEY,
            discriminator TEXT NOT NULL UNIQUE,
            key TEXT NOT NULL UNIQUE,
            section TEXT NOT NULL,
            slug TEXT NOT NULL,
            hidden INTEGER NOT NULL,
            doc TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX visible_slugs ON events (section, slug) WHERE hidden = 0;
        CREATE TABLE published (
            path TEXT PRIMARY KEY,
            mime TEXT NOT NULL,
            body BLOB NOT NULL,
            brotli BLOB NOT NULL,
            gzip BLOB NOT NULL,
            at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE audit (
            number INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            thing TEXT NOT NULL,
            before TEXT,
            after TEXT
        ) STRICT;
        CREATE TABLE jobs (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            job TEXT NOT NULL,
            result TEXT
        ) STRICT;
        CREATE TABLE settings (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
    "],
};

/// The append-only log of events, and the quarantine.
pub(crate) const EVENTS: Database = Database {
    name: "events.db",
    migrations: &["
        CREATE TABLE events (
            seq INTEGER PRIMARY KEY,
            id BLOB NOT NULL,
            event INTEGER NOT NULL,
            ver INTEGER NOT NULL,
            rev INTEGER,
            time INTEGER NOT NULL,
            received INTEGER NOT NULL,
            flags INTEGER NOT NULL,
            visitor TEXT,
            url TEXT,
            origin TEXT,
            data TEXT NOT NULL,
            sum INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE quarantine (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id BLOB NOT NULL UNIQUE,
            event INTEGER NOT NULL,
            ver INTEGER NOT NULL,
            rev INTEGER,
            time INTEGER NOT NULL,
            received INTEGER NOT NULL,
            flags INTEGER NOT NULL,
            visitor TEXT,
            url TEXT,
            origin TEXT,
            expires INTEGER NOT NULL,
            rejection TEXT NOT NULL,
            raw TEXT NOT NULL
        ) STRICT;
        CREATE INDEX quarantine_by_event ON quarantine (event, seq);
        CREATE INDEX quarantine_by_expiry ON quarantine (expires);
    "],
};

/// Ids and secondary indexes, merged behind the log and made anew from it.
pub(crate) const INDEX: Database = Database {
    name: "index.db",
    migrations: &["
        CREATE TABLE ids (
            id BLOB PRIMARY KEY,
            seq INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE by_event (
            event INTEGER NOT NULL,
            test INTEGER NOT NULL,
            received INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            PRIMARY KEY (event, test, received, seq)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE forgotten (
            until INTEGER NOT NULL,
            id BLOB NOT NULL,
            PRIMARY KEY (until, id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE watermark (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            seq INTEGER NOT NULL
        ) STRICT;
        INSERT INTO watermark VALUES (1, 0);
    "],
};

impl Database {
    /// Opens it for writing, makes it where it is missing, and brings its schema up to date.
    pub(crate) fn open(&self, folder: &Folder) -> Result<Connection, StoreError> {
        self.open_to_write(folder).map_err(|error| self.named(error))
    }

    /// Opens it for reading, and brings an older schema up to date. The database must exist.
    pub(crate) fn open_to_read(&self, folder: &Folder) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(folder.file(self.name), flags)?;
            connection.busy_timeout(Duration::from_secs(10))?;
            let found = version(&connection)?;
            Ok((connection, found))
        };
        let (connection, found) =
            open().map_err(|error: rusqlite::Error| self.named(error.into()))?;
        let known = self.migrations.len() as u32;
        if found > known {
            return Err(StoreError::NewerSchema { database: self.name, found, known });
        }
        if found < known {
            self.open(folder)?;
        }
        Ok(connection)
    }

    /// An error of this database; what is wrong with its content says which one it is.
    pub(crate) fn named(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Sqlite(error)
                if matches!(
                    error.sqlite_error_code(),
                    Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                ) =>
            {
                StoreError::Corrupt { database: self.name, error }
            }
            other => other,
        }
    }

    fn open_to_write(&self, folder: &Folder) -> Result<Connection, StoreError> {
        let mut connection = Connection::open(folder.file(self.name))?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.set_prepared_statement_cache_capacity(64);
        // A file that is made begins with a rollback journal, whose deletion only `EXTRA` makes durable: coming back after a
        // power cut, it would undo the beginning of a database that holds events by then.
        connection.pragma_update(None, "synchronous", "EXTRA")?;
        // Only before the first table is made; later it changes nothing, but writes, which a full disk refuses.
        if version(&connection)? == 0 {
            connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        }
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 1000)?;
        self.migrate(&mut connection)?;
        Ok(connection)
    }

    fn migrate(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let known = self.migrations.len() as u32;
        if version(connection)? == known {
            return Ok(());
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Asked again inside: another process may have migrated in between.
        let found = version(&transaction)?;
        if found > known {
            return Err(StoreError::NewerSchema { database: self.name, found, known });
        }
        for migration in &self.migrations[found as usize..] {
            transaction.execute_batch(migration)?;
        }
        transaction.pragma_update(None, "user_version", known)?;
        transaction.commit()?;
        Ok(())
    }
}

/// Writes a database's first page as it is.
pub(crate) fn rewrite_a_page(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "user_version", version(connection)?)
}

/// Brings what an earlier process left in the WAL into the database itself. It may have ended because a sync failed, and
/// then the pages that this process can read are not all on disk, and never will be unless they are written anew. Where
/// somebody reads for longer than ten seconds, some stays until the next checkpoint.
pub(crate) fn write_out(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn version(connection: &Connection) -> Result<u32, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Gives some free pages back to the file system: at most this many of 4 KiB, so that it takes a few milliseconds.
pub(crate) fn give_back_pages(connection: &Connection, pages: u32) -> Result<(), rusqlite::Error> {
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut freed = statement.query([])?;
    while freed.next()?.is_some() {}
    Ok(())
}
