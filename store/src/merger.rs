//! The thread behind the log: merges sorted runs into the indexes, and takes deleted events out of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::Receiver;

use rusqlite::Connection;

use beaconry_model::time::Timestamp;

use crate::error::StoreError;
use crate::index::{self, Deleted, Unmerged};
use crate::log;
use crate::schema::give_back_pages;

/// Pages given back after each deletion.
const VACUUM_PAGES: u32 = 256;

/// Events merged at a time at start.
const RUN: usize = 50_000;

/// What the merger is asked to do.
#[derive(Debug)]
pub(crate) enum Merge {
    /// Merge a run that reaches to this place of the log.
    Run { run: Vec<Unmerged>, reaches: i64 },
    /// Take these out; their rows are gone from the log.
    Forget { deleted: Vec<Deleted>, now: Timestamp },
}

/// The merger's side of what it shares with the writer.
#[derive(Debug)]
pub(crate) struct Merger {
    pub(crate) index: Connection,
    /// The last place of the log that is merged.
    pub(crate) merged: Arc<AtomicI64>,
}

impl Merger {
    /// Merges what the log holds above the watermark, as after a crash. Returns the next free place of the log.
    pub(crate) fn catch_up(&mut self, events: &Connection) -> Result<i64, StoreError> {
        self.add_versions(events)?;
        let mut watermark = index::watermark(&self.index)?;
        loop {
            let run = above(events, watermark, RUN)?;
            let Some(reaches) = run.last().map(|unmerged| unmerged.seq) else { break };
            index::merge(&mut self.index, run, reaches)?;
            watermark = reaches;
        }
        self.merged.store(watermark, Ordering::Release);
        Ok(watermark.max(log::last_seq(events)?) + 1)
    }

    /// Makes the index by version where an older Beaconry wrote `index.db` without it.
    fn add_versions(&mut self, events: &Connection) -> Result<(), StoreError> {
        let Some(mut reaches) = index::by_version_lacks(&self.index)? else { return Ok(()) };
        let merged = index::watermark(&self.index)?;
        if reaches < merged {
            eprintln!("store: index.db gets an index by version, which takes a while this once");
        }
        loop {
            let mut run = above(events, reaches, RUN)?;
            // What is not merged yet is merged with its version.
            run.retain(|unmerged| unmerged.seq <= merged);
            let done = run.len() < RUN;
            reaches = run.last().map_or(reaches, |unmerged| unmerged.seq);
            index::fill_by_version(&mut self.index, run, reaches, done)?;
            if done {
                return Ok(());
            }
        }
    }

    /// Works until the writer is gone.
    pub(crate) fn run(mut self, asked: &Receiver<Merge>) {
        while let Ok(merge) = asked.recv() {
            if let Err(error) = self.take(merge) {
                // The log has everything: the next start merges it again. Until then nothing more may be merged, or the
                // watermark would pass over what is missing; the writer sees the lag grow and answers "busy".
                eprintln!(
                    "store: merging into index.db failed ({error}); restart Beaconry once that is mended"
                );
                while asked.recv().is_ok() {}
            }
        }
    }

    fn take(&mut self, merge: Merge) -> Result<(), StoreError> {
        match merge {
            Merge::Run { run, reaches } => {
                index::merge(&mut self.index, run, reaches)?;
                self.merged.store(reaches, Ordering::Release);
            }
            Merge::Forget { deleted, now } => {
                index::forget(&mut self.index, &deleted, now)?;
                index::drop_forgotten(&mut self.index, now, 1_000)?;
                give_back_pages(&self.index, VACUUM_PAGES)?;
            }
        }
        Ok(())
    }
}

/// Events of the log above this place, in its order.
fn above(events: &Connection, seq: i64, limit: usize) -> Result<Vec<Unmerged>, StoreError> {
    let mut statement = events.prepare_cached(
        "SELECT id, seq, event, received, flags, ver FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
    )?;
    let rows = statement.query_map(rusqlite::params![seq, limit as i64], |row| {
        Ok(Unmerged {
            id: beaconry_model::event_id::EventId(row.get(0)?),
            seq: row.get(1)?,
            event: crate::snapshot::EventNo(row.get(2)?),
            received: Timestamp(row.get(3)?),
            ver: row.get(5)?,
            test: row.get::<_, u32>(4)? & 1 != 0,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
