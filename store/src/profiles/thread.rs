//! The one thread that writes `profiles.db`: does what is asked in groups of one commit each, and between them links what
//! the log has new.

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{oneshot, watch};

use super::error::ProfileError;
use super::gathering::Gathering;
use super::identify::Lately;
use super::link;
use super::locks::Locks;
use crate::condition::Condition;
use crate::error::StoreError;
use crate::folder::Folder;
use crate::hooks::Queue;
use crate::keyed::Keyed;
use crate::schema::{EVENTS, PROFILES, give_back_pages};
use crate::threads::{self, Rank};
use crate::write_back::{self, Writable};

/// Changes that one commit holds at the most.
const GROUP: usize = 256;
/// How long the thread lets events gather before it looks again; a change waits for its turn no longer.
const WAIT: Duration = Duration::from_millis(10);
/// Pages written ahead before they are written back: 16 MiB, so that a page that many events come onto is written back once
/// for all of them.
const CHECKPOINT: c_int = 4_000;
/// Pages given back after each group of changes.
const VACUUM_PAGES: u32 = 64;

/// What others need of the thread.
#[derive(Clone, Debug)]
pub(crate) struct Profiler {
    asks: Sender<Ask>,
    pub(crate) shared: Arc<Shared>,
}

/// What the thread shares with everybody.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Who is locked.
    pub(crate) locks: Locks,
    /// The last place of the log that is linked.
    pub(crate) linked: watch::Sender<i64>,
    /// Whether rows of the log wait to be deleted, because they came for somebody who is erased.
    pub(crate) doomed: AtomicBool,
    /// Whether somebody is being erased now.
    pub(super) erasing: AtomicBool,
    /// Held by who erases.
    pub(super) erasing_turn: Mutex<()>,
    /// Who was joined lately.
    pub(super) lately: Lately,
    /// Whether anything can be written.
    pub(super) condition: Arc<Condition>,
    /// What webhooks wait for, and who has changed since they looked.
    pub(crate) hooks: Queue,
    /// Whether there is a rush.
    pub(crate) rushes: AtomicBool,
    /// The last place of the log that holds an event.
    committed: AtomicI64,
    /// Whether the thread knows already that the log has something new.
    told: AtomicBool,
}

impl Shared {
    /// Lets visitors be joined again with people whom they were joined with before.
    pub(super) fn forget_identified(&self) {
        self.lately.forget();
    }

    /// Whether pages of databases may not be moved now.
    fn pages_stay(&self) -> bool {
        self.erasing.load(Ordering::Acquire)
    }
}

/// Tells the thread what the log has new, and the writer how far behind the thread is.
#[derive(Clone, Debug)]
pub(crate) struct Behind(Profiler);

impl Behind {
    /// The log holds everything up to this place.
    pub(crate) fn committed(&self, seq: i64) {
        self.0.shared.committed.fetch_max(seq, Ordering::AcqRel);
        self.0.tell();
    }

    /// Whether pages of databases may not be moved now, because somebody is being erased.
    pub(crate) fn pages_stay(&self) -> bool {
        self.0.shared.pages_stay()
    }

    /// The last place of the log that is linked.
    pub(crate) fn linked(&self) -> i64 {
        *self.0.shared.linked.borrow()
    }
}

#[derive(Debug)]
enum Ask {
    Link,
    Change(Box<dyn Change>),
}

/// A change that somebody waits for.
trait Change: Send + std::fmt::Debug {
    /// Makes it. Says whether it is to be kept.
    fn make(&mut self, connection: &Connection) -> bool;
    /// Says what became of it, once its group is on disk or is not.
    fn answer(self: Box<Self>, committed: Result<(), ProfileError>);
}

struct Asked<T, F> {
    change: Option<F>,
    outcome: Option<Result<T, ProfileError>>,
    done: oneshot::Sender<Result<T, ProfileError>>,
}

impl<T, F> std::fmt::Debug for Asked<T, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a change of profiles")
    }
}

impl<T, F> Change for Asked<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, ProfileError> + Send,
{
    fn make(&mut self, connection: &Connection) -> bool {
        self.outcome = self.change.take().map(|change| change(connection));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), ProfileError>) {
        let outcome = match (self.outcome, committed) {
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (Some(Ok(outcome)), Ok(())) => Ok(outcome),
            (None, Ok(())) => Err(ProfileError::Busy),
        };
        let _ = self.done.send(outcome);
    }
}

