//! The thread behind the log: merges sorted runs into the indexes, and takes deleted events out of them.

use std::collections::VecDeque;
use std::ffi::c_int;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use beaconry_model::time::Timestamp;

use crate::condition::Condition;
use crate::error::StoreError;
use crate::index::{self, Deleted, Filter, Unmerged};
use crate::keyed::Keyed;
use crate::log;
use crate::pace::Pace;
use crate::profiles::Behind;
use crate::schema::{INDEX, give_back_pages};
use crate::write_back::Writable;
use crate::writer::AppendError;

/// Pages written ahead before they are written back: 16 MiB. What is late lies all over the index; a page that several runs
/// come onto is written back once for all of them.
pub(crate) const CHECKPOINT: c_int = 4_000;
/// Pages given back after each deletion.
const VACUUM_PAGES: u32 = 256;
/// How often a full disk is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// Events merged at a time at start.
const RUN: usize = 50_000;
/// Events of a run whose merging is spread. Fewer take a moment. More take most of the time there is: rests would only let the
/// next runs wait.
const SPREAD_RUNS: Range<usize> = 2_000..50_000;
/// How much of the time that a run took to gather its merging is spread over.
const SPREAD: f64 = 0.8;

/// What the merger is asked to do.
#[derive(Debug)]
pub(crate) enum Merge {
    /// Merge a run that reaches to this place of the log, and took so long to gather.
    Run { run: Vec<Unmerged>, reaches: i64, gathered: Duration },
    /// Take these out; their rows are gone from the log.
    Forget { deleted: Vec<Deleted>, now: Timestamp },
    /// Take these out with their ids, since their person is erased; then say so.
    Erase { deleted: Vec<Deleted>, now: Timestamp, done: std::sync::mpsc::Sender<()> },
}

/// The merger's side of what it shares with the writer.
#[derive(Debug)]
pub(crate) struct Merger {
    pub(crate) index: Writable,
    /// The last place of the log that is merged.
    pub(crate) merged: Arc<AtomicI64>,
    /// Whether anything can be written.
    pub(crate) condition: Arc<Condition>,
    /// What says of most ids that they are new.
    pub(crate) filter: Arc<Filter>,
    /// What hashes the ids of erased events.
    pub(crate) keyed: Keyed,
}

impl Merger {
    /// Merges what the log holds above the watermark, as after a crash. Returns the next free place of the log.
    pub(crate) fn catch_up(&mut self, events: &Connection) -> Result<i64, StoreError> {
        self.add_versions(events)?;
        let mut watermark = index::watermark(&self.index)?;
        loop {
            let mut run = above(events, watermark, RUN)?;
            let Some(reaches) = run.last().map(|unmerged| unmerged.seq) else { break };
            index::merge(&mut self.index, &mut run, reaches, |_| {})?;
            watermark = reaches;
        }
        Ok(watermark.max(log::last_seq(events)?) + 1)
    }

    /// Makes the index by version where an older Beaconry wrote `index.db` without it.
    fn add_versions(&mut self, events: &Connection) -> Result<(), StoreError> {
        let Some(mut reaches) = index::by_version_lacks(&self.index)? else { return Ok(()) };
        let merged = index::watermark(&self.index)?;
        if reaches < merged {
            tracing::info!("index.db gets an index by version, which takes a while this once");
        }
        loop {
            let mut run = above(events, reaches, RUN)?;
            // What is not merged yet is merged with its version.
            run.retain(|unmerged| unmerged.seq <= merged);
            let done = run.len() < RUN;
            reaches = run.last().map_or(reaches, |unmerged| unmerged.seq);
            index::fill_by_version(&mut self.index, &mut run, reaches, done)?;
            if done {
                return Ok(());
            }
        }
    }

    /// Works until the writer is gone. On a full disk it tries again until there is room: the log has everything, and where
    /// the lag grows too long, the writer answers "busy".
    pub(crate) fn run(mut self, asked: &Receiver<Merge>, linking: &Behind) {
        let mut asks = Asks { asked, waiting: VecDeque::new(), closed: false };
        while let Some(mut merge) = asks.next() {
            match self.take(&mut merge, &mut asks, linking) {
                Ok(()) => {}
                Err(StoreError::Sqlite(error)) => {
                    match self.condition.failed(INDEX.name, &error) {
                        AppendError::Full | AppendError::Busy => {}
                        // The next start merges from the log. Nothing more may be merged until then, or the watermark would
                        // pass over what is missing.
                        AppendError::Broken(_) => return,
                    }
                    thread::sleep(RETRY);
                    asks.waiting.push_front(merge);
                    asks.look();
                    if asks.closed {
                        return;
                    }
                }
                // The log has everything: the next start merges it again.
                Err(error) => {
                    tracing::error!(
                        %error,
                        "merging into index.db stops; restart Beaconry once that is mended"
                    );
                    return;
                }
            }
        }
    }

    fn take(
        &mut self,
        merge: &mut Merge,
        asks: &mut Asks,
        linking: &Behind,
    ) -> Result<(), StoreError> {
        match merge {
            Merge::Run { run, reaches, gathered } => {
                let share = if SPREAD_RUNS.contains(&run.len()) { SPREAD } else { 0.0 };
                let over = gathered.mul_f64(share);
                let mut pace = Pace::new(Instant::now(), index::PASSES * run.len(), over);
                index::merge(&mut self.index, run, *reaches, |events| {
                    let rest = pace.did(events, Instant::now());
                    if !rest.is_zero() && !asks.look() {
                        thread::sleep(rest);
                    }
                })?;
                self.merged.store(*reaches, Ordering::Release);
            }
            Merge::Forget { deleted, now } => {
                index::forget(&mut self.index, deleted, *now)?;
                index::drop_forgotten(&mut self.index, *now, 1_000)?;
                if !linking.pages_stay() {
                    give_back_pages(&self.index, VACUUM_PAGES)?;
                }
            }
            Merge::Erase { deleted, now, done } => {
                index::erase(&mut self.index, deleted, &self.filter, &self.keyed, *now)?;
                let _ = done.send(());
            }
        }
        Ok(())
    }
}

/// What the merger is asked, in order.
struct Asks<'a> {
    asked: &'a Receiver<Merge>,
    waiting: VecDeque<Merge>,
    /// Nobody can ask any more.
    closed: bool,
}

impl Asks<'_> {
    /// The next; waits for it. `None` once there is none, and there will be none.
    fn next(&mut self) -> Option<Merge> {
        self.waiting.pop_front().or_else(|| self.asked.recv().ok())
    }

    /// Whether there is no time to rest: more waits, or the server stops.
    fn look(&mut self) -> bool {
        loop {
            match self.asked.try_recv() {
                Ok(merge) => self.waiting.push_back(merge),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.closed = true;
                    break;
                }
            }
        }
        self.closed || !self.waiting.is_empty()
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
