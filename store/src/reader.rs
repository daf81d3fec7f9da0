//! Reading what is stored, beside whoever writes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rusqlite::{Connection, params};

use beaconry_model::wire::Code;

use crate::counts::{self, Counts, Hours, OldPage, Reason};
use crate::error::StoreError;
use crate::folder::Folder;
use crate::index;
use crate::log::{self, COLUMNS, StoredEvent};
use crate::quarantine::{self, QuarantinedEvent};
use crate::schema::{EVENTS, INDEX};
use crate::snapshot::EventNo;
use crate::tail::Tail;

/// Connections that wait at the most.
const POOLED: usize = 8;

/// Reads events and quarantine of one data folder. Works beside a running server, and without one.
#[derive(Debug)]
pub struct Reader {
    /// Always there, until it is given back.
    files: Option<Files>,
    /// Where its connections go when it is dropped.
    pool: Weak<Pool>,
    /// What the indexes are behind, of the server in this process; beside another's, the log itself is looked through.
    tail: Option<Arc<Tail>>,
}

#[derive(Debug)]
struct Files {
    events: Connection,
    index: Connection,
}

impl Files {
    fn open(folder: &Folder) -> Result<Files, StoreError> {
        let (events, index) = (EVENTS.open_to_read(folder)?, INDEX.open_to_read(folder)?);
        events.set_prepared_statement_cache_capacity(32);
        index.set_prepared_statement_cache_capacity(32);
        Ok(Files { events, index })
    }
}

/// Connections that wait for the next who reads: opening one costs more than most of what is read.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<Vec<Files>>);

impl Pool {
    /// A reader whose connections come back here.
    pub(crate) fn reader(
        self: &Arc<Pool>,
        folder: &Folder,
        tail: &Arc<Tail>,
    ) -> Result<Reader, StoreError> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let files = match waiting {
            Some(files) => files,
            None => Files::open(folder)?,
        };
        Ok(Reader { files: Some(files), pool: Arc::downgrade(self), tail: Some(tail.clone()) })
    }

    /// Closes what waits.
    pub(crate) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let (Some(files), Some(pool)) = (self.files.take(), self.pool.upgrade()) else { return };
        let mut waiting = pool.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < POOLED {
            waiting.push(files);
        }
    }
}

impl Reader {
    /// Opens the folder's log to read it, and makes it where it is missing.
    pub fn open(folder: &Folder) -> Result<Reader, StoreError> {
        for database in [&EVENTS, &INDEX] {
            if !folder.file(database.name).exists() {
                database.open(folder)?;
            }
        }
        Ok(Reader { files: Some(Files::open(folder)?), pool: Weak::new(), tail: None })
    }

    pub(crate) fn events(&self) -> &Connection {
        &self.files().events
    }

    pub(crate) fn index(&self) -> &Connection {
        &self.files().index
    }

    pub(crate) fn tail(&self) -> Option<&Tail> {
        self.tail.as_deref()
    }

    fn files(&self) -> &Files {
        match &self.files {
            Some(files) => files,
            None => unreachable!("only dropping a reader takes its files"),
        }
    }

