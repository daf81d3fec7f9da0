//! What a sender works by: what is next to be posted, and where it says what became of it. Made for one thread.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior, params};

use beaconry_model::event_id::EventId;
use beaconry_model::profile::ProfileId;
use beaconry_model::time::Timestamp;

use super::feed::{self, Cursor, Feed};
use super::known::{HookSecret, KnownWebhook};
use super::members::{self, Look, Watches};
use super::payload::{self, Sources, Waiting};
use super::queue::{Kind, Lane};
use super::settle::{self, Backoff, Outcome};
use super::state;
use crate::error::StoreError;
use crate::keys::Keys;
use crate::profiles::{Shared, Slot};
use crate::schema::{EVENTS, PROFILES};
use crate::snapshot::Snapshot;
use crate::store::{Definitions, Store};

/// One thing to post.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The webhook's number.
    pub hook: u32,
    /// The delivery's number.
    pub number: i64,
    /// Its id, the same at each try.
    pub id: String,
    /// Where to.
    pub url: String,
    /// What it is signed with.
    pub secret: HookSecret,
    /// What is posted: JSON.
    pub body: String,
}

/// The queue as a sender sees it. Opened once, by the process that has the folder.
#[derive(Debug)]
pub struct Outbox {
    definitions: Arc<Definitions>,
    shared: Arc<Shared>,
    keys: Keys,
    events: Connection,
    profiles: Connection,
    backoff: Backoff,
    /// What the webhooks were when they were last looked at.
    synced: Option<Arc<Snapshot>>,
    cursors: HashMap<u32, Cursor>,
    watches: Watches,
    /// Profiles that changed, until all their events are queued.
    held: Vec<Slot>,
    round: Round,
    /// Webhooks that have nothing due before this moment.
    quiet: HashMap<u32, i64>,
}

/// Looking at everybody.
#[derive(Debug)]
struct Round {
    every: Duration,
    began: Option<Instant>,
    /// Whether everybody is to be looked at now.
    wanted: bool,
    /// Whether everybody is to be looked at when it is time again, because a webhook had no room.
    missed: bool,
    /// How far it has come, and the watches that it makes ready.
    under_way: Option<(Slot, Vec<i64>)>,
    /// How far taking out those who are gone has come.
    cleaning: Option<ProfileId>,
}

impl Outbox {
    /// Opens the queue of a store. Everybody is looked at again so often, because who is in a segment changes with time, too.
    pub fn open(store: &Store, backoff: Backoff, every: Duration) -> Result<Outbox, StoreError> {
        let folder = store.folder();
        let (events, profiles) = (EVENTS.open_to_read(folder)?, PROFILES.open_to_read(folder)?);
        events.set_prepared_statement_cache_capacity(32);
        profiles.set_prepared_statement_cache_capacity(64);
        Ok(Outbox {
            definitions: store.definitions.clone(),
            shared: store.profiler.shared.clone(),
            keys: Keys::open(folder)?,
            events,
            profiles,
            backoff,
            synced: None,
            cursors: HashMap::new(),
            watches: Watches::default(),
            held: Vec::new(),
            round: Round {
                every,
                began: None,
                wanted: true,
                missed: false,
                under_way: None,
                cleaning: None,
            },
            quiet: HashMap::new(),
        })
    }

    /// Queues some of what is new. Says whether there is more to do at once.
    pub fn step(&mut self) -> Result<bool, StoreError> {
        let outcome = self.step_once();
        if outcome.is_err() {
            // What was read is not on disk, so it is read again.
            self.synced = None;
            self.cursors.clear();
        }
        outcome
    }

