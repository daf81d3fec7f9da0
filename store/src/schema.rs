//! The databases' schemas, as numbered migrations from the first day, and how each is opened.

use std::ffi::c_int;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::condition::Condition;
use crate::error::StoreError;
use crate::folder::Folder;
use crate::write_back::Writable;

/// Pages that a WAL may be ahead before they are written back: 4 MiB.
pub(crate) const CHECKPOINT: c_int = 1_000;

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
    migrations: &[
        "
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
    ",
        crate::shares::MIGRATION,
        crate::audit::INDEXES,
        // Definitions about people.
        "
        CREATE TABLE attributes (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            discriminator TEXT NOT NULL UNIQUE,
            section TEXT NOT NULL,
            doc TEXT NOT NULL
        ) STRICT;
        CREATE TABLE consent_lists (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            discriminator TEXT NOT NULL UNIQUE,
            section TEXT NOT NULL,
            doc TEXT NOT NULL
        ) STRICT;
        CREATE TABLE segments (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            discriminator TEXT NOT NULL UNIQUE,
            section TEXT NOT NULL,
            doc TEXT NOT NULL
        ) STRICT;
        CREATE TABLE section_secrets (
            number INTEGER PRIMARY KEY,
            section TEXT NOT NULL,
            secret BLOB NOT NULL,
            made INTEGER NOT NULL,
            until INTEGER
        ) STRICT;
    ",
        crate::hooks::MIGRATION,
    ],
};

