//! Erasing a person: everything of them leaves every file of the data folder, and, where they are locked, a keyed hash of
//! their keys stays behind so that they are never taken again.
//!
//! What the log holds of them is noted as doomed in the transaction that takes the profile away, so that a crash in between
//! is made good at the next start.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use beaconry_model::profile::{Keyspace, ProfileId, ProfileKey};
use beaconry_model::time::Timestamp;

use super::error::ProfileError;
use super::locks::Locks;
use super::slots::{self, Slot};
use super::thread::{Profiler, Shared};
use crate::clock::Clock;
use crate::condition::Condition;
use crate::error::StoreError;
use crate::folder::Folder;
use crate::index::Deleted;
use crate::jobs::{COMMAND_LINE, Job, ask_server};
use crate::keyed::{Hash, Keyed};
use crate::quarantine;
use crate::registry::Registry;
use crate::schema::{Database, EVENTS, HOOKS, INDEX, PROFILES, REGISTRY};
use crate::scrub;
use crate::snapshot::EventNo;
use crate::store::Store;
use crate::write_back;
use crate::writer::Write;

/// Stands among the doomed rows until what was deleted is overwritten too: below every place of the log.
const NOT_CLEAN: i64 = -1;
/// Rows of the log deleted in one step: a few milliseconds of the writer's time.
const STEP: usize = 200;
/// How long erasing waits for linking to catch up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a write-ahead log is tried to be truncated, which readers may hold up.
const TRUNCATING: Duration = Duration::from_secs(10);

/// What is said where they do for longer.
const HELD_UP: &str = "profile: it is erased, but somebody who reads, such as a backup, holds up the write-ahead logs, where copies are \
                       left; they go by themselves within a minute after that";

/// Whom to erase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Person {
    /// Their profile; none where they have none.
    pub(crate) id: Option<ProfileId>,
    /// Hashes of their keys beside those of the profile.
    pub(crate) hashes: Vec<Hash>,
    /// Whether they are never to be taken again.
    pub(crate) lock: bool,
}

impl Person {
    /// Whom a key names: a profile, a visitor who has nothing here but beacons in quarantine, or, where they are to be locked,
    /// somebody who need not be here.
    pub(super) fn find(
        folder: &Folder,
        keyed: &Keyed,
        (id, key): (Option<ProfileId>, &ProfileKey),
        lock: bool,
    ) -> Result<Person, ProfileError> {
        if id.is_none() && !lock && !is_in_quarantine(folder, key)? {
            return Err(ProfileError::NotFound);
        }
        // Of other keys nothing is kept once the profile is gone, not even a hash.
        let by_hash = lock || key.keyspace() == Keyspace::Web;
        let hashes = by_hash.then(|| keyed.of_key(key)).into_iter().collect();
        Ok(Person { id, hashes, lock })
    }

    /// The person as a job names them.
    pub(crate) fn read(id: Option<&str>, hashes: &[String], lock: bool) -> Person {
        let hash = |hex: &String| -> Option<Hash> {
            let bytes: Option<Vec<u8>> = (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok())
                .collect();
            bytes?.try_into().ok()
        };
        Person {
            id: id.and_then(ProfileId::parse),
            hashes: hashes.iter().filter_map(hash).collect(),
            lock,
        }
    }
}

/// Erases the person with this key from the command line, by the running server where there is one. What is left for a
/// server to do names nobody.
pub fn erase(path: &Path, key: &ProfileKey, lock: bool) -> Result<(), ProfileError> {
    let folder = Folder::open(path)?;
    if let Some(lease) = folder.try_lease()? {
        return Store::open_leased(folder, lease, Clock::default())?.erase(key, lock, COMMAND_LINE);
    }
    let mut registry = Registry::open(&folder)?;
    let profiles = PROFILES.open_to_read(&folder)?;
    let id = slots::by_key(&profiles, key)?.map(|slot| slots::id(&profiles, slot)).transpose()?;
    let person = Person::find(&folder, &registry.keyed()?, (id, key), lock)?;
    let hex = |hash: &Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let hashes = person.hashes.iter().map(hex).collect();
    let job = Job::Erase { profile: id.map(|id| id.to_string()), hashes, lock };
    let done: Result<bool, String> = ask_server(&mut registry, &job)?;
    done.map(|_| ()).map_err(ProfileError::NotDurable)
}