    /// Events of one kind that lie after this place of the log, oldest first.
    pub fn after(&self, event: EventNo, seq: i64) -> Result<Vec<StoredEvent>, StoreError> {
        let mut statement = self.events().prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events WHERE seq > ? AND event = ? AND flags & 1 = 0 ORDER BY seq"
        ))?;
        let mut rows = statement.query(params![seq, event.0])?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            events.push(StoredEvent::read(row)?);
        }
        Ok(events)
    }

    /// The last place of the log.
    pub fn last_seq(&self) -> Result<i64, StoreError> {
        Ok(log::last_seq(self.events())?)
    }

    /// How many places of the log the indexes are behind.
    pub fn index_lag(&self) -> Result<i64, StoreError> {
        // Asked first: what is merged meanwhile must not look as if it were ahead of the log.
        let merged = index::watermark(self.index())?;
        Ok((log::last_seq(self.events())? - merged).max(0))
    }

    /// How many events of one kind are stored, trials not counted.
    pub fn count(&self, event: EventNo) -> Result<u64, StoreError> {
        Ok(self.count_by_version(event)?.into_iter().map(|(_, count)| count).sum())
    }

    /// How many events of one kind are stored under each version, trials not counted.
    pub fn count_by_version(&self, event: EventNo) -> Result<Vec<(u32, u64)>, StoreError> {
        let held = counts::held(self.events(), event)?;
        let stored = held.into_iter().filter(|(what, ..)| what == "stored");
        Ok(stored.map(|(_, ver, count)| (ver, count)).collect())
    }

    /// What arrived of every event in these hours, versions taken together, for overviews: one query for all of them. Each
    /// event that had any arrivals has one entry an hour, oldest first, as [`Hours::starts`] names them. `EventNo(0)`, which
    /// no event has, stands for beacons that named no event.
    ///
    /// ```no_run
    /// # fn show(store: &beaconry_store::Store, number: beaconry_store::EventNo) -> Result<(), beaconry_store::StoreError> {
    /// use beaconry_store::{Count, Counts, Hours};
    /// let day = Hours::last(24, store.clock().now());
    /// let arrivals = store.reader()?.arrivals(day)?;
    /// let hours: &[Counts] = arrivals.get(&number).map_or(&[], Vec::as_slice);
    /// let sparkline: Vec<u64> = hours.iter().map(|hour| hour.of(Count::Accepted)).collect();
    /// let mut sum = Counts::default();
    /// hours.iter().for_each(|hour| sum.add(hour));
    /// let stale_share = sum.stale_share();
    /// # Ok(())
    /// # }
    /// ```
    pub fn arrivals(&self, hours: Hours) -> Result<BTreeMap<EventNo, Vec<Counts>>, StoreError> {
        counts::of_all(self.events(), hours)
    }

    /// What arrived of one event in these hours, by version: one entry an hour, oldest first. Under version 0 lies what was
    /// refused before its version was looked at, or came from a version that was never published.
    pub fn arrivals_of(
        &self,
        event: EventNo,
        hours: Hours,
    ) -> Result<BTreeMap<u32, Vec<Counts>>, StoreError> {
        counts::of_event(self.events(), event, hours)
    }

    /// Which fields were wrong how, and which origins were refused, in these hours; the most frequent first.
    pub fn reasons(&self, event: EventNo, hours: Hours) -> Result<Vec<Reason>, StoreError> {
        counts::reasons(self.events(), event, hours)
    }

    /// Pages that sent beacons of an older snippet than the one that was live then, the latest first: at most 100, of the
    /// last 30 days.
    pub fn old_pages(&self, event: EventNo) -> Result<Vec<OldPage>, StoreError> {
        counts::old_pages(self.events(), event)
    }

    /// Beacons in quarantine below this number, newest first: those of one event, or all.
    pub fn quarantine(
        &self,
        event: Option<EventNo>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<QuarantinedEvent>, StoreError> {
        self.quarantine_of(event, None, before, limit)
    }

    /// The same, of one reason where it is given.
    pub fn quarantine_of(
        &self,
        event: Option<EventNo>,
        code: Option<Code>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<QuarantinedEvent>, StoreError> {
        quarantine::list(self.events(), event, code, before, limit)
    }

    /// The beacon with this number, where it is still in quarantine.
    pub fn quarantined(&self, number: i64) -> Result<Option<QuarantinedEvent>, StoreError> {
        quarantine::find(self.events(), number)
    }

    /// How many beacons of one event are in quarantine.
    pub fn quarantine_count(&self, event: EventNo) -> Result<u64, StoreError> {
        Ok(self.quarantine_by_code(event)?.into_iter().map(|(_, count)| count).sum())
    }

    /// How many beacons of one event are in quarantine for each reason.
    pub fn quarantine_by_code(&self, event: EventNo) -> Result<Vec<(Code, u64)>, StoreError> {
        let held = counts::held(self.events(), event)?;
        let of_code = |code: Code| {
            let found = held.iter().find(|(what, ..)| what == code.as_str());
            found.map(|(_, _, count)| (code, *count))
        };
        Ok(Code::ALL.into_iter().filter_map(of_code).collect())
    }
}