/// People, their sessions, links that let somebody in, and the audit of all that. Apart from the registry, because
/// sessions are written while people only look, and each change of the registry has every definition loaded anew.
pub(crate) const PEOPLE: Database = Database {
    name: "people.db",
    migrations: &[
        "
        CREATE TABLE people (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            email TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            role TEXT NOT NULL,
            password TEXT,
            created INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE sessions (
            hash BLOB PRIMARY KEY,
            person INTEGER NOT NULL,
            created INTEGER NOT NULL,
            seen INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX sessions_by_person ON sessions (person);
        CREATE TABLE links (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            hash BLOB NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            person INTEGER,
            email TEXT,
            role TEXT,
            made INTEGER NOT NULL,
            until INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE audit (
            number INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            thing TEXT NOT NULL,
            before TEXT,
            after TEXT
        ) STRICT;
        CREATE TABLE settings (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
    ",
        crate::audit::INDEXES,
    ],
};

/// API keys and personal tokens, and the audit of them. Apart from the registry, because a token is made while nothing
/// is defined, and each change of the registry has every definition loaded anew.
pub(crate) const KEYS: Database = Database {
    name: "keys.db",
    migrations: &[
        "
        CREATE TABLE keys (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            client_id TEXT NOT NULL UNIQUE,
            secret BLOB NOT NULL,
            name TEXT NOT NULL,
            may TEXT NOT NULL,
            created INTEGER NOT NULL,
            used INTEGER,
            revoked INTEGER
        ) STRICT;
        CREATE TABLE tokens (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            hash BLOB NOT NULL UNIQUE,
            name TEXT NOT NULL,
            owner TEXT NOT NULL,
            created INTEGER NOT NULL,
            until INTEGER NOT NULL,
            revoked INTEGER
        ) STRICT;
        CREATE TABLE signing (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            secret BLOB NOT NULL
        ) STRICT;
        CREATE TABLE audit (
            number INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            thing TEXT NOT NULL,
            before TEXT,
            after TEXT
        ) STRICT;
    ",
        crate::audit::INDEXES,
    ],
};

/// The append-only log of events, and the quarantine.
pub(crate) const EVENTS: Database = Database {
    name: "events.db",
    migrations: &[
        "
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
    ",
        COUNTERS,
    ],
};

/// Counters beside the log, begun with what the log and the quarantine hold.
const COUNTERS: &str = "
    CREATE TABLE hours (
        hour INTEGER NOT NULL,
        event INTEGER NOT NULL,
        ver INTEGER NOT NULL,
        accepted INTEGER NOT NULL DEFAULT 0,
        replayed INTEGER NOT NULL DEFAULT 0,
        unchecked INTEGER NOT NULL DEFAULT 0,
        invalid INTEGER NOT NULL DEFAULT 0,
        stale INTEGER NOT NULL DEFAULT 0,
        unknown_version INTEGER NOT NULL DEFAULT 0,
        too_old INTEGER NOT NULL DEFAULT 0,
        origin INTEGER NOT NULL DEFAULT 0,
        disabled INTEGER NOT NULL DEFAULT 0,
        hidden INTEGER NOT NULL DEFAULT 0,
        too_large INTEGER NOT NULL DEFAULT 0,
        malformed INTEGER NOT NULL DEFAULT 0,
        locked INTEGER NOT NULL DEFAULT 0,
        unknown_event INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (hour, event, ver)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE reasons (
        hour INTEGER NOT NULL,
        event INTEGER NOT NULL,
        why TEXT NOT NULL,
        thing TEXT NOT NULL,
        ver INTEGER NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (hour, event, why, thing, ver)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE held (
        event INTEGER NOT NULL,
        what TEXT NOT NULL,
        ver INTEGER NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (event, what, ver)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE old_pages (
        event INTEGER NOT NULL,
        page TEXT NOT NULL,
        ver INTEGER NOT NULL,
        rev INTEGER,
        last INTEGER NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (event, page)
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE quarantine ADD COLUMN code TEXT NOT NULL AS (rejection ->> '$.code') VIRTUAL;
    CREATE INDEX quarantine_by_code ON quarantine (event, code, seq);
    CREATE INDEX quarantine_by_code_alone ON quarantine (code, seq);
    INSERT INTO held
        SELECT event, iif(flags & 1, 'trial', 'stored'), ver, count(*) FROM events GROUP BY 1, 2, 3;
    INSERT INTO held SELECT event, code, 0, count(*) FROM quarantine GROUP BY 1, 2;
    INSERT INTO hours (hour, event, ver, accepted, unchecked)
        SELECT received / 3600000, event, ver, count(*), sum((flags & 2) / 2)
        FROM events WHERE flags & 1 = 0 GROUP BY 1, 2, 3;
    INSERT INTO hours (hour, event, ver, unchecked, invalid, stale, unknown_version, too_old)
        SELECT received / 3600000, event, iif(code = 'unknown_version', 0, ver), sum((flags & 2) / 2),
            sum(code = 'invalid_fields'), sum(code = 'stale_version'), sum(code = 'unknown_version'), sum(code = 'too_old')
        FROM quarantine WHERE flags & 1 = 0 GROUP BY 1, 2, 3
        ON CONFLICT DO UPDATE SET unchecked = unchecked + excluded.unchecked, invalid = excluded.invalid,
            stale = excluded.stale, unknown_version = excluded.unknown_version, too_old = excluded.too_old;
";

/// Ids and secondary indexes, merged behind the log and made anew from it.
pub(crate) const INDEX: Database = Database {
    name: "index.db",
    migrations: &[
        "
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
    ",
        "
        CREATE TABLE by_version (
            event INTEGER NOT NULL,
            ver INTEGER NOT NULL,
            received INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            PRIMARY KEY (event, ver, received, seq)
        ) STRICT, WITHOUT ROWID;
        -- How far it reaches, while it is made for events that were merged before it was there.
        CREATE TABLE by_version_lacks (reaches INTEGER NOT NULL) STRICT;
        INSERT INTO by_version_lacks VALUES (0);
    ",
        "
        -- Events of people who were erased, by keyed hashes of their ids, until no browser may bring them again.
        CREATE TABLE erased (
            hash BLOB PRIMARY KEY,
            until INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX erased_by_until ON erased (until);
    ",
    ],
};

/// Profiles: whose keys, attributes, consents and locks are kept here alone, and whose timeline is linked behind the log.
/// What hangs on a profile goes by its slot, a number; its public ids lead to it.
pub(crate) const PROFILES: Database = Database {
    name: "profiles.db",
    migrations: &["
        CREATE TABLE profiles (
            slot INTEGER PRIMARY KEY AUTOINCREMENT,
            created INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE ids (
            id BLOB PRIMARY KEY,
            slot INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX ids_by_slot ON ids (slot, id);
        CREATE TABLE keys (
            keyspace INTEGER NOT NULL,
            key TEXT NOT NULL,
            slot INTEGER NOT NULL,
            PRIMARY KEY (keyspace, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX keys_by_slot ON keys (slot);
        CREATE TABLE attributes (
            slot INTEGER NOT NULL,
            section INTEGER NOT NULL,
            attribute INTEGER NOT NULL,
            ver INTEGER NOT NULL,
            at INTEGER NOT NULL,
            value TEXT,
            PRIMARY KEY (slot, section, attribute)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE consents (
            slot INTEGER NOT NULL,
            channel INTEGER NOT NULL,
            address TEXT NOT NULL,
            list TEXT NOT NULL,
            topic TEXT NOT NULL,
            said INTEGER NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (slot, channel, list, topic, address)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE timeline (
            slot INTEGER NOT NULL,
            event INTEGER NOT NULL,
            time INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            ver INTEGER NOT NULL,
            test INTEGER NOT NULL,
            data TEXT NOT NULL,
            PRIMARY KEY (slot, event, time, seq)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE locks (
            hash BLOB PRIMARY KEY,
            at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE doomed (
            seq INTEGER PRIMARY KEY,
            event INTEGER NOT NULL,
            test INTEGER NOT NULL,
            received INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE watermark (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            seq INTEGER NOT NULL
        ) STRICT;
        INSERT INTO watermark VALUES (1, 0);
    "],
};

/// What waits to be posted to webhooks, and what was given up: as places, never as content. Apart from what it points
/// into, so that neither ingest nor profiles wait for it.
pub(crate) const HOOKS: Database = Database {
    name: "hooks.db",
    migrations: &["
        -- How far each has read, and how its receiver does.
        CREATE TABLE hooks (
            hook INTEGER PRIMARY KEY,
            seq INTEGER NOT NULL,
            quarantine INTEGER NOT NULL,
            delivered INTEGER NOT NULL DEFAULT 0,
            given_up INTEGER NOT NULL DEFAULT 0,
            last INTEGER,
            tried INTEGER,
            why TEXT,
            failing INTEGER,
            failures INTEGER NOT NULL DEFAULT 0,
            rests INTEGER NOT NULL DEFAULT 0,
            stopped INTEGER
        ) STRICT;
        CREATE TABLE deliveries (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id BLOB NOT NULL,
            hook INTEGER NOT NULL,
            lane BLOB NOT NULL,
            kind INTEGER NOT NULL,
            place INTEGER NOT NULL,
            made INTEGER NOT NULL,
            due INTEGER NOT NULL,
            tries INTEGER NOT NULL DEFAULT 0,
            -- When it was given up; 0 while it waits.
            dead INTEGER NOT NULL DEFAULT 0,
            why TEXT
        ) STRICT;
        CREATE INDEX deliveries_waiting ON deliveries (hook, lane, number) WHERE dead = 0;
        CREATE INDEX deliveries_due ON deliveries (hook, due) WHERE dead = 0;
        CREATE INDEX deliveries_dead ON deliveries (hook, number) WHERE dead > 0;
        CREATE INDEX deliveries_by_lane ON deliveries (lane);
        CREATE INDEX deliveries_rejected ON deliveries (place) WHERE kind = 1;
        CREATE TABLE watches (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            hook INTEGER NOT NULL,
            segment TEXT NOT NULL,
            -- Whether everybody has been looked at once: who was a member before does not enter.
            ready INTEGER NOT NULL DEFAULT 0,
            UNIQUE (hook, segment)
        ) STRICT;
        CREATE TABLE members (
            profile BLOB NOT NULL,
            watch INTEGER NOT NULL,
            PRIMARY KEY (profile, watch)
        ) STRICT, WITHOUT ROWID;
    "],
};

impl Database {
    /// Opens it for writing, makes it where it is missing, and brings its schema up to date.
    pub(crate) fn open(&self, folder: &Folder) -> Result<Writable, StoreError> {
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

    fn open_to_write(&self, folder: &Folder) -> Result<Writable, StoreError> {
        let connection = Connection::open(folder.file(self.name))?;
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
        let name = self.name;
        let mut connection = Writable::new(connection, CHECKPOINT, move |error| {
            tracing::error!(database = name, %error, "writing failed; restart Beaconry once that is mended");
        })?;
        self.migrate(&mut connection)?;
        Ok(connection)
    }

    /// The same for a store that runs, which stops where the disk fails at writing back.
    pub(crate) fn open_for(
        &self,
        folder: &Folder,
        condition: &Arc<Condition>,
    ) -> Result<Writable, StoreError> {
        let mut connection = self.open(folder)?;
        connection.watch_for(condition, self, CHECKPOINT)?;
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