/// Erases a person, and comes back when no file holds anything of them. Says whether there was a profile. Blocks; not for
/// an async thread.
pub(crate) fn erase_here(
    folder: &Folder,
    profiler: &Profiler,
    writer: &SyncSender<Write>,
    person: Person,
    now: Timestamp,
) -> Result<bool, ProfileError> {
    catch_up(profiler)?;
    let _erasing = Erasing::begin(&profiler.shared);
    let (shared, place) = (profiler.shared.clone(), folder.clone());
    let taken = profiler.make(move |profiles| {
        let taken = take_away(profiles, &place, &shared.locks, &person, now)?;
        // Before the commit, so that a crash behind it leaves no id there; and again, for what is queued until then.
        shared.hooks.forget(&taken.ids, &[])?;
        Ok(taken)
    })?;
    profiler.shared.doomed.store(true, Ordering::Release);
    profiler.shared.forget_identified();
    profiler.shared.hooks.forget(&taken.ids, &[])?;
    finish_begun(folder, profiler, writer, now)?;
    Ok(taken.found)
}

/// What was taken away.
#[derive(Default)]
struct Taken {
    found: bool,
    /// The profile's ids.
    ids: Vec<ProfileId>,
}

/// Whether a visitor has beacons in quarantine.
fn is_in_quarantine(folder: &Folder, key: &ProfileKey) -> Result<bool, StoreError> {
    if key.keyspace() != Keyspace::Web {
        return Ok(false);
    }
    let events = EVENTS.open_to_read(folder)?;
    let theirs = quarantine::of_visitors(&events, |visitor, _| visitor == key)?;
    Ok(!theirs.is_empty())
}

/// Waits until everything that the log holds now is linked.
pub(super) fn catch_up(profiler: &Profiler) -> Result<(), ProfileError> {
    let (target, started) = (profiler.committed(), Instant::now());
    // Who is subscribed is not kept waiting while more gather.
    let _waits = profiler.shared.linked.subscribe();
    while *profiler.shared.linked.borrow() < target {
        if started.elapsed() > PATIENCE {
            return Err(ProfileError::Busy);
        }
        profiler.nudge();
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn take_away(
    profiles: &Connection,
    folder: &Folder,
    locks: &Locks,
    person: &Person,
    now: Timestamp,
) -> Result<Taken, ProfileError> {
    let slot = person.id.map(|id| slots::by_id(profiles, id)).transpose()?.flatten();
    let mut keys = person.hashes.clone();
    let mut taken = Taken { found: slot.is_some(), ..Taken::default() };
    if let Some(slot) = slot {
        let kept = |key: &&ProfileKey| person.lock || key.keyspace() == Keyspace::Web;
        keys.extend(
            slots::keys(profiles, slot)?.iter().filter(kept).map(|key| locks.keyed.of_key(key)),
        );
        taken.ids = slots::ids(profiles, slot)?;
        doom(profiles, &EVENTS.open_to_read(folder)?, slot)?;
        slots::remove(profiles, slot)?;
    }
    note_unclean(profiles)?;
    if !person.lock {
        // What is in quarantine of them until now is known by these, also in what is restored later.
        keys = keys.iter().map(|key| locks.keyed.of_quarantined(key)).collect();
    }
    keys.extend(taken.ids.iter().map(|id| locks.keyed.of_profile(*id)));
    locks.add(profiles, &keys, now)?;
    Ok(taken)
}

/// Notes that what is deleted from now on is to be overwritten.
pub(super) fn note_unclean(profiles: &Connection) -> Result<(), rusqlite::Error> {
    profiles
        .prepare_cached("INSERT INTO doomed VALUES (?, 0, 0, 0) ON CONFLICT DO NOTHING")?
        .execute([NOT_CLEAN])?;
    Ok(())
}

/// Notes every event of the timeline, trials and hidden ones too.
fn doom(profiles: &Connection, events: &Connection, slot: Slot) -> Result<(), rusqlite::Error> {
    let mut timeline =
        profiles.prepare_cached("SELECT seq, event, test FROM timeline WHERE slot = ?")?;
    let mut rows = timeline.query([slot.0])?;
    let mut received = events.prepare_cached("SELECT received FROM events WHERE seq = ?")?;
    let mut doomed =
        profiles.prepare_cached("INSERT INTO doomed VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")?;
    while let Some(row) = rows.next()? {
        let (seq, event, test): (i64, u32, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        // Gone already where retention was faster.
        let mut found = received.query([seq])?;
        if let Some(row) = found.next()? {
            doomed.execute(params![seq, event, test, row.get::<_, i64>(0)?])?;
        }
    }
    Ok(())
}

/// Erasing, one at a time: while it lasts, pages stay where they are, or what is left on one would be missed.
struct Erasing<'a> {
    shared: &'a Shared,
    _one_at_a_time: MutexGuard<'a, ()>,
}

impl Erasing<'_> {
    fn begin(shared: &Shared) -> Erasing<'_> {
        let turn = shared.erasing_turn.lock().unwrap_or_else(PoisonError::into_inner);
        shared.erasing.store(true, Ordering::Release);
        Erasing { shared, _one_at_a_time: turn }
    }
}

