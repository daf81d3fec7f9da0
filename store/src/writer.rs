//! The one thread that writes the log: takes the requests that wait, writes them as one group, and answers after the
//! group's commit.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use beaconry_model::event_id::EventId;
use beaconry_model::judge::{Accepted, Quarantined};
use beaconry_model::time::Timestamp;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::backlog::{Backlog, Place};
use crate::condition::Condition;
use crate::counts;
use crate::index::{self, Deleted, Filter, Unmerged};
use crate::keyed::Keyed;
use crate::lag::Lag;
use crate::log;
use crate::merger::Merge;
use crate::profiles::Behind;
use crate::quarantine;
use crate::schema::{EVENTS, give_back_pages, rewrite_a_page};
use crate::scrub;
use crate::snapshot::EventNo;
use crate::tail::Tail;
use crate::tally::{Held, Tally};
use crate::told::{self, Done};
use crate::write_back::Writable;

/// Requests that may wait for the writer; one more is answered "busy".
pub(crate) const QUEUE: usize = 8_192;
/// Events that one commit holds at the most, so that the first of a group does not wait long for the last.
const GROUP: usize = 4_096;
/// Events in a run that is merged into the indexes. The longer, the more of them share pages; the memory for one is 16 MiB.
const RUN: usize = 200_000;
/// Ticks that events wait to be merged while few arrive, and longer where merging is slow: many take hardly longer than few.
const PATIENCE: u32 = 3;
/// Ticks between two writings of what was refused: a second.
const COUNTED_EVERY: u32 = 5;

/// One thing to write.
#[derive(Clone, Debug)]
pub enum Entry {
    /// An event that may be stored.
    Accepted(EventNo, Accepted),
    /// A beacon that is kept aside until this moment.
    Quarantined(EventNo, Quarantined, Timestamp),
    /// An event that is stored after all, and leaves the quarantine, where it has this number.
    Replayed(EventNo, Accepted, i64),
}

impl Entry {
    /// The event's definition.
    pub fn event(&self) -> EventNo {
        let (Entry::Accepted(event, _)
        | Entry::Quarantined(event, ..)
        | Entry::Replayed(event, ..)) = self;
        *event
    }

    /// About what it takes in memory and on disk, in bytes.
    pub(crate) fn weight(&self) -> usize {
        const FACTS: usize = 200;
        FACTS
            + match self {
                Entry::Accepted(_, accepted) | Entry::Replayed(_, accepted, _) => {
                    accepted.data().len()
                }
                Entry::Quarantined(_, kept, _) => kept.raw.len(),
            }
    }
}

/// Pages given back after each deletion.
const VACUUM_PAGES: u32 = 256;

/// Why nothing of a request was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// More waits to be written, or merged, than is allowed to.
    Busy,
    /// The disk is full. Writing goes on by itself once there is room.
    Full,
    /// The disk failed. Nothing is written any more until a restart.
    Broken(String),
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppendError::Busy => f.write_str("more waits to be written than is allowed to"),
            AppendError::Full => {
                f.write_str("the disk is full; make room, and writing goes on by itself")
            }
            AppendError::Broken(why) => {
                write!(f, "the disk failed ({why}); mend it, then restart Beaconry")
            }
        }
    }
}

impl std::error::Error for AppendError {}

/// How many of a request's events were stored, and how many were there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Stored by this request.
    pub stored: usize,
    /// Stored before, so not again.
    pub duplicates: usize,
}

/// A request's entries, and who waits for them.
type Append = (Vec<Entry>, Done);

/// The place of the log of each id that was asked for; `None` where it was never stored.
pub(crate) type Places = Result<Vec<Option<i64>>, rusqlite::Error>;

/// What the writer is asked to do.
#[derive(Debug)]
pub(crate) enum Write {
    /// Store these, then say so. Without a place among what waits, only where the indexes are not too far behind.
    Append { entries: Vec<Entry>, done: Done, place: Option<Place> },
    /// Say at which places of the log these ids are.
    Find { ids: Vec<EventId>, done: oneshot::Sender<Places> },
    /// Write down what was refused until now.
    Count { done: oneshot::Sender<()> },
    /// Some time has passed.
    Tick,
    /// Delete these events, whose time has passed.
    Delete { deleted: Vec<Deleted>, now: Timestamp, done: std::sync::mpsc::Sender<()> },
    /// Delete these, whose person is erased; says so once the indexes hold nothing of them.
    Erase { deleted: Vec<Deleted>, now: Timestamp, done: std::sync::mpsc::Sender<()> },
    /// Delete some of the quarantine that has expired; says how many.
    ExpireQuarantine { now: Timestamp, limit: u32, done: std::sync::mpsc::Sender<usize> },
    /// Take these out of the quarantine.
    DropQuarantine { numbers: Vec<i64>, done: std::sync::mpsc::Sender<()> },
    /// Overwrite what deleted rows left on these pages.
    Scrub { pages: Vec<u32>, done: std::sync::mpsc::Sender<()> },
}