impl Profiler {
    /// Asks for a change, and gives what to wait by. Ready only after the commit that holds it.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, ProfileError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, ProfileError>> {
        let (done, wait) = oneshot::channel();
        let asked = Asked { change: Some(change), outcome: None, done };
        let _ = self.asks.send(Ask::Change(Box::new(asked)));
        wait
    }

    /// Makes a change, and waits for it on this thread, which must not be an async one.
    pub(crate) fn make<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, ProfileError> + Send + 'static,
    ) -> Result<T, ProfileError> {
        self.ask(change).blocking_recv().map_err(|_| StoreError::Stopped)?
    }

    /// Has the thread look at the log again where it is behind, as after a failure that has passed.
    pub(crate) fn nudge(&self) {
        if *self.shared.linked.borrow() < self.committed() {
            self.tell();
        }
    }

    fn tell(&self) {
        if !self.shared.told.swap(true, Ordering::AcqRel) {
            let _ = self.asks.send(Ask::Link);
        }
    }

    /// Lets go of the thread, so that it can end.
    pub(crate) fn close(&mut self) {
        let (closed, _) = mpsc::channel();
        self.asks = closed;
    }

    pub(crate) fn behind(&self) -> Behind {
        Behind(self.clone())
    }

    /// The last place of the log that holds an event.
    pub(crate) fn committed(&self) -> i64 {
        self.shared.committed.load(Ordering::Acquire)
    }
}

/// Opens `profiles.db` and starts the thread; `last` is the last place of the log. What lies above the watermark is linked
/// again behind the start.
pub(crate) fn start(
    folder: &Folder,
    keyed: Keyed,
    last: i64,
    condition: Arc<Condition>,
) -> Result<(Profiler, JoinHandle<()>), StoreError> {
    let mut profiles = PROFILES.open(folder)?;
    write_back::write_out(&profiles).map_err(|error| PROFILES.named(error.into()))?;
    // 16 MiB: timelines lie all over the file.
    profiles.pragma_update(None, "cache_size", -16_384)?;
    profiles.watch_for(&condition, &PROFILES, CHECKPOINT)?;
    let locks = Locks::load(&profiles, keyed)?;
    let watermark = link::watermark(&profiles)?;
    let doomed =
        profiles.query_row("SELECT EXISTS (SELECT 1 FROM doomed)", [], |row| row.get(0))?;
    let hooks = Queue::open(folder, &condition)?;
    let (asks, asked) = mpsc::channel();
    // Not opened to read, although it only reads: the last to close must be able to empty the write-ahead log.
    let events = EVENTS.open_for(folder, &condition)?;
    events.pragma_update(None, "query_only", "ON")?;
    let shared = Arc::new(Shared {
        locks,
        linked: watch::Sender::new(watermark),
        doomed: AtomicBool::new(doomed),
        erasing: AtomicBool::new(false),
        erasing_turn: Mutex::default(),
        lately: Lately::default(),
        condition,
        hooks,
        rushes: AtomicBool::new(false),
        committed: AtomicI64::new(last.max(watermark)),
        told: AtomicBool::new(false),
    });
    let committed = shared.committed.load(Ordering::Acquire);
    let gathering = Gathering::new(watermark, committed, Instant::now());
    let thread = Thread { profiles, events, shared: shared.clone(), gathering };
    let running = threads::start_behind("profile-linker", Rank::Low, move || thread.run(&asked));
    Ok((Profiler { asks, shared }, running))
}

/// The thread's state.
struct Thread {
    profiles: Writable,
    events: Writable,
    shared: Arc<Shared>,
    gathering: Gathering,
}

