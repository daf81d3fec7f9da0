//! Deletes what has outlived its retention: really, in the background, in steps too small to hold up the writer.

use std::sync::mpsc::{self, SyncSender};

use rusqlite::Connection;

use beaconry_model::time::{DAY_MS, Timestamp};

use crate::error::StoreError;
use crate::index::{self, Deleted};
use crate::snapshot::{EventNo, Snapshot};
use crate::writer::Write;

/// Rows one step deletes: a few milliseconds of the writer's time.
const STEP: u32 = 200;
/// How long trials are kept, in milliseconds.
pub(crate) const TEST_KEPT_MS: i64 = DAY_MS;

/// Deletes everything that has expired by now: events, trials, and what lies in quarantine.
pub(crate) fn sweep(
    snapshot: &Snapshot,
    index: &Connection,
    writer: &SyncSender<Write>,
    now: Timestamp,
) -> Result<(), StoreError> {
    for known in snapshot.all_events() {
        if let Some(before) = known.event.retention().expired_before(now) {
            delete_before(known.number, false, before, index, writer, now)?;
        }
        delete_before(known.number, true, now.plus(-TEST_KEPT_MS), index, writer, now)?;
    }
    while expire_quarantine(writer, now)? == STEP as usize {}
    Ok(())
}

/// Each step asks only for what lies after the one before it, since the merger takes deleted rows out of the index behind.
fn delete_before(
    event: EventNo,
    test: bool,
    before: Timestamp,
    index: &Connection,
    writer: &SyncSender<Write>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut after = (Timestamp(i64::MIN), i64::MIN);
    loop {
        let deleted = index::arrived_before(index, event, test, after, before, STEP)?;
        let Some(last) = deleted.last() else { return Ok(()) };
        after = (last.received, last.seq);
        delete(deleted, writer, now)?;
    }
}

fn delete(
    deleted: Vec<Deleted>,
    writer: &SyncSender<Write>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (done, wait) = mpsc::channel();
    writer.send(Write::Delete { deleted, now, done }).map_err(|_| StoreError::Stopped)?;
    wait.recv().map_err(|_| StoreError::Stopped)
}

fn expire_quarantine(writer: &SyncSender<Write>, now: Timestamp) -> Result<usize, StoreError> {
    let (done, wait) = mpsc::channel();
    writer
        .send(Write::ExpireQuarantine { now, limit: STEP, done })
        .map_err(|_| StoreError::Stopped)?;
    wait.recv().map_err(|_| StoreError::Stopped)
}