/// The writer's state.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) events: Writable,
    /// For look-ups of ids; the merger writes.
    pub(crate) index: Connection,
    pub(crate) filter: Arc<Filter>,
    /// What hashes the ids of erased events.
    pub(crate) keyed: Keyed,
    pub(crate) merger: Sender<Merge>,
    /// The last place of the log that is merged.
    pub(crate) merged: Arc<AtomicI64>,
    /// The next free place of the log.
    pub(crate) next_seq: i64,
    pub(crate) unmerged: Pending,
    /// The same for who reads.
    pub(crate) tail: Arc<Tail>,
    /// Ticks since the last run was handed over.
    pub(crate) ticks: u32,
    /// When that was.
    pub(crate) handed_over: Instant,
    /// What was refused since it was last written down.
    pub(crate) refused: Arc<Mutex<Tally>>,
    /// Ticks since then.
    pub(crate) uncounted: u32,
    /// What links events to profiles.
    pub(crate) linking: Behind,
    /// Whether anything can be written.
    pub(crate) condition: Arc<Condition>,
    /// What waits for it.
    pub(crate) backlog: Arc<Backlog>,
}

/// Events in the log whose ids the indexes do not hold yet.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// The run that is growing.
    run: Vec<Unmerged>,
    /// Its ids, with their places of the log.
    ids: HashMap<EventId, i64>,
    /// Runs on their way, with the place of the log each reaches to.
    merging: VecDeque<(HashMap<EventId, i64>, i64)>,
}

impl Pending {
    fn place(&self, id: &EventId) -> Option<i64> {
        let merging = || self.merging.iter().find_map(|(ids, _)| ids.get(id));
        self.ids.get(id).or_else(merging).copied()
    }

    fn let_go(&mut self, merged: i64) {
        while self.merging.front().is_some_and(|(_, reaches)| *reaches <= merged) {
            self.merging.pop_front();
        }
    }
}

impl Writer {
    /// Works until everybody who could ask is gone, then leaves the rest of the log to the merger.
    pub(crate) fn run(mut self, asked: &Receiver<Write>) {
        while let Ok(first) = asked.recv() {
            // First, so that what was erased since is not known by its id any more.
            self.let_go();
            self.group(first, asked);
            if self.unmerged.run.len() >= RUN {
                self.hand_over();
            }
        }
        self.hand_over();
        self.count_refused();
    }

    /// Forgets what is merged.
    fn let_go(&mut self) {
        let merged = self.merged.load(Ordering::Acquire);
        self.unmerged.let_go(merged);
        self.tail.let_go(merged);
    }

    /// Writes what waits as one transaction.
    fn group(&mut self, first: Write, asked: &Receiver<Write>) {
        let (mut appends, mut chores) = (Vec::new(), Vec::new());
        let (mut next, mut events, mut bytes) = (Some(first), 0, 0);
        while let Some(write) = next {
            match write {
                Write::Append { done, place: None, .. } if self.is_behind() => {
                    told::refuse(done, AppendError::Busy);
                }
                Write::Append { entries, done, place } => {
                    events += entries.len();
                    bytes += place.map_or(0, Place::leave);
                    appends.push((entries, done));
                }
                chore => chores.push(chore),
            }
            next = if events < GROUP { asked.try_recv().ok() } else { None };
        }
        if !appends.is_empty() {
            self.append(appends, bytes);
        }
        for chore in chores {
            self.chore(chore);
        }
    }

    fn append(&mut self, appends: Vec<Append>, bytes: usize) {
        let (mut run, started) = (Vec::new(), Instant::now());
        let outcome = match self.condition.broken() {
            Some(broken) => Err(broken),
            None => self
                .commit(&appends, &mut run)
                .map_err(|error| self.condition.failed(EVENTS.name, &error)),
        };
        match outcome {
            Ok(written) => {
                self.condition.wrote();
                self.backlog.wrote(bytes, started.elapsed());
                self.next_seq += run.len() as i64;
                self.tail.add(&run);
                self.unmerged.run.append(&mut run);
                self.linking.committed(self.next_seq - 1);
                told::tell(appends.into_iter().map(|(_, done)| done).zip(written));
            }
            Err(error) => {
                for unmerged in &run {
                    self.unmerged.ids.remove(&unmerged.id);
                }
                for (_, done) in appends {
                    told::refuse(done, error.clone());
                }
            }
        }
    }