impl Thread {
    /// Works until everybody who could ask is gone, then links the rest.
    fn run(mut self, asked: &Receiver<Ask>) {
        // Whether the log may hold more than is linked.
        let mut more = true;
        loop {
            let first = if more {
                match asked.try_recv() {
                    Ok(ask) => Some(ask),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) => break,
                }
            } else {
                match asked.recv() {
                    Ok(ask) => Some(ask),
                    Err(_) => break,
                }
            };
            let changes = gather(first, asked, &mut more);
            if !changes.is_empty() {
                self.change(changes);
            }
            if more {
                match self.next() {
                    Some(events) => more = self.link(events),
                    None => std::thread::sleep(WAIT),
                }
            }
        }
        while self.link(self.gathering.all(self.committed())) {}
    }

    /// Makes changes as one transaction; each that is refused leaves no trace in it.
    fn change(&mut self, mut changes: Vec<Box<dyn Change>>) {
        let committed = match self.shared.condition.broken() {
            Some(broken) => Err(broken),
            None => self
                .make_all(&mut changes)
                .map_err(|error| self.shared.condition.failed(PROFILES.name, &error)),
        };
        self.shared.hooks.changed();
        for change in changes {
            change.answer(committed.clone().map_err(ProfileError::from));
        }
        if !self.shared.pages_stay() {
            // What is not given back now is later.
            let _ = give_back_pages(&self.profiles, VACUUM_PAGES);
        }
    }

    fn make_all(&mut self, changes: &mut [Box<dyn Change>]) -> Result<(), rusqlite::Error> {
        self.profiles.pragma_update(None, "synchronous", "FULL")?;
        let mut transaction =
            self.profiles.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for change in changes {
            let savepoint = transaction.savepoint()?;
            if change.make(&savepoint) {
                savepoint.commit()?;
            }
        }
        transaction.commit()
    }

    /// How many events to link now; `None` to let more arrive.
    fn next(&mut self) -> Option<usize> {
        let awaited =
            self.shared.linked.receiver_count() > 0 || self.shared.erasing.load(Ordering::Acquire);
        let next = self.gathering.next(self.committed(), awaited, Instant::now());
        self.shared.rushes.store(self.gathering.rushes(), Ordering::Relaxed);
        next
    }

    /// The last place of the log that holds an event.
    fn committed(&self) -> i64 {
        self.shared.committed.load(Ordering::Acquire)
    }

    /// Links the next events of the log. Says whether there may be more now. What a full disk refuses is tried again when
    /// the log has more, and several times a second; after any other failure of the disk nothing is linked until the next
    /// start, which goes on from the watermark.
    fn link(&mut self, events: usize) -> bool {
        self.shared.told.store(false, Ordering::Release);
        if self.shared.condition.broken().is_some() {
            return false;
        }
        let committed = self.committed();
        let linked =
            link::link_some(&mut self.profiles, &self.events, &self.shared, committed, events);
        self.gathering.linked(*self.shared.linked.borrow(), committed, Instant::now());
        match linked {
            Ok(more) => more,
            Err((database, StoreError::Sqlite(error))) => {
                self.shared.condition.failed(database.name, &error);
                false
            }
            Err((_, error)) => {
                tracing::error!(%error, "linking events to profiles failed; it is tried again");
                false
            }
        }
    }
}

/// Everything that waits, up to the size of a group.
fn gather(first: Option<Ask>, asked: &Receiver<Ask>, more: &mut bool) -> Vec<Box<dyn Change>> {
    let mut changes = Vec::new();
    let mut next = first;
    while let Some(ask) = next {
        match ask {
            Ask::Link => *more = true,
            Ask::Change(change) => changes.push(change),
        }
        next = if changes.len() < GROUP { asked.try_recv().ok() } else { None };
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lag::UNLINKED;
    use crate::{AppendError, Clock, Store, Written};

    #[tokio::test]
    async fn what_comes_while_linking_is_too_far_behind_is_put_off() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Clock::default()).unwrap();
        let (shared, nothing) = (&store.profiler.shared, Ok(Written::default()));
        // The thread is kept from linking until it is let go.
        let (let_go, kept) = mpsc::channel::<()>();
        let changed = store.profiler.ask(move |_| Ok(kept.recv().is_ok()));
        let reach = |place: i64| {
            shared.committed.store(place, Ordering::Release);
            store.merged.store(place, Ordering::Release);
        };
        reach(UNLINKED as i64);
        assert_eq!(store.append(vec![]).await, nothing);
        reach(UNLINKED as i64 + 1);
        assert_eq!(store.append(vec![]).await, Err(AppendError::Busy));
        assert_eq!(store.behind().unlinked, UNLINKED + 1);

        let mut linked = shared.linked.subscribe();
        let_go.send(()).unwrap();
        assert!(changed.await.unwrap().unwrap());
        store.profiler.tell();
        linked.wait_for(|linked| *linked > UNLINKED as i64).await.unwrap();
        assert_eq!(store.append(vec![]).await, nothing);
    }
}
