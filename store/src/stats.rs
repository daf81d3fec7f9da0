//! What a data folder holds, in numbers.

use std::fs;

use serde::Serialize;

use beaconry_model::time::Timestamp;

use crate::error::StoreError;
use crate::folder::Folder;
use crate::profiles::ProfileReader;
use crate::reader::Reader;
use crate::registry::Registry;
use crate::schema::{EVENTS, HOOKS, INDEX, KEYS, PEOPLE, PROFILES, REGISTRY};

/// A data folder in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// Each event, hidden ones too, in the order they were made.
    pub events: Vec<EventStats>,
    /// Places of the log that the indexes are behind.
    pub unmerged: i64,
    /// Places of the log that profiles are behind.
    pub unlinked: i64,
    /// Profiles.
    pub profiles: u64,
    /// Each database.
    pub files: Vec<FileStats>,
}

/// One event in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct EventStats {
    /// Its discriminator.
    pub event: String,
    /// Its name.
    pub name: String,
    /// Events stored, trials not counted.
    pub stored: u64,
    /// When the newest of them arrived.
    pub last: Option<Timestamp>,
    /// Beacons in quarantine.
    pub quarantined: u64,
}

/// One database in numbers, all in bytes.
#[derive(Clone, Debug, Serialize)]
pub struct FileStats {
    /// Its name.
    pub file: &'static str,
    /// Its size.
    pub bytes: u64,
    /// What is free in it, and is used before it grows.
    pub free: u64,
    /// The size of the WAL beside it.
    pub wal: u64,
}

/// Counts what the folder holds. Works beside a running server.
pub fn stats(folder: &Folder) -> Result<Stats, StoreError> {
    let snapshot = Registry::open(folder)?.snapshot()?;
    let reader = Reader::open(folder)?;
    let mut events = Vec::new();
    for known in snapshot.all_events() {
        events.push(EventStats {
            event: known.event.discriminator().to_string(),
            name: known.event.name().to_string(),
            stored: reader.count(known.number)?,
            last: reader.newest(known.number, false, 1)?.first().map(|event| event.received),
            quarantined: reader.quarantine_count(known.number)?,
        });
    }
    let mut files = Vec::new();
    for database in [&REGISTRY, &EVENTS, &INDEX, &PROFILES, &HOOKS, &PEOPLE, &KEYS] {
        if !folder.file(database.name).exists() {
            continue;
        }
        let connection = database.open_to_read(folder)?;
        let number = |name: &str| -> Result<u64, rusqlite::Error> {
            connection.pragma_query_value(None, name, |row| row.get(0))
        };
        let (pages, free, page) =
            (number("page_count")?, number("freelist_count")?, number("page_size")?);
        let wal = fs::metadata(folder.file(&format!("{}-wal", database.name)));
        files.push(FileStats {
            file: database.name,
            bytes: pages * page,
            free: free * page,
            wal: wal.map_or(0, |wal| wal.len()),
        });
    }
    let (mut unlinked, mut profiles) = (0, 0);
    if folder.file(PROFILES.name).exists() {
        let reading = ProfileReader::open(folder)?;
        (unlinked, profiles) = (reading.lag()?, reading.count()?);
    }
    Ok(Stats { events, unmerged: reader.index_lag()?, unlinked, profiles, files })
}
