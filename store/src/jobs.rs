//! Work on the log that the command line asks for: done here where no server runs, and by the server where one does.

use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use beaconry_model::event_id::EventId;
use beaconry_model::judge;

use crate::clock::Clock;
use crate::error::StoreError;
use crate::folder::Folder;
use crate::quarantine::QuarantinedEvent;
use crate::reader::Reader;
use crate::registry::Registry;
use crate::snapshot::Known;
use crate::store::{Definitions, Store, queue};
use crate::writer::{AppendError, Entry, Write, Written};

/// How long the command line waits for the running server.
const PATIENCE: Duration = Duration::from_secs(30);
/// Beacons read from the quarantine at a time.
const PAGE: u32 = 500;

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
}

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
        return store.replay(&known, as_current);
    }
    let mut registry = Registry::open(&folder)?;
    let event = registry.snapshot()?.event(event)?.event.discriminator().to_string();
    ask_server(&mut registry, &Job::Replay { event, as_current })
}

fn ask_server(registry: &mut Registry, job: &Job) -> Result<ReplayReport, StoreError> {
    let number = registry.ask(job, Clock::default().now())?;
    let asked = Instant::now();
    while asked.elapsed() < PATIENCE {
        if let Some(result) = registry.job_result(number)? {
            registry.drop_job(number)?;
            return crate::snapshot::parse("the server's answer", &result);
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
    registry: &mut Registry,
) -> Result<(), StoreError> {
    for (number, job) in registry.open_jobs()? {
        let Job::Replay { event, as_current } = job;
        let known = definitions.snapshot().event(&event).cloned();
        let report = known
            .and_then(|known| replay_here(definitions, writer, &known, as_current))
            .unwrap_or_else(|error| ReplayReport {
                refused: vec![StillRefused { id: "all".to_owned(), why: error.to_string() }],
                ..ReplayReport::default()
            });
        registry.finish_job(number, &serde_json::to_string(&report).unwrap_or_default())?;
    }
    Ok(())
}

/// Replays an event's quarantine through the writer, oldest last, page by page.
pub(crate) fn replay_here(
    definitions: &Definitions,
    writer: &SyncSender<Write>,
    known: &Known,
    as_current: bool,
) -> Result<ReplayReport, StoreError> {
    let reader = Reader::open(&definitions.folder)?;
    let current = known.event.versions().current(definitions.clock.steady()).number;
    let mut report = ReplayReport::default();
    let mut before = i64::MAX;
    loop {
        let page = reader.quarantine(Some(known.number), before, PAGE)?;
        let Some(last) = page.last() else { return Ok(report) };
        before = last.number;
        for kept in page {
            let version = if as_current { current } else { kept.kept.facts.ver };
            replay_one(writer, known, &kept, version, &mut report);
        }
    }
}

fn replay_one(
    writer: &SyncSender<Write>,
    known: &Known,
    kept: &QuarantinedEvent,
    version: u32,
    report: &mut ReplayReport,
) {
    let outcome = match judge::replay(&kept.kept, &known.event, version) {
        Ok(_) if known.event.hidden_at().is_some() => {
            Err("the event is hidden, and takes no more data".to_owned())
        }
        Ok(accepted) => write(writer, Entry::Replayed(known.number, accepted, kept.number))
            .map_err(|error| error.to_string()),
        Err(rejection) => Err(describe(&rejection)),
    };
    match outcome {
        Ok(written) => {
            report.replayed += written.stored;
            report.duplicates += written.duplicates;
        }
        Err(why) => {
            report.refused.push(StillRefused { id: EventId::to_string(&kept.kept.facts.id), why })
        }
    }
}

/// A rejection with what is wrong with each field.
fn describe(rejection: &beaconry_model::wire::Rejection) -> String {
    let mut why = rejection.detail.clone();
    for error in &rejection.errors {
        why += &format!(
            "; {} ({}): expected {}, got {}",
            error.field,
            error.code.code(),
            error.expected,
            error.got
        );
    }
    why
}

fn write(writer: &SyncSender<Write>, entry: Entry) -> Result<Written, AppendError> {
    queue(writer, vec![entry], None)?.blocking_recv().map_err(|_| AppendError::Busy)?
}
