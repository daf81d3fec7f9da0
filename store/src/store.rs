//! The store of a running server: the folder's lease, the threads that write, and all definitions in memory.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{self, Sender, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::oneshot;

use beaconry_model::error::Refusal;
use beaconry_model::event::Event;
use beaconry_model::event_id::EventId;
use beaconry_model::judge::Facts;
use beaconry_model::time::Timestamp;

use crate::backlog::{Backlog, Place};
use crate::clock::Clock;
use crate::condition::Condition;
use crate::counts::Count;
use crate::error::StoreError;
use crate::folder::{Folder, Lease};
use crate::index::Filter;
use crate::jobs::{self, ReplayReport};
use crate::lag::Lag;
use crate::live::Feed;
use crate::merger::{self, Merger};
use crate::picks::Picks;
use crate::profiles::{self, Profiler};
use crate::reader::{Pool, Reader};
use crate::registry::Registry;
use crate::replay::{self, Replay, ReplayCount};
use crate::schema::{EVENTS, INDEX, PROFILES};
use crate::snapshot::{EventNo, Known, Snapshot};
use crate::tail::Tail;
use crate::tally::Tally;
use crate::threads;
use crate::told::Told;
use crate::watch::{self, Seen};
use crate::write_back;
use crate::writer::{AppendError, Entry, Pending, Places, QUEUE, Write, Writer, Written};

/// Everything durable of one data folder, opened to serve. One process at a time can have it. Dropping it waits until
/// everything that was taken is written and merged.
#[derive(Debug)]
pub struct Store {
    pub(crate) definitions: Arc<Definitions>,
    pub(crate) writer: SyncSender<Write>,
    filter: Arc<Filter>,
    pub(crate) profiler: Profiler,
    pub(crate) pool: profiles::Pool,
    seen: Sender<Seen>,
    backlog: Arc<Backlog>,
    /// The last place of the log that is in the indexes.
    pub(crate) merged: Arc<AtomicI64>,
    /// What is behind them.
    tail: Arc<Tail>,
    /// What was refused, until the writer writes it down.
    refused: Arc<Mutex<Tally>>,
    feed: Feed,
    picks: Picks,
    readers: Arc<Pool>,
    threads: Vec<JoinHandle<()>>,
    /// Last, so that it is given back when everything else is closed.
    _lease: Lease,
}

/// All definitions, in memory and on disk, with the time they go by.
#[derive(Debug)]
pub(crate) struct Definitions {
    pub(crate) folder: Folder,
    pub(crate) clock: Clock,
    /// Whether anything can be written.
    pub(crate) condition: Arc<Condition>,
    snapshot: ArcSwap<Snapshot>,
    registry: Mutex<Registry>,
}

