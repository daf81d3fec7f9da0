//! The store of a running server: the folder's lease, the threads that write, and all definitions in memory.

use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::sync::mpsc::{self, Sender, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use arc_swap::ArcSwap;
use tokio::sync::oneshot;

use beaconry_model::error::Refusal;
use beaconry_model::event::Event;

use crate::clock::Clock;
use crate::error::StoreError;
use crate::folder::{Folder, Lease};
use crate::index::Filter;
use crate::live::Feed;
use crate::merger::Merger;
use crate::reader::Reader;
use crate::registry::Registry;
use crate::schema::{EVENTS, INDEX};
use crate::snapshot::{EventNo, Snapshot};
use crate::watch::{self, Seen};
use crate::writer::{AppendError, Entry, Pending, QUEUE, Write, Writer, Written};

/// Everything durable of one data folder, opened to serve. One process at a time can have it.
#[derive(Debug)]
pub struct Store {
    folder: Folder,
    clock: Clock,
    snapshot: ArcSwap<Snapshot>,
    registry: Mutex<Registry>,
    writer: SyncSender<Write>,
    seen: Sender<Seen>,
    broken: Arc<OnceLock<String>>,
    feed: Feed,
    threads: Mutex<Vec<JoinHandle<()>>>,
    _lease: Lease,
}

impl Store {
    /// Opens a data folder to serve it, makes it where it is missing, and recovers what a crash left half done.
    pub fn open(path: &Path, clock: Clock) -> Result<Arc<Store>, StoreError> {
        let folder = Folder::open(path)?;
        let lease = folder.lease()?;
        Store::open_leased(folder, lease, clock)
    }

    pub(crate) fn open_leased(
        folder: Folder,
        lease: Lease,
        clock: Clock,
    ) -> Result<Arc<Store>, StoreError> {
        let registry = Registry::open(&folder)?;
        let snapshot = ArcSwap::from_pointee(registry.snapshot()?);
        let broken = Arc::new(OnceLock::new());
        let (writer, mut threads) = start_writing(&folder, broken.clone())?;
        let (seen, news) = mpsc::channel();
        let watched = Registry::open(&folder)?;
        let store = Arc::new_cyclic(|weak| {
            let weak = weak.clone();
            threads.push(thread::spawn(move || watch::run(&weak, watched, &news)));
            Store {
                folder,
                clock,
                snapshot,
                registry: Mutex::new(registry),
                writer,
                seen,
                broken,
                feed: Feed::default(),
                threads: Mutex::new(threads),
                _lease: lease,
            }
        });
        Ok(store)
    }

    /// The time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// All definitions at this moment.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// The feed of what arrives.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The data folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// A reader of what is stored, with connections of its own.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.folder)
    }

    /// Whether events can be stored; where not, why.
    pub fn health(&self) -> Result<(), String> {
        self.broken.get().map_or(Ok(()), |why| Err(AppendError::Broken(why.clone()).to_string()))
    }

    /// Stores events and keeps rejected ones aside. Ready only after the commit that holds all of them.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<Written, AppendError> {
        let seen = self.first_beacons(&entries);
        let written = self.append_queued(entries)?.await.map_err(|_| AppendError::Busy)??;
        for first in seen {
            let _ = self.seen.send(first);
        }
        Ok(written)
    }

    pub(crate) fn append_queued(
        &self,
        entries: Vec<Entry>,
    ) -> Result<oneshot::Receiver<Result<Written, AppendError>>, AppendError> {
        let (done, wait) = oneshot::channel();
        match self.writer.try_send(Write::Append { entries, done }) {
            Ok(()) => Ok(wait),
            Err(TrySendError::Full(_)) => Err(AppendError::Busy),
            Err(TrySendError::Disconnected(_)) => {
                Err(AppendError::Broken("the writer has stopped".to_owned()))
            }
        }
    }

    /// The registry, for changes. What it changes is in the next snapshot; [`Store::reload`] makes that now.
    pub fn registry(&self) -> MutexGuard<'_, Registry> {
        // A panic elsewhere leaves the registry whole: its transaction rolls back.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes an event, and has the change in force before it returns.
    pub fn change_event<T>(
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

    /// Takes all definitions from the registry anew.
    pub fn reload(&self) -> Result<(), StoreError> {
        // The lock is held over the swap, so that an older snapshot never replaces a newer one.
        let registry = self.registry();
        self.snapshot.store(Arc::new(registry.snapshot()?));
        Ok(())
    }

    pub(crate) fn writer(&self) -> &SyncSender<Write> {
        &self.writer
    }

    /// Pins whose first beacon is among these.
    fn first_beacons(&self, entries: &[Entry]) -> Vec<Seen> {
        let snapshot = self.snapshot.load();
        let mut first = Vec::new();
        for entry in entries {
            let Entry::Accepted(number, accepted) = entry else { continue };
            let pin = snapshot.by_number(*number).and_then(|known| known.event.tracking().pin());
            if accepted.facts().test
                || !pin.is_some_and(|pin| pin.seen.is_none() && pin.version == accepted.facts().ver)
            {
                continue;
            }
            first.push(Seen { event: *number, version: accepted.facts().ver });
        }
        first
    }
}

impl Drop for Store {
    /// Waits until everything that was taken is written and merged.
    fn drop(&mut self) {
        let (closed, _) = mpsc::sync_channel(0);
        drop(std::mem::replace(&mut self.writer, closed));
        let (closed, _) = mpsc::channel();
        drop(std::mem::replace(&mut self.seen, closed));
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // The watching thread may be the one that drops the store last; it cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

/// Recovers the log, then starts the threads that write it and merge behind it.
fn start_writing(
    folder: &Folder,
    broken: Arc<OnceLock<String>>,
) -> Result<(SyncSender<Write>, Vec<JoinHandle<()>>), StoreError> {
    let events = EVENTS.open(folder)?;
    let filter = Filter::new();
    let merged = Arc::new(AtomicI64::new(0));
    let mut merger =
        Merger { index: INDEX.open(folder)?, filter: filter.clone(), merged: merged.clone() };
    let next_seq = merger.catch_up(&events)?;
    let (to_merger, merges) = mpsc::channel();
    let (to_writer, writes) = mpsc::sync_channel(QUEUE);
    let index = INDEX.open_to_read(folder)?;
    let (filling, scan) = (filter.clone(), INDEX.open_to_read(folder)?);
    let writer = Writer {
        events,
        index,
        filter,
        merger: to_merger,
        merged,
        next_seq,
        unmerged: Pending::default(),
        broken,
    };
    let threads = vec![
        thread::spawn(move || merger.run(&merges)),
        thread::spawn(move || writer.run(&writes)),
        thread::spawn(move || {
            // Without the filter every id is looked up: slower, and as exact.
            if let Err(error) = filling.fill(&scan) {
                eprintln!(
                    "store: reading ids into the filter failed ({error}); every id is looked up instead"
                );
            }
        }),
    ];
    Ok((to_writer, threads))
}