impl Drop for Erasing<'_> {
    fn drop(&mut self) {
        self.shared.erasing.store(false, Ordering::Release);
    }
}

/// Takes out of the quarantine and the log what is left of who was erased, overwrites what deleted rows left on pages, then
/// truncates every write-ahead log that may hold something of it.
pub(crate) fn finish(
    folder: &Folder,
    profiler: &Profiler,
    writer: &SyncSender<Write>,
    now: Timestamp,
) -> Result<(), ProfileError> {
    let _erasing = Erasing::begin(&profiler.shared);
    finish_begun(folder, profiler, writer, now)
}

fn finish_begun(
    folder: &Folder,
    profiler: &Profiler,
    writer: &SyncSender<Write>,
    now: Timestamp,
) -> Result<(), ProfileError> {
    profiler.shared.doomed.store(false, Ordering::Release);
    let outcome = drop_quarantine(folder, profiler, writer)
        .and_then(|()| delete_doomed(folder, profiler, writer, now))
        .and_then(|()| overwrite(folder, profiler, writer))
        .and_then(|()| truncate_all(folder, profiler));
    if outcome.is_err() {
        // The watching thread does it then.
        profiler.shared.doomed.store(true, Ordering::Release);
    }
    outcome
}

fn delete_doomed(
    folder: &Folder,
    profiler: &Profiler,
    writer: &SyncSender<Write>,
    now: Timestamp,
) -> Result<(), ProfileError> {
    let profiles = PROFILES.open_to_read(folder)?;
    loop {
        let deleted = some_doomed(&profiles)?;
        if deleted.is_empty() {
            return Ok(());
        }
        let seqs: Vec<i64> = deleted.iter().map(|gone| gone.seq).collect();
        let (done, wait) = mpsc::channel();
        writer.send(Write::Erase { deleted, now, done }).map_err(|_| StoreError::Stopped)?;
        wait.recv().map_err(|_| StoreError::Stopped)?;
        profiler.make(move |profiles| {
            let mut statement = profiles.prepare_cached("DELETE FROM doomed WHERE seq = ?")?;
            for seq in seqs {
                statement.execute([seq])?;
            }
            Ok(())
        })?;
    }
}