impl Definitions {
    fn open(folder: Folder, clock: Clock) -> Result<Definitions, StoreError> {
        let condition = Arc::default();
        let registry = Registry::open_for(&folder, &condition)?;
        let snapshot = ArcSwap::from_pointee(registry.snapshot()?);
        Ok(Definitions { folder, clock, condition, snapshot, registry: Mutex::new(registry) })
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry> {
        // A panic elsewhere leaves the registry whole: its transaction rolls back.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The registry by another connection.
    pub(crate) fn another_registry(&self) -> Result<Registry, StoreError> {
        Registry::open_for(&self.folder, &self.condition)
    }

    pub(crate) fn change_event<T>(
        &self,
        number: EventNo,
        actor: &str,
        action: &str,
        change: impl FnOnce(&mut Event) -> Result<T, Refusal>,
    ) -> Result<(Event, T), StoreError> {
        let changed =
            self.registry().change_event(number, actor, action, self.clock.steady(), change)?;
        self.reload()?;
        Ok(changed)
    }

    pub(crate) fn reload(&self) -> Result<(), StoreError> {
        // The lock is held over the swap, so that an older snapshot never replaces a newer one.
        let registry = self.registry();
        self.snapshot.store(Arc::new(registry.snapshot()?));
        Ok(())
    }
}

impl Store {
    /// Opens a data folder to serve it, makes it where it is missing, and recovers what a crash left half done.
    pub fn open(path: &Path, clock: Clock) -> Result<Arc<Store>, StoreError> {
        let folder = Folder::open(path)?;
        let lease = folder.lease()?;
        Store::open_leased(folder, lease, clock)
    }

    /// The same, once the server that runs on the folder has ended.
    pub fn open_next(path: &Path, clock: Clock) -> Result<Arc<Store>, StoreError> {
        let folder = Folder::open(path)?;
        let lease = folder.wait_for_lease()?;
        Store::open_leased(folder, lease, clock)
    }

    pub(crate) fn open_leased(
        folder: Folder,
        lease: Lease,
        clock: Clock,
    ) -> Result<Arc<Store>, StoreError> {
        let definitions = Arc::new(Definitions::open(folder, clock)?);
        let shared = Shared::default();
        let Writing { writer, filter, profiler, merged, tail, mut threads } =
            start_writing(&definitions, &shared)?;
        let Shared { backlog, refused } = shared;
        let (seen, news) = mpsc::channel();
        let watched = definitions.another_registry()?;
        let picks = Picks::open(&mut definitions.registry())?;
        let (watching, writing) = (definitions.clone(), writer.clone());
        let linking = profiler.clone();
        threads.push(threads::start("watch", move || {
            watch::run(&watching, &writing, &linking, watched, &news)
        }));
        Ok(Arc::new(Store {
            definitions,
            writer,
            filter,
            profiler,
            pool: profiles::Pool::default(),
            seen,
            backlog,
            merged,
            tail,
            refused,
            feed: Feed::default(),
            picks,
            readers: Arc::default(),
            threads,
            _lease: lease,
        }))
    }

    /// The time.
    pub fn clock(&self) -> &Clock {
        &self.definitions.clock
    }

    /// All definitions at this moment.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.definitions.snapshot()
    }

    /// The feed of what arrives.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// What people pick on their pages.
    pub fn picks(&self) -> &Picks {
        &self.picks
    }

    /// The data folder.
    pub fn folder(&self) -> &Folder {
        &self.definitions.folder
    }

    /// A reader of what is stored. Its connections are used again once it is dropped.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        self.readers.reader(&self.definitions.folder, &self.tail)
    }

    /// Whether events can be stored; where not, why.
    pub fn health(&self) -> Result<(), String> {
        self.definitions.condition.check().map_err(|error| error.to_string())
    }

    /// Whether nothing is stored any more until a restart; then, why.
    pub fn broken(&self) -> Option<String> {
        self.definitions.condition.broken().map(|error| error.to_string())
    }

    /// Whether more waits to be written than the disk takes in a second, or for the indexes and timelines than may, so that
    /// a request is answered "busy". What was let in before is written all the same.
    pub fn is_busy(&self) -> bool {
        self.backlog.is_full() || self.behind().is_too_much()
    }

    /// How many events the indexes, and the timelines of profiles, are behind the log.
    pub fn behind(&self) -> Lag {
        let linked = *self.profiler.shared.linked.borrow();
        Lag::new(self.profiler.committed(), self.merged.load(Ordering::Acquire), linked)
    }

    /// For work that can wait, between its pieces: in a rush it rests as long as the last one took.
    pub fn make_way(&self, took: Duration) {
        if self.profiler.shared.rushes.load(Ordering::Relaxed) {
            thread::sleep(took);
        }
    }