    /// Whether what nobody was let in for has to wait: a replay. Requests were asked about it before they came here.
    fn is_behind(&self) -> bool {
        let merged = self.merged.load(Ordering::Acquire);
        Lag::new(self.next_seq - 1, merged, self.linking.linked()).is_too_much()
    }

    /// One transaction for the whole group. Ids it stores are known at once, so that a group holds none twice; the caller
    /// forgets them again where the commit fails.
    fn commit(
        &mut self,
        appends: &[Append],
        run: &mut Vec<Unmerged>,
    ) -> Result<Vec<Written>, rusqlite::Error> {
        let transaction = self.events.unchecked_transaction()?;
        let mut all = Vec::with_capacity(appends.len());
        let mut tally = Tally::default();
        let mut rows = Vec::new();
        for (entries, _) in appends {
            let mut written = Written::default();
            for entry in entries {
                let (event, accepted, replayed) = match entry {
                    Entry::Quarantined(event, kept, expires) => {
                        if quarantine::insert(&transaction, *event, kept, *expires)? {
                            tally.quarantined(*event, kept);
                        }
                        continue;
                    }
                    Entry::Replayed(event, accepted, number) => {
                        if let Some((event, code)) = quarantine::remove(&transaction, *number)? {
                            tally.hold(event, Held::Quarantined(code), -1);
                        }
                        (event, accepted, true)
                    }
                    Entry::Accepted(event, accepted) => (event, accepted, false),
                };
                let facts = accepted.facts();
                let is_new = self.filter.add(facts.id);
                if self.is_known(facts.id, is_new)? {
                    written.duplicates += 1;
                    continue;
                }
                let seq = self.next_seq + run.len() as i64;
                rows.push((*event, accepted));
                tally.stored(*event, accepted, replayed);
                self.unmerged.ids.insert(facts.id, seq);
                run.push(Unmerged {
                    id: facts.id,
                    seq,
                    event: *event,
                    ver: facts.ver,
                    received: facts.received,
                    test: facts.test,
                });
                written.stored += 1;
            }
            all.push(written);
        }
        log::insert(&transaction, self.next_seq, &rows)?;
        tally.write(&transaction)?;
        transaction.commit()?;
        Ok(all)
    }

    /// The place of the log of an id that was stored before: in the group, not merged yet, or merged.
    fn place(&self, id: EventId) -> Result<Option<i64>, rusqlite::Error> {
        match self.unmerged.place(&id) {
            Some(place) => Ok(Some(place)),
            None => index::place(&self.index, id),
        }
    }

    /// Whether this id was stored before, also of somebody who was erased since. `is_new` says that the log cannot have it.
    fn is_known(&self, id: EventId, is_new: bool) -> Result<bool, rusqlite::Error> {
        Ok(!is_new && self.place(id)?.is_some()
            || index::was_erased(&self.index, &self.filter, &self.keyed, id)?)
    }

    fn chore(&mut self, chore: Write) {
        let outcome = match chore {
            Write::Append { .. } => Ok(()),
            Write::Count { done } => {
                self.count_refused();
                let _ = done.send(());
                return;
            }
            Write::Find { ids, done } => {
                let place = |id| if self.filter.is_new(id) { Ok(None) } else { self.place(id) };
                let _ = done.send(ids.into_iter().map(place).collect());
                return;
            }
            Write::Tick => {
                self.ticks += 1;
                if self.ticks >= PATIENCE && self.unmerged.merging.is_empty() {
                    self.hand_over();
                }
                self.uncounted += 1;
                if self.uncounted >= COUNTED_EVERY {
                    self.count_refused();
                }
                if self.condition.is_full() {
                    self.look_for_room();
                }
                return;
            }
            Write::Delete { mut deleted, now, done } => self.delete(&mut deleted).map(|()| {
                let _ = self.merger.send(Merge::Forget { deleted, now });
                let _ = done.send(());
            }),
            Write::Erase { mut deleted, now, done } => self.delete(&mut deleted).map(|()| {
                // What is not merged yet would be merged behind it.
                self.hand_over();
                let _ = self.merger.send(Merge::Erase { deleted, now, done });
            }),
            Write::DropQuarantine { numbers, done } => self.drop_quarantine(&numbers).map(|()| {
                let _ = done.send(());
            }),
            Write::Scrub { pages, done } => self.scrub(&pages).map(|()| {
                let _ = done.send(());
            }),
            Write::ExpireQuarantine { now, limit, done } => {
                self.expire_quarantine(now, limit).map(|expired| {
                    let _ = done.send(expired);
                })
            }
        };
        let outcome = outcome.and_then(|()| match self.linking.pages_stay() {
            true => Ok(()),
            false => give_back_pages(&self.events, VACUUM_PAGES),
        });
        if let Err(error) = outcome {
            tracing::error!(%error, "deleting what has expired failed; it is tried again later");
        }
    }

