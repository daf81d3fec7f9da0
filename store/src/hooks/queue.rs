//! `hooks.db`: what waits to be posted, and the one lock under which it is written.
//!
//! Whoever looks at a profile to queue something of it holds the lock from before the look until after the commit, and so
//! does erasing a person, after the profile is gone: nothing of them can come in behind.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, params};

use beaconry_model::profile::ProfileId;
use beaconry_model::time::Timestamp;

use crate::condition::Condition;
use crate::error::StoreError;
use crate::folder::Folder;
use crate::profiles::Slot;
use crate::schema::HOOKS;
use crate::scrub;
use crate::write_back::Writable;

/// What may wait for one webhook. Beyond it, its place in the log stands still: a receiver that is down costs no memory and no
/// disk, and once it is up again all goes on from that place.
pub(super) const MAX_WAITING: u64 = 2_000;
/// Profiles that changed and wait to be looked at. Beyond it all are looked at instead.
const MAX_TOUCHED: usize = 100_000;

/// Whose order a delivery keeps: what is of one lane is posted one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Lane(pub(super) [u8; 16]);

impl Lane {
    /// A lane of its own.
    pub(super) fn alone() -> Result<Lane, StoreError> {
        Ok(Lane(crate::random::bytes()?))
    }
}

impl From<ProfileId> for Lane {
    fn from(id: ProfileId) -> Lane {
        Lane(id.0)
    }
}

/// What a delivery is about. Its numbers are in `hooks.db`, so they stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An event: its place is its row of the log.
    Event = 0,
    /// A beacon in quarantine: its place is its number there.
    Rejected = 1,
    /// Somebody entered a segment: its place is the number of the watch.
    Entered = 2,
    /// Somebody left one.
    Left = 3,
}

impl Kind {
    pub(super) fn from_number(number: u32) -> Kind {
        match number {
            0 => Kind::Event,
            1 => Kind::Rejected,
            2 => Kind::Entered,
            _ => Kind::Left,
        }
    }
}

/// The database of what waits, and which profiles changed lately.
#[derive(Debug)]
pub(crate) struct Queue {
    connection: Mutex<Writable>,
    /// Whether any webhook watches a segment. Where none does, who changed is not noted.
    watching: AtomicBool,
    touched: Mutex<Touched>,
    /// Whether something that had no time to come is due at once.
    pub(super) woken: AtomicBool,
    /// Whether it may be posted to this machine and to private networks.
    pub(super) private: AtomicBool,
}

/// Profiles that changed.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Of changes whose commit is to come.
    coming: Vec<Slot>,
    /// Of changes that are on disk.
    pub(super) slots: HashSet<Slot>,
    /// So many changed that all are to be looked at.
    pub(super) all: bool,
}

impl Queue {
    pub(crate) fn open(folder: &Folder, condition: &Arc<Condition>) -> Result<Queue, StoreError> {
        Ok(Queue {
            connection: Mutex::new(HOOKS.open_for(folder, condition)?),
            watching: AtomicBool::new(false),
            touched: Mutex::default(),
            woken: AtomicBool::new(false),
            private: AtomicBool::new(false),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Writable> {
        // A panic elsewhere leaves the database whole: its transaction rolls back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn watch(&self, any: bool) {
        self.watching.store(any, Ordering::Release);
    }

    /// Notes that a profile is about to change.
    pub(crate) fn touching(&self, slot: Slot) {
        if self.watching.load(Ordering::Acquire) {
            self.touched().coming.push(slot);
        }
    }

    /// What was about to change is on disk.
    pub(crate) fn changed(&self) {
        if self.watching.load(Ordering::Acquire) {
            let mut touched = self.touched();
            let coming = std::mem::take(&mut touched.coming);
            touched.add(coming);
        }
    }

    /// Some that changed, at most so many, and whether all are to be looked at.
    pub(super) fn take_touched(&self, most: usize) -> (Vec<Slot>, bool) {
        let mut touched = self.touched();
        let mut some: Vec<Slot> = touched.slots.iter().take(most).copied().collect();
        some.iter().for_each(|slot| {
            touched.slots.remove(slot);
        });
        some.sort_unstable();
        (some, std::mem::take(&mut touched.all))
    }

    fn touched(&self) -> MutexGuard<'_, Touched> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out everything of a person who is erased: what waits, what was given up, and which segments they were in.
    pub(crate) fn forget(
        &self,
        ids: &[ProfileId],
        quarantined: &[i64],
    ) -> Result<(), rusqlite::Error> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        for id in ids {
            for sql in
                ["DELETE FROM deliveries WHERE lane = ?", "DELETE FROM members WHERE profile = ?"]
            {
                transaction.prepare_cached(sql)?.execute([id.0])?;
            }
        }
        for number in quarantined {
            transaction
                .prepare_cached("DELETE FROM deliveries WHERE kind = 1 AND place = ?")?
                .execute([number])?;
        }
        transaction.commit()
    }

    /// Overwrites what deleted rows left behind in the database.
    pub(crate) fn scrub(&self) -> Result<(), rusqlite::Error> {
        scrub::clean_all(&mut self.lock())
    }
}

impl Touched {
    fn add(&mut self, slots: impl IntoIterator<Item = Slot>) {
        self.slots.extend(slots);
        if self.slots.len() > MAX_TOUCHED {
            self.slots.clear();
            self.all = true;
        }
    }
}

/// Puts one thing behind what waits for a webhook.
pub(super) fn put(
    transaction: &Connection,
    hook: u32,
    lane: Lane,
    (kind, place): (Kind, i64),
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut id: [u8; 16] = crate::random::bytes()?;
    // A UUID of version 4.
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    transaction
        .prepare_cached(
            "INSERT INTO deliveries (id, hook, lane, kind, place, made, due) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![id, hook, lane.0, kind as u32, place, now.0, now.0])?;
    Ok(())
}

/// How many wait for a webhook.
pub(super) fn waiting(connection: &Connection, hook: u32) -> Result<u64, rusqlite::Error> {
    connection
        .prepare_cached("SELECT count(*) FROM deliveries WHERE hook = ? AND dead = 0")?
        .query_row([hook], |row| row.get(0))
}

/// Brings what waits for profiles that were merged into one lane, in the order in which it came.
pub(super) fn join_lanes(
    transaction: &Connection,
    ids: &[ProfileId],
) -> Result<(), rusqlite::Error> {
    let Some((stays, others)) = ids.split_first() else { return Ok(()) };
    for other in others {
        transaction
            .prepare_cached("UPDATE deliveries SET lane = ? WHERE lane = ?")?
            .execute([stays.0, other.0])?;
    }
    Ok(())
}