    /// Stores events and keeps rejected ones aside. Ready only after the commit that holds all of them.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<Written, AppendError> {
        let (seen, old) = self.of_pins(&entries);
        if self.is_busy() {
            return Err(AppendError::Busy);
        }
        let place = self.backlog.enter(entries.iter().map(Entry::weight).sum());
        let told = queue(&self.writer, entries, Some(place))?.await;
        let written = told.map_err(|_| AppendError::Busy)?.outcome()?;
        if !old.is_empty() {
            let mut tally = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            for (event, facts) in &old {
                tally.old_page(*event, facts);
            }
        }
        for first in seen {
            let _ = self.seen.send(first);
        }
        Ok(written)
    }

    /// The places of the log at which events with these ids are. Costs nothing where all of them are new, which nearly all
    /// are: only else the writer is asked, who alone knows what is not merged yet.
    pub(crate) async fn places(&self, ids: Vec<EventId>) -> Result<Places, AppendError> {
        if ids.iter().all(|id| self.filter.is_new(*id)) {
            return Ok(Ok(vec![None; ids.len()]));
        }
        let (done, wait) = oneshot::channel();
        send(&self.writer, Write::Find { ids, done })?;
        wait.await.map_err(|_| AppendError::Busy)
    }

    /// Ready once what was refused until now is counted on disk, as far as it can be written.
    pub async fn refused_are_counted(&self) -> Result<(), AppendError> {
        let (done, wait) = oneshot::channel();
        send(&self.writer, Write::Count { done })?;
        wait.await.map_err(|_| AppendError::Busy)
    }

    /// Counts a beacon that was refused, with its web origin where that is why. Nothing else of it is kept. The count is
    /// on disk within about a second, and may be lost by a crash until then.
    pub fn count_refused(
        &self,
        event: Option<EventNo>,
        count: Count,
        origin: Option<&str>,
        received: Timestamp,
    ) {
        let mut tally = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        tally.refused(event, count, origin, received);
    }

    /// The registry, for changes. What it changes is in the next snapshot; [`Store::reload`] makes that now.
    pub fn registry(&self) -> MutexGuard<'_, Registry> {
        self.definitions.registry()
    }

    /// Changes an event, and has the change in force before it returns.
    pub fn change_event<T>(
        &self,
        number: EventNo,
        actor: &str,
        action: &str,
        change: impl FnOnce(&mut Event) -> Result<T, Refusal>,
    ) -> Result<(Event, T), StoreError> {
        self.definitions.change_event(number, actor, action, change)
    }

    /// Takes all definitions from the registry anew.
    pub fn reload(&self) -> Result<(), StoreError> {
        self.definitions.reload()
    }

    /// Stores what is in an event's quarantine after all, as the version each came under or as the current one.
    pub fn replay(
        &self,
        known: &Known,
        as_current: bool,
        actor: &str,
    ) -> Result<ReplayReport, StoreError> {
        jobs::replay_here(&self.definitions, &self.writer, known, as_current, actor, |_| true)
    }

    /// Replays some of an event's quarantine, or sees what would become of it. After each some hundred `tell` hears how far
    /// it has come, and says whether to go on. Blocks: not to be called where others wait.
    pub fn replay_some(
        &self,
        order: &Replay,
        tell: impl FnMut(&ReplayCount) -> bool,
    ) -> Result<ReplayCount, StoreError> {
        replay::run(&self.definitions, &self.writer, order, tell, |_, _| {})
    }

    /// Pins whose first beacon is among these, and which of these came from an older snippet than the one that is live.
    fn of_pins(&self, entries: &[Entry]) -> (Vec<Seen>, Vec<(EventNo, Facts)>) {
        let snapshot = self.definitions.snapshot.load();
        let (mut first, mut old) = (Vec::new(), Vec::new());
        for entry in entries {
            let (number, facts, accepted) = match entry {
                Entry::Accepted(number, accepted) => (number, accepted.facts(), true),
                Entry::Quarantined(number, kept, _) => (number, &kept.facts, false),
                Entry::Replayed(..) => continue,
            };
            let pin = snapshot.by_number(*number).and_then(|known| known.event.tracking().pin());
            let Some(pin) = pin.filter(|_| !facts.test) else { continue };
            if accepted && pin.seen.is_none() && pin.version == facts.ver {
                first.push(Seen { event: *number, version: facts.ver });
            }
            let is_old = facts.ver < pin.version || facts.rev.is_some_and(|rev| rev < pin.rev);
            if is_old && facts.url.is_some() {
                old.push((*number, facts.clone()));
            }
        }
        (first, old)
    }
}

/// Gives entries to the writer, and what to wait by.
pub(crate) fn queue(
    writer: &SyncSender<Write>,
    entries: Vec<Entry>,
    place: Option<Place>,
) -> Result<oneshot::Receiver<Told>, AppendError> {
    let (done, wait) = oneshot::channel();
    send(writer, Write::Append { entries, done, place })?;
    Ok(wait)
}

