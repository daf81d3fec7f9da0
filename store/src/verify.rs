//! Holds a data folder against what must be true of it.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use beaconry_model::event_id::EventId;

use crate::error::StoreError;
use crate::folder::Folder;
use crate::index;
use crate::log::{COLUMNS, StoredEvent};
use crate::quarantine;
use crate::schema::{Database, EVENTS, INDEX, REGISTRY};
use crate::snapshot::{EventNo, Snapshot};

/// What was checked, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Events whose checksums were read.
    pub events: u64,
    /// Beacons in quarantine that were read.
    pub quarantined: u64,
    /// Each fault in a sentence; none where all is well.
    pub faults: Vec<String>,
}

/// Checks every page; every event's checksum, that it is indexed where it lies, and that none is there twice; that
/// everything stored is of an event that is defined; that definitions are what the audit noted last; and the checksums of
/// published files. Works beside a running server.
pub fn verify(folder: &Folder) -> Result<VerifyReport, StoreError> {
    let mut report = VerifyReport::default();
    let (events, index) = (EVENTS.open_to_read(folder)?, INDEX.open_to_read(folder)?);
    check_pages(&EVENTS, &events, &mut report)?;
    check_pages(&INDEX, &index, &mut report)?;
    if !report.faults.is_empty() {
        // What lies on broken pages cannot be read.
        return Ok(report);
    }
    let mut of_events = HashMap::new();
    {
        // The index is looked at as it was before the log: so what it holds is in the log, or was deleted since.
        let indexed = index.unchecked_transaction()?;
        let merged = index::watermark(&indexed)?;
        let logged = events.unchecked_transaction()?;
        check_rows(&logged, &indexed, merged, &mut of_events, &mut report)?;
        check_quarantine(&logged, &mut of_events, &mut report)?;
    }
    // Last, so that it knows every event that came up meanwhile.
    let registry = REGISTRY.open_to_read(folder)?;
    check_pages(&REGISTRY, &registry, &mut report)?;
    if !report.faults.is_empty() {
        return Ok(report);
    }
    check_definitions(&registry, &of_events, &mut report)?;
    check_published(&registry, &mut report)?;
    Ok(report)
}

fn check_pages(
    database: &Database,
    connection: &Connection,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let mut check = || -> Result<(), rusqlite::Error> {
        let mut statement = connection.prepare("PRAGMA integrity_check")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let found: String = row.get(0)?;
            if found != "ok" {
                report.faults.push(format!("{}: {found}", database.name));
            }
        }
        Ok(())
    };
    check().map_err(|error| database.named(error.into()))
}

fn check_rows(
    events: &Connection,
    index: &Connection,
    merged: i64,
    of_events: &mut HashMap<EventNo, &'static str>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let mut unmerged = HashSet::new();
    let mut statement = events.prepare(&format!("SELECT {COLUMNS} FROM events ORDER BY seq"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        report.events += 1;
        match StoredEvent::read(row) {
            Ok(event) => {
                of_events.insert(event.event, "events.db: events");
                let fault = check_place(index, &event, merged, &mut unmerged)?;
                report.faults.extend(fault.map(|fault| {
                    format!("index.db: event {} (row {}) {fault}", event.id, event.seq)
                }));
            }
            Err(error) => report.faults.push(error.to_string()),
        }
    }
    Ok(())
}

/// What is wrong with where an event lies.
fn check_place(
    index: &Connection,
    event: &StoredEvent,
    merged: i64,
    unmerged: &mut HashSet<EventId>,
) -> Result<Option<String>, StoreError> {
    let mut place = index.prepare_cached("SELECT seq FROM ids WHERE id = ?")?;
    let place: Option<i64> = place.query_row([event.id.0], |row| row.get(0)).optional()?;
    if event.seq > merged {
        let first = place.is_none() && unmerged.insert(event.id);
        return Ok((!first).then(|| "is stored twice".to_owned()));
    }
    let mut of_event = index.prepare_cached(
        "SELECT 1 FROM by_event WHERE event = ? AND test = ? AND received = ? AND seq = ?",
    )?;
    let of_event =
        of_event.exists(params![event.event.0, event.test, event.received.0, event.seq])?;
    Ok(match place {
        None => Some("has no id in the index".to_owned()),
        Some(seq) if seq != event.seq => Some(format!("is stored twice, also as row {seq}")),
        Some(_) => (!of_event).then(|| "is not in the index by event".to_owned()),
    })
}

fn check_quarantine(
    events: &Connection,
    of_events: &mut HashMap<EventNo, &'static str>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    const PAGE: u32 = 1_000;
    let mut before = i64::MAX;
    loop {
        match quarantine::list(events, None, before, PAGE) {
            Ok(page) => {
                let Some(last) = page.last() else { return Ok(()) };
                before = last.number;
                report.quarantined += page.len() as u64;
                of_events.extend(page.iter().map(|kept| (kept.event, "events.db: the quarantine")));
            }
            Err(error @ StoreError::Damaged { .. }) => {
                report.faults.push(format!("events.db: the quarantine: {error}"));
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
}

fn check_definitions(
    registry: &Connection,
    of_events: &HashMap<EventNo, &'static str>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    match Snapshot::load(registry) {
        Ok(snapshot) => {
            let unknown =
                of_events.iter().filter(|(event, _)| snapshot.by_number(**event).is_none());
            report.faults.extend(unknown.map(|(event, what)| {
                format!("{what} are of event number {}, which is not defined", event.0)
            }));
        }
        Err(error) => report.faults.push(format!("registry.db: {error}")),
    }
    // Constants on both sides: what is defined, and the actions that change it.
    for (things, name, actions) in [
        ("events", "discriminator", "(action GLOB 'event.*' OR action GLOB 'tracking.*')"),
        ("sections", "id", "action GLOB 'section.*'"),
    ] {
        let mut statement = registry.prepare(&format!(
            "SELECT {name} FROM {things} AS defined WHERE doc <> (
                SELECT after FROM audit WHERE thing = defined.{name} AND {actions} AND after IS NOT NULL
                ORDER BY number DESC LIMIT 1)"
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let thing: String = row.get(0)?;
            report.faults.push(format!(
                "registry.db: the definition of {thing} is not what the audit noted last"
            ));
        }
    }
    Ok(())
}

/// Gzip (RFC 1952) ends with the CRC-32 of what was packed, and its length.
fn check_published(registry: &Connection, report: &mut VerifyReport) -> Result<(), StoreError> {
    let mut statement = registry.prepare("SELECT path, body, gzip FROM published")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (path, body, gzip): (String, Vec<u8>, Vec<u8>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let sum = gzip.len().checked_sub(8).map(|at| &gzip[at..at + 4]);
        if sum != Some(&crc32fast::hash(&body).to_le_bytes()[..]) {
            report.faults.push(format!("registry.db: {path} is not what was published"));
        }
    }
    Ok(())
}