/// Overwrites what balancing left on pages of the databases that hold anything of people. Each is written by who writes it
/// anyway; where that is several, by one more.
fn overwrite(
    folder: &Folder,
    profiler: &Profiler,
    writer: &SyncSender<Write>,
) -> Result<(), ProfileError> {
    for pages in scrub::unclean(&EVENTS.open_to_read(folder)?)?.chunks(STEP) {
        let (done, wait) = mpsc::channel();
        writer
            .send(Write::Scrub { pages: pages.to_vec(), done })
            .map_err(|_| StoreError::Stopped)?;
        wait.recv().map_err(|_| StoreError::Stopped)?;
    }
    for pages in scrub::unclean(&PROFILES.open_to_read(folder)?)?.chunks(STEP) {
        let pages = pages.to_vec();
        profiler.make(move |profiles| Ok(scrub::clean(profiles, &pages)?))?;
    }
    profiler.shared.hooks.scrub()?;
    for database in [&INDEX, &REGISTRY] {
        scrub::clean_all(&mut *database.open_for(folder, &profiler.shared.condition)?)?;
    }
    Ok(())
}

fn some_doomed(profiles: &Connection) -> Result<Vec<Deleted>, rusqlite::Error> {
    let mut statement = profiles.prepare_cached(
        "SELECT seq, event, test, received FROM doomed WHERE seq > ? ORDER BY seq LIMIT ?",
    )?;
    let rows = statement.query_map([NOT_CLEAN, STEP as i64], |row| {
        Ok(Deleted {
            seq: row.get(0)?,
            event: EventNo(row.get(1)?),
            test: row.get(2)?,
            received: Timestamp(row.get(3)?),
            was: None,
        })
    })?;
    rows.collect()
}

/// Takes out of the quarantine what is there of people who were erased, with what waits for webhooks of it. Twice, because a
/// beacon that was judged before its visitor was erased may have come in between.
fn drop_quarantine(
    folder: &Folder,
    profiler: &Profiler,
    writer: &SyncSender<Write>,
) -> Result<(), ProfileError> {
    let (events, locks) = (EVENTS.open_to_read(folder)?, &profiler.shared.locks);
    for _ in 0..2 {
        let numbers = quarantine::of_visitors(&events, |visitor, received| {
            locks.erased_since(visitor, received)
        })?;
        for some in numbers.chunks(STEP) {
            let (done, wait) = mpsc::channel();
            writer
                .send(Write::DropQuarantine { numbers: some.to_vec(), done })
                .map_err(|_| StoreError::Stopped)?;
            wait.recv().map_err(|_| StoreError::Stopped)?;
        }
        profiler.shared.hooks.forget(&[], &numbers)?;
    }
    Ok(())
}

fn truncate_all(folder: &Folder, profiler: &Profiler) -> Result<(), ProfileError> {
    for database in [&EVENTS, &INDEX, &PROFILES, &REGISTRY, &HOOKS] {
        truncate(folder, database, &profiler.shared.condition)?;
    }
    // Last, so that what a crash leaves undone is done at the next start.
    profiler.make(|profiles| {
        profiles.execute("DELETE FROM doomed WHERE seq = ?", [NOT_CLEAN])?;
        Ok(())
    })
}

/// Moves a database's write-ahead log into it, and cuts it to nothing.
fn truncate(
    folder: &Folder,
    database: &Database,
    condition: &Arc<Condition>,
) -> Result<(), ProfileError> {
    let connection = database.open_for(folder, condition)?;
    let started = Instant::now();
    loop {
        if let Some(broken) = condition.broken() {
            return Err(broken.into());
        }
        let some_stays = write_back::write_out(&connection)
            .map_err(|error| condition.failed(database.name, &error))?;
        if !some_stays {
            return Ok(());
        }
        if started.elapsed() > TRUNCATING {
            return Err(ProfileError::NotDurable(HELD_UP.to_owned()));
        }
        thread::sleep(Duration::from_millis(20));
    }
}