fn send(writer: &SyncSender<Write>, write: Write) -> Result<(), AppendError> {
    writer.try_send(write).map_err(|refused| match refused {
        TrySendError::Full(_) => AppendError::Busy,
        TrySendError::Disconnected(_) => AppendError::Broken("the writer has stopped".to_owned()),
    })
}

impl Drop for Store {
    fn drop(&mut self) {
        // Threads end once nobody can ask them for anything: the watching one, then the writer, then the merger and the one
        // of profiles.
        let (closed, _) = mpsc::channel();
        drop(std::mem::replace(&mut self.seen, closed));
        // Who writes closes last, so that the write-ahead logs are gone with everything deleted that is in them.
        self.readers.close();
        let (closed, _) = mpsc::sync_channel(0);
        drop(std::mem::replace(&mut self.writer, closed));
        self.profiler.close();
        self.pool.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// What the threads that write share with everybody.
#[derive(Default)]
struct Shared {
    backlog: Arc<Backlog>,
    refused: Arc<Mutex<Tally>>,
}

/// The threads that write, and how to ask them.
struct Writing {
    writer: SyncSender<Write>,
    filter: Arc<Filter>,
    profiler: Profiler,
    merged: Arc<AtomicI64>,
    tail: Arc<Tail>,
    threads: Vec<JoinHandle<()>>,
}

/// Recovers the log, then starts the threads that write it and merge behind it.
fn start_writing(definitions: &Definitions, shared: &Shared) -> Result<Writing, StoreError> {
    let folder = &definitions.folder;
    let condition = &definitions.condition;
    let Shared { backlog, refused } = shared;
    let events = EVENTS.open_for(folder, condition)?;
    write_back::write_out(&events).map_err(|error| EVENTS.named(error.into()))?;
    let mut index = INDEX.open(folder)?;
    write_back::write_out(&index).map_err(|error| INDEX.named(error.into()))?;
    index.watch_for(condition, &INDEX, merger::CHECKPOINT)?;
    let filter = Filter::new();
    let merged = Arc::new(AtomicI64::new(0));
    let keyed = definitions.registry().keyed()?;
    filter.look_for_erased(&index)?;
    let mut merger = Merger {
        index,
        merged: merged.clone(),
        condition: condition.clone(),
        filter: filter.clone(),
        keyed: keyed.clone(),
    };
    // No place is used twice, not even where the index was made anew and the newest rows were deleted.
    let linked = profiles::watermark(&*PROFILES.open(folder)?)?;
    let next_seq = merger.catch_up(&events)?.max(linked + 1);
    // The newest rows may be deleted: nothing is behind then.
    merged.store(next_seq - 1, Ordering::Release);
    let (profiler, linking) =
        profiles::start(folder, keyed.clone(), next_seq - 1, condition.clone())?;
    let (to_merger, merges) = mpsc::channel();
    let (to_writer, writes) = mpsc::sync_channel(QUEUE);
    let (index, tail) = (INDEX.open_to_read(folder)?, Arc::new(Tail::new(next_seq)));
    let (filling, scan) = (filter.clone(), INDEX.open_to_read(folder)?);
    let writer = Writer {
        events,
        index,
        filter: filter.clone(),
        keyed,
        merger: to_merger,
        merged: merged.clone(),
        next_seq,
        unmerged: Pending::default(),
        tail: tail.clone(),
        ticks: 0,
        handed_over: Instant::now(),
        refused: refused.clone(),
        uncounted: 0,
        linking: profiler.behind(),
        condition: condition.clone(),
        backlog: backlog.clone(),
    };
    let behind = profiler.behind();
    let threads = vec![
        linking,
        threads::start("index-merger", move || merger.run(&merges, &behind)),
        threads::start("log-writer", move || writer.run(&writes)),
        threads::start("filter", move || {
            // Without the filter every id is looked up: slower, and as exact.
            if let Err(error) = filling.fill(&scan) {
                tracing::warn!(
                    %error,
                    "reading ids into the filter failed; every id is looked up instead"
                );
            }
        }),
    ];
    Ok(Writing { writer: to_writer, filter, profiler, merged, tail, threads })
}