    fn step_once(&mut self) -> Result<bool, StoreError> {
        let snapshot = self.definitions.snapshot();
        if self.synced.as_ref().is_none_or(|synced| !Arc::ptr_eq(synced, &snapshot)) {
            self.sync(&snapshot)?;
        }
        if self.shared.hooks.woken.swap(false, Ordering::AcqRel) {
            self.quiet.clear();
        }
        if snapshot.webhooks().is_empty() {
            return Ok(false);
        }
        if self.held.is_empty() && !self.watches.all.is_empty() {
            let (some, all) = self.shared.hooks.take_touched(members::STEP);
            self.held = some;
            self.round.wanted |= all;
        }
        // After it, so that everything that changed them is linked by then.
        let linked = *self.shared.linked.borrow();
        let hooks = self.listening(&snapshot)?;
        if self.feed(&snapshot, &hooks, linked)? {
            return Ok(true);
        }
        let held = std::mem::take(&mut self.held);
        let more = held.len() == members::STEP;
        self.look(&snapshot, &hooks, &held)?;
        Ok(more | self.go_round(&snapshot, &hooks)?)
    }

    /// The webhooks that are to hear anything: whose receiver has not said that it wants nothing more, and whose key is good.
    fn listening<'s>(&self, snapshot: &'s Snapshot) -> Result<Vec<&'s KnownWebhook>, StoreError> {
        let stopped: HashSet<u32> = {
            let connection = self.shared.hooks.lock();
            let mut statement =
                connection.prepare_cached("SELECT hook FROM hooks WHERE stopped IS NOT NULL")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        let mut hooks = Vec::new();
        for known in snapshot.webhooks() {
            let good = match &known.hook.made_with {
                Some(client) => self.keys.knows(client)?,
                None => true,
            };
            if good && !stopped.contains(&known.number) {
                hooks.push(known);
            }
        }
        Ok(hooks)
    }

    /// Brings what is on disk to the webhooks there are.
    fn sync(&mut self, snapshot: &Arc<Snapshot>) -> Result<(), StoreError> {
        let mut connection = self.shared.hooks.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for known in snapshot.webhooks() {
            begin(&transaction, &self.events, known.number, *self.shared.linked.borrow())?;
        }
        let mut statement = transaction.prepare("SELECT hook, seq, quarantine FROM hooks")?;
        let rows: Vec<(u32, i64, i64)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        drop(statement);
        let mut cursors = HashMap::new();
        for (hook, seq, quarantine) in rows {
            if snapshot.webhooks().iter().any(|known| known.number == hook) {
                let read = Cursor { seq, quarantine, written: (seq, quarantine) };
                cursors.insert(hook, self.cursors.get(&hook).copied().unwrap_or(read));
            } else {
                state::remove(&transaction, hook)?;
            }
        }
        transaction
            .execute("DELETE FROM deliveries WHERE hook NOT IN (SELECT hook FROM hooks)", [])?;
        self.round.wanted |= self.watches.sync(&transaction, snapshot)?;
        transaction.commit()?;
        drop(connection);
        self.cursors = cursors;
        self.shared.hooks.watch(!self.watches.all.is_empty());
        self.synced = Some(snapshot.clone());
        self.quiet.clear();
        Ok(())
    }

    fn feed(
        &mut self,
        snapshot: &Snapshot,
        hooks: &[&KnownWebhook],
        linked: i64,
    ) -> Result<bool, StoreError> {
        let mut connection = self.shared.hooks.lock();
        let transaction = connection.transaction()?;
        let before = transaction.total_changes();
        let feed = Feed {
            snapshot,
            events: &self.events,
            profiles: &self.profiles,
            now: self.definitions.clock.now(),
        };
        let more = feed.log(&transaction, hooks, &mut self.cursors, linked)?
            | feed.quarantine(&transaction, hooks, &mut self.cursors)?;
        let queued = transaction.total_changes() > before;
        feed::write_places(&transaction, &mut self.cursors, queued)?;
        transaction.commit()?;
        if queued {
            self.quiet.clear();
        }
        Ok(more)
    }

    /// Looks at profiles that changed.
    fn look(
        &mut self,
        snapshot: &Snapshot,
        hooks: &[&KnownWebhook],
        slots: &[Slot],
    ) -> Result<(), StoreError> {
        if slots.is_empty() {
            return Ok(());
        }
        let now = self.definitions.clock.now();
        let (profiles, watches) = (&self.profiles, &self.watches.all);
        let look = Look { snapshot, profiles, hooks, watches, now };
        let mut connection = self.shared.hooks.lock();
        let transaction = connection.transaction()?;
        let looked = look.at(&transaction, slots)?;
        transaction.commit()?;
        self.round.missed |= looked.missed;
        if looked.queued {
            self.quiet.clear();
        }
        Ok(())
    }

    /// Goes on with looking at everybody, where it is time. Says whether it is under way.
    fn go_round(
        &mut self,
        snapshot: &Snapshot,
        hooks: &[&KnownWebhook],
    ) -> Result<bool, StoreError> {
        if let Some(after) = self.round.cleaning.take() {
            return self.clean(after, hooks);
        }
        let now = self.definitions.clock.now();
        let Some((after, fresh)) = self.round.under_way.take() else {
            return Ok(self.begin_round(snapshot, hooks, now));
        };
        let slots = members::some(&self.profiles, after)?;
        let Some(last) = slots.last().copied() else {
            self.end_round(&fresh)?;
            return Ok(true);
        };
        self.round.under_way = Some((last, fresh));
        self.look(snapshot, hooks, &slots)?;
        Ok(true)
    }

    fn begin_round(
        &mut self,
        snapshot: &Snapshot,
        hooks: &[&KnownWebhook],
        now: Timestamp,
    ) -> bool {
        let time = self.round.began.is_none_or(|began| began.elapsed() >= self.round.every)
            && (self.round.missed || self.watches.change_with_time());
        if self.watches.all.is_empty() || !(self.round.wanted || time) {
            return false;
        }
        (self.round.wanted, self.round.missed) = (false, false);
        self.round.began = Some(Instant::now());
        let (profiles, watches) = (&self.profiles, &self.watches.all);
        let look = Look { snapshot, profiles, hooks, watches, now };
        self.round.under_way = Some((Slot(0), look.sound()));
        true
    }

    /// Everybody was looked at: from now on who changes enters and leaves.
    fn end_round(&mut self, fresh: &[i64]) -> Result<(), StoreError> {
        let mut connection = self.shared.hooks.lock();
        let transaction = connection.transaction()?;
        for number in fresh {
            transaction
                .prepare_cached("UPDATE watches SET ready = 1 WHERE number = ? AND ready = 0")?
                .execute([number])?;
        }
        transaction.commit()?;
        for watch in &mut self.watches.all {
            watch.ready |= fresh.contains(&watch.number);
        }
        self.round.cleaning = Some(ProfileId([0; 16]));
        Ok(())
    }

    /// Takes out what is left of those who are gone, and what was given up long ago.
    fn clean(&mut self, after: ProfileId, hooks: &[&KnownWebhook]) -> Result<bool, StoreError> {
        let now = self.definitions.clock.steady();
        let mut connection = self.shared.hooks.lock();
        let transaction = connection.transaction()?;
        self.round.cleaning = members::forget_gone(&transaction, &self.profiles, after)?;
        if self.round.cleaning.is_none() {
            for known in hooks {
                state::expire(&transaction, known.number, now)?;
            }
        }
        transaction.commit()?;
        Ok(self.round.cleaning.is_some())
    }

    /// The webhooks that something may be posted to now, and for which something may be due.
    pub fn ready(&self) -> Result<Vec<u32>, StoreError> {
        let Some(snapshot) = &self.synced else { return Ok(Vec::new()) };
        if snapshot.webhooks().is_empty() {
            return Ok(Vec::new());
        }
        let now = self.definitions.clock.now();
        let resting: HashSet<u32> = {
            let connection = self.shared.hooks.lock();
            let mut statement =
                connection.prepare_cached("SELECT hook FROM hooks WHERE rests > ?")?;
            let rows = statement.query_map([now.0], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        let listening = self.listening(snapshot)?;
        let ready = listening.iter().map(|known| known.number).filter(|hook| {
            !resting.contains(hook) && self.quiet.get(hook).is_none_or(|until| *until <= now.0)
        });
        Ok(ready.collect())
    }

    /// What is next to be posted to a webhook, at most `room` of it: of each profile the first that waits, unless that is on its
    /// way already, as `busy` says by the deliveries' numbers.
    pub fn take(
        &mut self,
        hook: u32,
        busy: &HashSet<i64>,
        room: usize,
    ) -> Result<Vec<Parcel>, StoreError> {
        let Some(snapshot) = self.synced.clone() else { return Ok(Vec::new()) };
        let known = snapshot.webhooks().iter().find(|known| known.number == hook);
        let Some(known) = known.filter(|_| room > 0) else { return Ok(Vec::new()) };
        let now = self.definitions.clock.now();
        let connection = self.shared.hooks.lock();
        let (events, profiles) = (&self.events, &self.profiles);
        let sources = Sources { snapshot: &snapshot, events, profiles, queue: Some(&connection) };
        let due = due(&connection, hook, now, busy.len() + room)?;
        let all = due.len() < busy.len() + room;
        let (mut parcels, mut void) = (Vec::new(), false);
        for waiting in due.iter().filter(|waiting| !busy.contains(&waiting.number)) {
            if parcels.len() == room {
                break;
            }
            let body = match payload::body(&sources, known, waiting) {
                Err(StoreError::Damaged { what }) => {
                    tracing::error!("{what} does not hold what was written, so it is not posted");
                    None
                }
                body => body?,
            };
            let Some(body) = body else {
                connection
                    .prepare_cached("DELETE FROM deliveries WHERE number = ?")?
                    .execute([waiting.number])?;
                void = true;
                continue;
            };
            parcels.push(Parcel {
                hook,
                number: waiting.number,
                id: waiting.id.to_string(),
                url: known.hook.url.as_str().to_owned(),
                secret: known.secret.clone(),
                body,
            });
        }
        // The next of a lane is due once the one before it is settled, which ends the quiet.
        if all && !void && parcels.len() < room {
            self.quiet.insert(hook, next_due(&connection, hook, now)?);
        }
        Ok(parcels)
    }

    /// Writes down what became of what was posted. When it returns, that is on disk.
    pub fn settle(&mut self, outcomes: &[Outcome]) -> Result<(), StoreError> {
        let now = self.definitions.clock.now();
        let mut connection = self.shared.hooks.lock();
        let transaction = connection.transaction()?;
        settle::settle(&transaction, outcomes, self.backoff, now)?;
        transaction.commit()?;
        drop(connection);
        for outcome in outcomes {
            self.quiet.remove(&outcome.hook);
        }
        Ok(())
    }
}

/// Has a webhook begin at this place of the log and at the end of the quarantine, unless it has begun.
pub(super) fn begin(
    queue: &Connection,
    events: &Connection,
    hook: u32,
    seq: i64,
) -> Result<(), rusqlite::Error> {
    let quarantine: i64 =
        events.query_row("SELECT coalesce(max(seq), 0) FROM quarantine", [], |row| row.get(0))?;
    queue
        .prepare_cached(
            "INSERT INTO hooks (hook, seq, quarantine) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        )?
        .execute(params![hook, seq, quarantine])?;
    Ok(())
}

/// The first of each lane that is due.
fn due(
    queue: &Connection,
    hook: u32,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Waiting>, rusqlite::Error> {
    let mut statement = queue.prepare_cached(
        "SELECT number, id, lane, kind, place, made FROM deliveries AS d
         WHERE hook = ?1 AND dead = 0 AND due <= ?2 AND NOT EXISTS (
             SELECT 1 FROM deliveries AS e WHERE e.hook = ?1 AND e.dead = 0 AND e.lane = d.lane AND e.number < d.number)
         ORDER BY number LIMIT ?3",
    )?;
    let rows = statement.query_map(params![hook, now.0, limit as i64], |row| {
        Ok(Waiting {
            number: row.get(0)?,
            id: EventId(row.get(1)?),
            lane: Lane(row.get(2)?),
            kind: Kind::from_number(row.get(3)?),
            place: row.get(4)?,
            made: Timestamp(row.get(5)?),
        })
    })?;
    rows.collect()
}

/// When something is due next that is not due now.
fn next_due(queue: &Connection, hook: u32, now: Timestamp) -> Result<i64, rusqlite::Error> {
    queue
        .prepare_cached("SELECT coalesce(min(due), ?3) FROM deliveries WHERE hook = ?1 AND dead = 0 AND due > ?2")?
        .query_row(params![hook, now.0, i64::MAX], |row| row.get(0))
}
