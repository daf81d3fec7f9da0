//! Work on the log that the command line asks for: done here where no server runs, and by the server where one does.

use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use beaconry_model::event_id::EventId;

use crate::clock::Clock;
use crate::error::StoreError;
use crate::folder::Folder;
use crate::profiles::{Person, Profiler, erase_here};
use crate::registry::Registry;
use crate::replay::{self, Replay, ReplayCount, Which};
use crate::snapshot::Known;
use crate::store::{Definitions, Store};
use crate::writer::Write;

/// What the audit log calls the command line.
pub(crate) const COMMAND_LINE: &str = "command line";
/// How long the command line waits for the running server to begin, and then to come any further.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the server says how far it has come.
const TELL: Duration = Duration::from_secs(1);

/// Work for whoever holds the folder's lease.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Job {
    /// Store what is in quarantine after all.
    Replay {
        /// The event's discriminator.
        event: String,
        /// As the current version, not as the version each came under.
        as_current: bool,
    },
    /// A replay is under way, and has looked at so many.
    Replaying {
        /// How many beacons that is.
        seen: u64,
    },
    /// Erase a person. Neither keys nor anything else of them is in it but ids and hashes, and not even these once it is begun.
    Erase {
        /// The profile's id.
        profile: Option<String>,
        /// Hashes of keys, in hexadecimal digits.
        hashes: Vec<String>,
        /// Whether they are never to be taken again.
        lock: bool,
    },
    /// Erasing somebody is under way.
    Erasing,
}

/// What the command line hears where the server ended while it erased: it finishes at its next start what it had begun.
const CUT_OFF: &str =
    "the server ended meanwhile; look for the person, and erase them again if they are still there";

/// What it hears where the server ended while it replayed.
const REPLAY_CUT_OFF: &str =
    "the server ended meanwhile; replay again, nothing that was stored is stored twice";

/// What became of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayReport {
    /// Stored, and out of quarantine.
    pub replayed: usize,
    /// Stored before already, and out of quarantine.
    pub duplicates: usize,
    /// Still in quarantine, each with its reason.
    pub refused: Vec<StillRefused>,
}

/// A beacon that does not fit yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillRefused {
    /// The event's id.
    pub id: String,
    /// Why it does not fit.
    pub why: String,
}

/// Replays an event's quarantine from the command line, by the running server where there is one.
pub fn replay(path: &Path, event: &str, as_current: bool) -> Result<ReplayReport, StoreError> {
    let folder = Folder::open(path)?;
    if let Some(lease) = folder.try_lease()? {
        let store = Store::open_leased(folder, lease, Clock::default())?;
        let known = store.snapshot().event(event)?.clone();
        return store.replay(&known, as_current, COMMAND_LINE);
    }
    let mut registry = Registry::open(&folder)?;
    let event = registry.snapshot()?.event(event)?.event.discriminator().to_string();
    ask_server(&mut registry, &Job::Replay { event, as_current })
}

pub(crate) fn ask_server<T: serde::de::DeserializeOwned>(
    registry: &mut Registry,
    job: &Job,
) -> Result<T, StoreError> {
    let number = registry.ask(job, Clock::default().now())?;
    let (mut moved, mut reached) = (Instant::now(), None);
    while moved.elapsed() < PATIENCE {
        let (job, result) = registry.job(number)?;
        if let Some(result) = result {
            registry.drop_job(number)?;
            return crate::snapshot::parse("the server's answer", &result);
        }
        // As long as it comes further, it may take as long as there is work.
        if reached.as_ref() != Some(&job) {
            (moved, reached) = (Instant::now(), Some(job));
        }
        thread::sleep(Duration::from_millis(50));
    }
    registry.drop_job(number)?;
    Err(StoreError::NoAnswer)
}

/// Does what the command line left in the registry.
pub(crate) fn do_open(
    definitions: &Definitions,
    writer: &SyncSender<Write>,
    profiler: &Profiler,
    registry: &mut Registry,
) -> Result<(), StoreError> {
    for (number, job) in registry.open_jobs()? {
        let (event, as_current) = match job {
            Job::Replay { event, as_current } => (event, as_current),
            Job::Erase { profile, hashes, lock } => {
                let person = Person::read(profile.as_deref(), &hashes, lock);
                let now = definitions.clock.now();
                // Before the registry is looked through for what is left of them.
                registry.change_job(number, &Job::Erasing)?;
                registry.note_erased(lock, COMMAND_LINE, now)?;
                let done = erase_here(&definitions.folder, profiler, writer, person, now);
                let done = done.map_err(|error| error.to_string());
                registry.finish_job(number, &done)?;
                continue;
            }
            Job::Erasing => {
                registry.finish_job(number, &Err::<bool, _>(CUT_OFF))?;
                continue;
            }
            Job::Replaying { .. } => {
                registry.finish_job(number, &nothing_replayed(REPLAY_CUT_OFF.to_owned()))?;
                continue;
            }
        };
        registry.change_job(number, &Job::Replaying { seen: 0 })?;
        let mut told = Instant::now();
        let tell = |count: &ReplayCount| {
            if told.elapsed() >= TELL {
                told = Instant::now();
                // Where it cannot be said now, it is said later.
                let _ = registry.change_job(number, &Job::Replaying { seen: count.seen() });
            }
            true
        };
        let known = definitions.snapshot().event(&event).cloned();
        let report = known
            .and_then(|known| {
                replay_here(definitions, writer, &known, as_current, COMMAND_LINE, tell)
            })
            .unwrap_or_else(|error| nothing_replayed(error.to_string()));
        registry.finish_job(number, &report)?;
    }
    Ok(())
}

fn nothing_replayed(why: String) -> ReplayReport {
    let refused = vec![StillRefused { id: "all".to_owned(), why }];
    ReplayReport { refused, ..ReplayReport::default() }
}

/// Replays all of an event's quarantine through the writer, for somebody.
pub(crate) fn replay_here(
    definitions: &Definitions,
    writer: &SyncSender<Write>,
    known: &Known,
    as_current: bool,
    actor: &str,
    tell: impl FnMut(&ReplayCount) -> bool,
) -> Result<ReplayReport, StoreError> {
    let by = Some(actor.to_owned());
    let replay = Replay { known: known.clone(), which: Which::All, as_current, by };
    let mut refused = Vec::new();
    let count = replay::run(definitions, writer, &replay, tell, |kept, why| {
        let id = EventId::to_string(&kept.kept.facts.id);
        refused.push(StillRefused { id, why: why.to_string() });
    })?;
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    Ok(ReplayReport {
        replayed: number(count.passed),
        duplicates: number(count.duplicates),
        refused,
    })
}