    /// Deletes these from the log, and notes what each was.
    fn delete(&mut self, deleted: &mut [Deleted]) -> Result<(), rusqlite::Error> {
        let transaction = self.events.unchecked_transaction()?;
        let mut tally = Tally::default();
        for gone in deleted {
            let mut statement =
                transaction.prepare_cached("DELETE FROM events WHERE seq = ? RETURNING id, ver")?;
            let mut rows = statement.query([gone.seq])?;
            let Some(row) = rows.next()? else { continue };
            let ver = row.get(1)?;
            gone.was = Some((EventId(row.get(0)?), ver));
            let held = if gone.test { Held::Trial(ver) } else { Held::Stored(ver) };
            tally.hold(gone.event, held, -1);
        }
        tally.write(&transaction)?;
        transaction.commit()
    }

    fn expire_quarantine(&mut self, now: Timestamp, limit: u32) -> Result<usize, rusqlite::Error> {
        let transaction = self.events.unchecked_transaction()?;
        let mut tally = Tally::default();
        let expired = quarantine::expire(&transaction, now, limit)?;
        for (event, code) in &expired {
            tally.hold(*event, Held::Quarantined(*code), -1);
        }
        tally.write(&transaction)?;
        counts::prune(&transaction, now)?;
        transaction.commit()?;
        Ok(expired.len())
    }

    /// Writes down what was refused. Counts that cannot be written wait for the next time; they are bounded.
    fn count_refused(&mut self) {
        self.uncounted = 0;
        if self.condition.broken().is_some() {
            return;
        }
        let tally = {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *refused)
        };
        if tally.is_empty() {
            return;
        }
        let written = self.events.unchecked_transaction().and_then(|transaction| {
            tally.write(&transaction)?;
            transaction.commit()
        });
        if let Err(error) = written {
            self.condition.failed(EVENTS.name, &error);
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            refused.add(tally);
        }
    }

    fn drop_quarantine(&mut self, numbers: &[i64]) -> Result<(), rusqlite::Error> {
        let transaction = self.events.unchecked_transaction()?;
        let mut tally = Tally::default();
        for number in numbers {
            if let Some((event, code)) = quarantine::remove(&transaction, *number)? {
                tally.hold(event, Held::Quarantined(code), -1);
            }
        }
        tally.write(&transaction)?;
        transaction.commit()
    }

    /// Writes a page that stays as it is, so that a full disk is known to have room again even where nobody sends.
    fn look_for_room(&self) {
        match rewrite_a_page(&self.events) {
            Ok(()) => self.condition.wrote(),
            Err(error) => {
                self.condition.failed(EVENTS.name, &error);
            }
        }
    }

    fn scrub(&mut self, pages: &[u32]) -> Result<(), rusqlite::Error> {
        let transaction = self.events.unchecked_transaction()?;
        scrub::clean(&transaction, pages)?;
        transaction.commit()
    }

    /// Gives the growing run to the merger.
    fn hand_over(&mut self) {
        self.ticks = 0;
        let gathered = std::mem::replace(&mut self.handed_over, Instant::now()).elapsed();
        let Some(reaches) = self.unmerged.run.last().map(|unmerged| unmerged.seq) else { return };
        let run = std::mem::take(&mut self.unmerged.run);
        // The next run is likely to be as long.
        let empty = HashMap::with_capacity(run.len());
        let ids = std::mem::replace(&mut self.unmerged.ids, empty);
        self.unmerged.merging.push_back((ids, reaches));
        let _ = self.merger.send(Merge::Run { run, reaches, gathered });
    }
}
