//! Stores what lies in quarantine after all: one, some or all of an event's; with a rehearsal that writes nothing.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use beaconry_model::judge::{self, Accepted};
use beaconry_model::wire::{Code, Rejection};

use crate::audit::AuditEntry;
use crate::counts::OTHER;
use crate::error::StoreError;
use crate::quarantine::QuarantinedEvent;
use crate::reader::Reader;
use crate::snapshot::Known;
use crate::store::{Definitions, queue};
use crate::told::Told;
use crate::writer::{AppendError, Entry, Write, Written};

/// Beacons that are read, and stored, at a time.
const PAGE: u32 = 500;
/// Different reasons that a report tells apart.
const REASONS: usize = 50;
/// How often a page is tried again while the writer has more to do than it can, and how long it waits in between.
const TRIES: u32 = 100;
const WAIT: Duration = Duration::from_millis(50);

/// Which of an event's quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Everything.
    All,
    /// What was turned away with this code.
    Code(Code),
    /// Those with these numbers.
    These(Vec<i64>),
}

/// What is to be replayed, and how.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The event.
    pub known: Known,
    /// Which of its quarantine.
    pub which: Which,
    /// As the current version, not as the version each came under.
    pub as_current: bool,
    /// Who does it, as the audit log says. Nobody only sees what would become of each, and nothing is written.
    pub by: Option<String>,
}

/// What the audit log says of a replay.
#[derive(Serialize)]
struct Note<'a> {
    which: String,
    as_current: bool,
    stored: u64,
    duplicates: u64,
    still_in_quarantine: u64,
    why: &'a BTreeMap<String, u64>,
}

/// How far a replay has come, and what became of what it has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReplayCount {
    /// Stored; in a rehearsal: would be.
    pub passed: u64,
    /// Stored before already, and out of quarantine.
    pub duplicates: u64,
    /// Still in quarantine.
    pub refused: u64,
    /// Why, as `field: code` or as a sentence, with how many beacons it holds back. One beacon may have several reasons.
    pub why: BTreeMap<String, u64>,
}

impl ReplayCount {
    /// How many were looked at.
    pub fn seen(&self) -> u64 {
        self.passed + self.duplicates + self.refused
    }

    fn hold_back(&mut self, reasons: Vec<String>) {
        self.refused += 1;
        for reason in reasons {
            let told_apart = self.why.len() < REASONS || self.why.contains_key(&reason);
            let reason = if told_apart { reason } else { OTHER.to_owned() };
            *self.why.entry(reason).or_default() += 1;
        }
    }
}

/// Why a beacon stays where it is.
pub(crate) enum Stays {
    Rejected(Rejection),
    Hidden,
    NotWritten(AppendError),
}

impl Stays {
    fn reasons(&self) -> Vec<String> {
        match self {
            Stays::Rejected(rejection) if !rejection.errors.is_empty() => {
                let reason = |error: &beaconry_model::data::FieldError| {
                    format!("{:.120}: {}", error.field, error.code.code())
                };
                rejection.errors.iter().map(reason).collect()
            }
            other => vec![other.to_string()],
        }
    }
}

impl std::fmt::Display for Stays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stays::Rejected(rejection) => {
                f.write_str(&rejection.detail)?;
                for error in &rejection.errors {
                    let (code, field) = (error.code.code(), &error.field);
                    write!(
                        f,
                        "; {field} ({code}): expected {}, got {}",
                        error.expected, error.got
                    )?;
                }
                Ok(())
            }
            Stays::Hidden => f.write_str("the event is hidden, and takes no more data"),
            Stays::NotWritten(error) => error.fmt(f),
        }
    }
}

/// Does a replay page by page, newest first, and has it in the audit log: also one that broke off. After each page `tell`
/// hears how far it has come, and says whether to go on; `stays` hears of each beacon that stays, and why.
pub(crate) fn run(
    definitions: &Definitions,
    writer: &SyncSender<Write>,
    replay: &Replay,
    tell: impl FnMut(&ReplayCount) -> bool,
    stays: impl FnMut(&QuarantinedEvent, &Stays),
) -> Result<ReplayCount, StoreError> {
    let mut count = ReplayCount::default();
    let outcome = go_through(definitions, writer, replay, &mut count, tell, stays);
    if let Some(actor) = &replay.by {
        note(definitions, replay, &count, actor)?;
    }
    outcome.map(|()| count)
}

