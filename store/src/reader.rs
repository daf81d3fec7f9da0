//! Reading what is stored, beside whoever writes.

use rusqlite::{Connection, params};

use crate::error::StoreError;
use crate::folder::Folder;
use crate::index;
use crate::log::{self, COLUMNS, StoredEvent};
use crate::quarantine::{self, QuarantinedEvent};
use crate::schema::{EVENTS, INDEX};
use crate::snapshot::EventNo;

/// Reads events and quarantine of one data folder. Works beside a running server, and without one.
#[derive(Debug)]
pub struct Reader {
    events: Connection,
    index: Connection,
}

impl Reader {
    /// Opens the folder's log to read it, and makes it where it is missing.
    pub fn open(folder: &Folder) -> Result<Reader, StoreError> {
        for database in [&EVENTS, &INDEX] {
            if !folder.file(database.name).exists() {
                database.open(folder)?;
            }
        }
        Ok(Reader { events: EVENTS.open_to_read(folder)?, index: INDEX.open_to_read(folder)? })
    }

    /// The last events of one kind, newest arrival first; trials among them only where they are asked for.
    pub fn newest(
        &self,
        event: EventNo,
        tests: bool,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        // What is not merged yet lies above the watermark; what is merged meanwhile is told by its place.
        let merged = index::watermark(&self.index)?;
        let mut newest = self.above(event, merged, tests)?;
        newest.reverse();
        newest.truncate(limit);
        let kinds: &[bool] = if tests { &[false, true] } else { &[false] };
        let mut places = Vec::new();
        for test in kinds {
            places.extend(self.places(event, *test, merged, limit)?);
        }
        places.sort_unstable_by(|a, b| b.cmp(a));
        for (_, seq) in places {
            if newest.len() >= limit {
                break;
            }
            // Retention may have deleted it since.
            newest.extend(log::find(&self.events, seq)?);
        }
        Ok(newest)
    }

    /// Events of one kind that lie after this place of the log, oldest first.
    pub fn after(&self, event: EventNo, seq: i64) -> Result<Vec<StoredEvent>, StoreError> {
        self.above(event, seq, false)
    }

    /// The last place of the log.
    pub fn last_seq(&self) -> Result<i64, StoreError> {
        Ok(log::last_seq(&self.events)?)
    }

    /// How many places of the log the indexes are behind.
    pub fn unmerged(&self) -> Result<i64, StoreError> {
        // Asked first: what is merged meanwhile must not look as if it were ahead of the log.
        let merged = index::watermark(&self.index)?;
        Ok((log::last_seq(&self.events)? - merged).max(0))
    }

    /// How many events of one kind are stored, trials not counted.
    pub fn count(&self, event: EventNo) -> Result<u64, StoreError> {
        let merged = index::watermark(&self.index)?;
        let indexed: u64 = self.index.query_row(
            "SELECT count(*) FROM by_event WHERE event = ? AND test = 0 AND seq <= ?",
            params![event.0, merged],
            |row| row.get(0),
        )?;
        let tail: u64 = self.events.query_row(
            "SELECT count(*) FROM events WHERE seq > ? AND event = ? AND flags & 1 = 0",
            params![merged, event.0],
            |row| row.get(0),
        )?;
        Ok(indexed + tail)
    }

    /// Beacons in quarantine below this number, newest first: those of one event, or all.
    pub fn quarantine(
        &self,
        event: Option<EventNo>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<QuarantinedEvent>, StoreError> {
        quarantine::list(&self.events, event, before, limit)
    }

    /// How many beacons of one event are in quarantine.
    pub fn quarantine_count(&self, event: EventNo) -> Result<u64, StoreError> {
        quarantine::count(&self.events, event)
    }

    fn above(&self, event: EventNo, seq: i64, tests: bool) -> Result<Vec<StoredEvent>, StoreError> {
        let mut statement = self.events.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events WHERE seq > ? AND event = ? AND (flags & 1 = 0 OR ?) ORDER BY seq"
        ))?;
        let mut rows = statement.query(params![seq, event.0, tests])?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            events.push(StoredEvent::read(row)?);
        }
        Ok(events)
    }

    fn places(
        &self,
        event: EventNo,
        test: bool,
        merged: i64,
        limit: usize,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let mut statement = self.index.prepare_cached(
            "SELECT received, seq FROM by_event WHERE event = ? AND test = ? AND seq <= ?
             ORDER BY received DESC, seq DESC LIMIT ?",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![event.0, test, merged, limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
