//! Work on the log that the command line asks for: done here where no server runs, and by the server where one does.

use std::path::Path;
use std::sync::Arc;
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
use crate::replays::Replays;
use crate::snapshot::Known;
use crate::store::{Definitions, Store};
use crate::writer::Write;

/// What the audit log calls the command line.
pub(crate) const COMMAND_LINE: &str = "command line";
/// How long the command line waits for the running server to begin, and then to come any further.
const PATIENCE: Duration = Duration::from_secs(30);
/// Beacons that a report lists with their reasons.
const LISTED: usize = 1_000;

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

/// What became of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayReport {
    /// Stored, and out of quarantine.
    pub replayed: usize,
    /// Stored before already, and out of quarantine.
    pub duplicates: usize,
    /// Still in quarantine.
    pub still_in_quarantine: usize,
    /// The newest thousand of these, each with its reason; first, under the id `all`, why it broke off, where it did.
    pub refused: Vec<StillRefused>,
}

impl ReplayReport {
    /// Of one that came to nothing.
    pub(crate) fn broken_off(why: String) -> ReplayReport {
        let mut report = ReplayReport::default();
        report.break_off(why);
        report
    }

    /// Says why it came no further.
    pub(crate) fn break_off(&mut self, why: String) {
        self.refused.insert(0, StillRefused { id: "all".to_owned(), why });
    }
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
    await_server(registry, number, PATIENCE)
}

/// Waits for a job's end: as long as it comes further, it may take as long as there is work.
fn await_server<T: serde::de::DeserializeOwned>(
    registry: &mut Registry,
    number: i64,
    patience: Duration,
) -> Result<T, StoreError> {
    let (mut moved, mut reached) = (Instant::now(), None);
    while moved.elapsed() < patience {
        let (job, result) = registry.job(number)?;
        if let Some(result) = result {
            registry.drop_job(number)?;
            return crate::snapshot::parse("the server's answer", &result);
        }
        if reached.as_ref() != Some(&job) {
            (moved, reached) = (Instant::now(), Some(job));
        }
        thread::sleep(Duration::from_millis(50));
    }
    registry.drop_job(number)?;
    Err(StoreError::NoAnswer)
}

/// Does what the command line left in the registry, or begins it.
pub(crate) fn do_open(
    definitions: &Arc<Definitions>,
    writer: &SyncSender<Write>,
    profiler: &Profiler,
    registry: &mut Registry,
    replays: &mut Replays,
) -> Result<(), StoreError> {
    for (number, job) in registry.open_jobs()? {
        match job {
            Job::Replay { event, as_current } => {
                replays.begin(definitions, writer, (number, event, as_current))?;
            }
            Job::Replaying { .. } => {}
            Job::Erase { profile, hashes, lock } => {
                let person = Person::read(profile.as_deref(), &hashes, lock);
                let now = definitions.clock.now();
                // Before the registry is looked through for what is left of them.
                registry.change_job(number, &Job::Erasing)?;
                registry.note_erased(lock, COMMAND_LINE, now)?;
                let done = erase_here(&definitions.folder, profiler, writer, person, now);
                registry.finish_job(number, &done.map_err(|error| error.to_string()))?;
            }
            Job::Erasing => registry.finish_job(number, &Err::<bool, _>(CUT_OFF))?,
        }
    }
    Ok(())
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
        if refused.len() < LISTED {
            refused.push(StillRefused { id, why: why.to_string() });
        }
    })?;
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    Ok(ReplayReport {
        replayed: number(count.passed),
        duplicates: number(count.duplicates),
        still_in_quarantine: number(count.refused),
        refused,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replays::cut_off;

    fn registry() -> (tempfile::TempDir, Registry) {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(&Folder::open(folder.path()).unwrap()).unwrap();
        (folder, registry)
    }

    #[test]
    fn who_asks_waits_as_long_as_the_server_comes_further() {
        let (folder, mut registry) = registry();
        let now = Clock::default().now();
        let job = Job::Replay { event: "order-placed".to_owned(), as_current: false };
        let number = registry.ask(&job, now).unwrap();
        let patience = Duration::from_millis(400);
        let path = folder.path().to_owned();
        let asked = Instant::now();
        let server = thread::spawn(move || {
            let mut registry = Registry::open(&Folder::open(&path).unwrap()).unwrap();
            let mut seen = 0;
            while asked.elapsed() < 3 * patience {
                seen += 500;
                registry.change_job(number, &Job::Replaying { seen }).unwrap();
                thread::sleep(patience / 8);
            }
            let report = ReplayReport { replayed: 7, ..ReplayReport::default() };
            registry.finish_job(number, &report).unwrap();
        });
        let report: ReplayReport = await_server(&mut registry, number, patience).unwrap();
        assert_eq!((report.replayed, asked.elapsed() >= 3 * patience), (7, true));
        server.join().unwrap();

        let number = registry.ask(&job, now).unwrap();
        let left = await_server::<ReplayReport>(&mut registry, number, patience);
        assert!(matches!(left, Err(StoreError::NoAnswer)), "{left:?}");
        assert!(
            registry.open_jobs().unwrap().is_empty(),
            "what nobody waits for is not done later"
        );
    }

    #[test]
    fn who_waits_for_a_replay_hears_that_the_server_ended() {
        let (_folder, mut registry) = registry();
        let number = registry.ask(&Job::Replaying { seen: 500 }, Clock::default().now()).unwrap();
        cut_off(&mut registry).unwrap();
        let report: ReplayReport = await_server(&mut registry, number, PATIENCE).unwrap();
        assert!(report.refused[0].why.contains("replay again"), "{report:?}");
    }
}
