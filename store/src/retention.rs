//! Deletes what has outlived its retention: really, in the background, in steps too small to hold up the writer.

use std::sync::mpsc::{self, SyncSender};

use rusqlite::Connection;

use beaconry_model::time::{DAY_MS, Timestamp};

use crate::error::StoreError;
use crate::folder::Folder;
use crate::index::{self, Deleted};
use crate::profiles::{self, ProfileError, Profiler};
use crate::schema::EVENTS;
use crate::snapshot::{EventNo, Snapshot};
use crate::writer::Write;

/// Rows one step deletes: a few milliseconds of the writer's time.
const STEP: u32 = 200;
/// How long trials are kept, in milliseconds.
pub(crate) const TEST_KEPT_MS: i64 = DAY_MS;

/// What a sweep works with.
#[derive(Debug)]
pub(crate) struct Sweep<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) index: &'a Connection,
    pub(crate) writer: &'a SyncSender<Write>,
    pub(crate) profiler: &'a Profiler,
}

impl Sweep<'_> {
    /// Deletes everything that has expired by now: events, trials, and what lies in quarantine.
    pub(crate) fn run(&self, snapshot: &Snapshot, now: Timestamp) -> Result<(), StoreError> {
        for known in snapshot.all_events() {
            if let Some(before) = known.event.retention().expired_before(now) {
                self.delete_before(known.number, false, before, now)?;
            }
            self.delete_before(known.number, true, now.plus(-TEST_KEPT_MS), now)?;
        }
        while self.expire_quarantine(now)? == STEP as usize {}
        Ok(())
    }

    /// Each step asks only for what lies after the one before it, since the merger takes deleted rows out of the index
    /// behind.
    fn delete_before(
        &self,
        event: EventNo,
        test: bool,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut after = (Timestamp(i64::MIN), i64::MIN);
        loop {
            let mut deleted = index::arrived_before(self.index, event, test, after, before, STEP)?;
            let Some(last) = deleted.last() else { return Ok(()) };
            after = (last.received, last.seq);
            // What is not linked yet waits for the next sweep, or it would come onto a timeline after all.
            let linked = *self.profiler.shared.linked.borrow();
            deleted.retain(|gone| gone.seq <= linked);
            self.delete(deleted, now)?;
        }
    }

    /// From timelines first: what a crash leaves in the log is found there by the next sweep, what it would leave on a
    /// timeline by none.
    fn delete(&self, deleted: Vec<Deleted>, now: Timestamp) -> Result<(), StoreError> {
        let seqs: Vec<i64> = deleted.iter().map(|gone| gone.seq).collect();
        let events = EVENTS.open_to_read(self.folder)?;
        let forgotten = self.profiler.make(move |profiles| {
            profiles::forget(profiles, &events, &seqs).map_err(ProfileError::Store)
        });
        forgotten.map_err(|error| match error {
            ProfileError::Store(error) => error,
            _ => StoreError::Stopped,
        })?;
        let (done, wait) = mpsc::channel();
        self.writer.send(Write::Delete { deleted, now, done }).map_err(|_| StoreError::Stopped)?;
        wait.recv().map_err(|_| StoreError::Stopped)
    }

    fn expire_quarantine(&self, now: Timestamp) -> Result<usize, StoreError> {
        let (done, wait) = mpsc::channel();
        self.writer
            .send(Write::ExpireQuarantine { now, limit: STEP, done })
            .map_err(|_| StoreError::Stopped)?;
        wait.recv().map_err(|_| StoreError::Stopped)
    }
}
