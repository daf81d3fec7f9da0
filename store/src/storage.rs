//! What a data folder takes on disk, and what retention deletes next; all of it told within milliseconds, however much there
//! is, so that large numbers are estimates and say so.

use std::fs;

use rusqlite::{Connection, OptionalExtension, params};

use beaconry_model::retention::Retention;
use beaconry_model::time::{DAY_MS, Timestamp};

use crate::error::StoreError;
use crate::folder::Folder;
use crate::retention::TEST_KEPT_MS;
use crate::schema::{EVENTS, HOOKS, INDEX, KEYS, PEOPLE, PROFILES, REGISTRY};
use crate::snapshot::EventNo;

/// Stored events whose size stands for the others of their kind.
const SAMPLE: u32 = 5;
/// What an event takes beside its texts, in bytes: its numbers in the log, its id and its places in the indexes.
const BESIDE: f64 = 160.0;

/// What one database takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseSize {
    /// Its file's name.
    pub name: &'static str,
    /// Its file and what is written ahead of it, in bytes.
    pub bytes: u64,
}

/// How many rows: counted, or judged by how closely the first of them lie together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Many {
    /// How many.
    pub count: u64,
    /// Whether each was counted.
    pub exact: bool,
}

/// What is deleted next of one kind of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When the first one goes.
    pub next: Timestamp,
    /// How many go within a day from now.
    pub day: Many,
    /// How many go within a week from now.
    pub week: Many,
}

/// A data folder, opened to be measured.
#[derive(Debug)]
pub struct Storage {
    folder: Folder,
    events: Connection,
    index: Connection,
}

impl Storage {
    /// Opens the folder of a running server.
    pub fn open(folder: &Folder) -> Result<Storage, StoreError> {
        let (events, index) = (EVENTS.open_to_read(folder)?, INDEX.open_to_read(folder)?);
        Ok(Storage { folder: folder.clone(), events, index })
    }

    /// What each database takes. A file that is not there takes nothing.
    pub fn databases(&self) -> Vec<DatabaseSize> {
        let size = |name: &str| fs::metadata(self.folder.file(name)).map_or(0, |file| file.len());
        let database = |name: &'static str| DatabaseSize {
            name,
            bytes: size(name) + size(&format!("{name}-wal")) + size(&format!("{name}-shm")),
        };
        [&EVENTS, &INDEX, &PROFILES, &HOOKS, &REGISTRY, &PEOPLE, &KEYS]
            .map(|of| database(of.name))
            .into()
    }

    /// What one stored event of this kind takes, in bytes, by the newest of them; nothing where there is none.
    pub fn bytes_each(&self, event: EventNo) -> Result<f64, StoreError> {
        let mut places = self.index.prepare_cached(
            "SELECT seq FROM by_event WHERE event = ? AND test = 0 ORDER BY received DESC LIMIT ?",
        )?;
        let mut size = self.events.prepare_cached(
            "SELECT octet_length(data) + ifnull(octet_length(url), 0) + ifnull(octet_length(origin), 0)
             + ifnull(octet_length(visitor), 0) FROM events WHERE seq = ?",
        )?;
        let (mut bytes, mut looked_at) = (0.0, 0.0);
        let mut rows = places.query(params![event.0, SAMPLE])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            if let Some(texts) = size.query_row([seq], |row| row.get::<_, f64>(0)).optional()? {
                bytes += texts + BESIDE;
                looked_at += 1.0;
            }
        }
        Ok(if looked_at > 0.0 { bytes / looked_at } else { 0.0 })
    }

    /// What retention deletes next of an event's stored rows. At most this many are counted; `None` where nothing goes.
    pub fn due(
        &self,
        event: EventNo,
        retention: Retention,
        now: Timestamp,
        most: u32,
    ) -> Result<Option<Due>, StoreError> {
        let Retention::Days(days) = retention else { return Ok(None) };
        self.due_after(event, false, i64::from(days) * DAY_MS, now, most)
    }

    /// What is deleted next of an event's trials.
    pub fn trials_due(
        &self,
        event: EventNo,
        now: Timestamp,
        most: u32,
    ) -> Result<Option<Due>, StoreError> {
        self.due_after(event, true, TEST_KEPT_MS, now, most)
    }

    fn due_after(
        &self,
        event: EventNo,
        test: bool,
        kept_ms: i64,
        now: Timestamp,
        most: u32,
    ) -> Result<Option<Due>, StoreError> {
        let mut statement = self.index.prepare_cached(
            "SELECT count(*), min(received), max(received) FROM (
                 SELECT received FROM by_event WHERE event = ? AND test = ? AND received < ? ORDER BY received LIMIT ?)",
        )?;
        let mut before = |until: Timestamp| -> Result<Counted, StoreError> {
            let arrived = until.plus(-kept_ms);
            let counted = statement.query_row(params![event.0, test, arrived.0, most], read)?;
            Ok(counted.until(arrived, most))
        };
        let (day, week) = (before(now.plus(DAY_MS))?, before(now.plus(7 * DAY_MS))?);
        let first = match week.first {
            Some(first) => Some(first),
            // Nothing within a week: when then?
            None => self.first(event, test)?,
        };
        Ok(first.map(|first| Due {
            next: Timestamp(first).plus(kept_ms),
            day: day.many,
            week: week.many,
        }))
    }

    fn first(&self, event: EventNo, test: bool) -> Result<Option<i64>, StoreError> {
        let mut statement = self
            .index
            .prepare_cached("SELECT min(received) FROM by_event WHERE event = ? AND test = ?")?;
        Ok(statement.query_row(params![event.0, test], |row| row.get(0))?)
    }

    /// What is deleted next of the quarantine.
    pub fn quarantine_due(&self, now: Timestamp, most: u32) -> Result<Option<Due>, StoreError> {
        let mut statement = self.events.prepare_cached(
            "SELECT count(*), min(expires), max(expires) FROM (
                 SELECT expires FROM quarantine WHERE expires < ? ORDER BY expires LIMIT ?)",
        )?;
        let mut before = |until: Timestamp| -> Result<Counted, StoreError> {
            let counted = statement.query_row(params![until.0, most], read)?;
            Ok(counted.until(until, most))
        };
        let (day, week) = (before(now.plus(DAY_MS))?, before(now.plus(7 * DAY_MS))?);
        let first = self.events.query_row("SELECT min(expires) FROM quarantine", [], |row| {
            row.get::<_, Option<i64>>(0)
        })?;
        Ok(first.map(|first| Due { next: Timestamp(first), day: day.many, week: week.many }))
    }
}

/// The first rows up to a moment, as far as they were counted.
struct Counted {
    first: Option<i64>,
    last: Option<i64>,
    many: Many,
}

fn read(row: &rusqlite::Row<'_>) -> Result<Counted, rusqlite::Error> {
    let many = Many { count: row.get(0)?, exact: true };
    Ok(Counted { first: row.get(1)?, last: row.get(2)?, many })
}

impl Counted {
    /// Where not all were counted, the rest is judged to lie as closely together as those that were.
    fn until(mut self, until: Timestamp, most: u32) -> Counted {
        let (Some(first), Some(last)) = (self.first, self.last) else { return self };
        if self.many.count < u64::from(most) {
            return self;
        }
        let share = (until.0 - first) as f64 / (last - first).max(1) as f64;
        self.many = Many { count: (self.many.count as f64 * share.max(1.0)) as u64, exact: false };
        self
    }
}