fn note(
    definitions: &Definitions,
    replay: &Replay,
    count: &ReplayCount,
    actor: &str,
) -> Result<(), StoreError> {
    let note = Note {
        which: match &replay.which {
            Which::All => "all".to_owned(),
            Which::Code(code) => code.to_string(),
            Which::These(numbers) => format!("{} by number", numbers.len()),
        },
        as_current: replay.as_current,
        stored: count.passed,
        duplicates: count.duplicates,
        still_in_quarantine: count.refused,
        why: &count.why,
    };
    definitions.registry().note(&AuditEntry {
        at: definitions.clock.steady(),
        actor: actor.to_owned(),
        action: "quarantine.replay".to_owned(),
        thing: replay.known.event.discriminator().to_string(),
        before: None,
        after: serde_json::to_string(&note).ok(),
    })
}

fn go_through(
    definitions: &Definitions,
    writer: &SyncSender<Write>,
    replay: &Replay,
    count: &mut ReplayCount,
    mut tell: impl FnMut(&ReplayCount) -> bool,
    mut stays: impl FnMut(&QuarantinedEvent, &Stays),
) -> Result<(), StoreError> {
    let reader = Reader::open(&definitions.folder)?;
    let current = replay.known.event.versions().current(definitions.clock.steady()).number;
    let mut pages = Pages { reader, replay, before: i64::MAX, done: false };
    while let Some(page) = pages.next()? {
        let mut fitting = Vec::new();
        for kept in page {
            let version = if replay.as_current { current } else { kept.kept.facts.ver };
            match judge_again(replay, &kept, version) {
                Ok(accepted) => fitting.push((kept, accepted)),
                Err(why) => {
                    count.hold_back(why.reasons());
                    stays(&kept, &why);
                }
            }
        }
        if replay.by.is_none() {
            count.passed += fitting.len() as u64;
        } else {
            store(writer, replay, fitting, count, &mut stays);
        }
        if !tell(count) {
            break;
        }
    }
    Ok(())
}

/// The quarantine that a replay asks for, a page at a time.
struct Pages<'a> {
    reader: Reader,
    replay: &'a Replay,
    before: i64,
    done: bool,
}

impl Pages<'_> {
    fn next(&mut self) -> Result<Option<Vec<QuarantinedEvent>>, StoreError> {
        if self.done {
            return Ok(None);
        }
        let event = self.replay.known.number;
        let code = match &self.replay.which {
            Which::These(numbers) => {
                self.done = true;
                let mut page = Vec::new();
                for number in numbers {
                    page.extend(self.reader.quarantined(*number)?);
                }
                page.retain(|kept| kept.event == event);
                return Ok(Some(page));
            }
            Which::All => None,
            Which::Code(code) => Some(*code),
        };
        let page = self.reader.quarantine_of(Some(event), code, self.before, PAGE)?;
        let Some(last) = page.last() else { return Ok(None) };
        self.before = last.number;
        Ok(Some(page))
    }
}

fn judge_again(replay: &Replay, kept: &QuarantinedEvent, version: u32) -> Result<Accepted, Stays> {
    let event = &replay.known.event;
    if event.hidden_at().is_some() {
        return Err(Stays::Hidden);
    }
    judge::replay(&kept.kept, event, version).map_err(Stays::Rejected)
}

/// Stores a page's worth in one commit.
fn store(
    writer: &SyncSender<Write>,
    replay: &Replay,
    fitting: Vec<(QuarantinedEvent, Accepted)>,
    count: &mut ReplayCount,
    stays: &mut impl FnMut(&QuarantinedEvent, &Stays),
) {
    if fitting.is_empty() {
        return;
    }
    let entry = |(kept, accepted): &(QuarantinedEvent, Accepted)| {
        Entry::Replayed(replay.known.number, accepted.clone(), kept.number)
    };
    match write(writer, fitting.iter().map(entry).collect()) {
        Ok(written) => {
            count.passed += written.stored as u64;
            count.duplicates += written.duplicates as u64;
        }
        Err(error) => {
            for (kept, _) in &fitting {
                let why = Stays::NotWritten(error.clone());
                count.hold_back(why.reasons());
                stays(kept, &why);
            }
        }
    }
}

/// Waits for the writer where it has much to do: what arrives comes first.
fn write(writer: &SyncSender<Write>, entries: Vec<Entry>) -> Result<Written, AppendError> {
    for _ in 0..TRIES {
        let written = queue(writer, entries.clone(), None)
            .and_then(|wait| wait.blocking_recv().map_or(Err(AppendError::Busy), Told::outcome));
        match written {
            Err(AppendError::Busy) => thread::sleep(WAIT),
            other => return other,
        }
    }
    Err(AppendError::Busy)
}
