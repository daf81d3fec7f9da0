//! Holds a data folder against what must be true of it.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Serialize;

use crate::error::StoreError;
use crate::folder::Folder;
use crate::index;
use crate::log::{COLUMNS, StoredEvent};
use crate::profiles::ProfileReader;
use crate::schema::{EVENTS, HOOKS, INDEX, KEYS, PEOPLE, PROFILES, REGISTRY};
use crate::snapshot::{EventNo, Snapshot};

/// What was checked, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Events whose checksums were read.
    pub events: u64,
    /// Each fault in a sentence; none where all is well.
    pub faults: Vec<String>,
}

/// Checks every page, every row's checksum, that each merged event's id is indexed, that the counters of what is held count
/// what is there, and that each timeline holds just what the log has of its profile.
pub fn verify(folder: &Folder) -> Result<VerifyReport, StoreError> {
    let mut report = VerifyReport::default();
    let (events, index) = (EVENTS.open_to_read(folder)?, INDEX.open_to_read(folder)?);
    let registry = REGISTRY.open_to_read(folder)?;
    let profiles = ProfileReader::open(folder)?;
    for (name, connection) in [
        (EVENTS.name, &events),
        (INDEX.name, &index),
        (REGISTRY.name, &registry),
        (PROFILES.name, &profiles.profiles),
    ] {
        check_pages(name, connection, &mut report)?;
    }
    // People are there once a console was run, keys once one was made, the webhooks' queue once a server ran.
    for database in [&PEOPLE, &KEYS, &HOOKS] {
        if folder.file(database.name).exists() {
            check_pages(database.name, &database.open_to_read(folder)?, &mut report)?;
        }
    }
    if let Err(error) = Snapshot::load(&registry) {
        report.faults.push(error.to_string());
    }
    check_rows(&events, &index, &mut report)?;
    profiles.check(&mut report.faults)?;
    Ok(report)
}

fn check_pages(
    name: &str,
    connection: &Connection,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let found: String = row.get(0)?;
        if found != "ok" {
            report.faults.push(format!("{name}: {found}"));
        }
    }
    Ok(())
}

fn check_rows(
    events: &Connection,
    index: &Connection,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    // One view of rows and counters, whatever a server beside writes meanwhile.
    let _view = events.unchecked_transaction()?;
    let merged = index::watermark(index)?;
    let mut there = BTreeMap::new();
    let mut statement = events.prepare(&format!("SELECT {COLUMNS} FROM events ORDER BY seq"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        report.events += 1;
        // By the columns as they are, so that a damaged row is one fault and not two.
        let (ver, test) = (row.get(3)?, row.get::<_, u32>(7)? & 1 != 0);
        *there.entry((EventNo(row.get(2)?), test, ver)).or_default() += 1;
        match StoredEvent::read(row) {
            Ok(event) => check_indexed(index, merged, &event, report)?,
            Err(error) => report.faults.push(error.to_string()),
        }
    }
    check_held(events, there, report)
}

fn check_indexed(
    index: &Connection,
    merged: i64,
    event: &StoredEvent,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    if event.seq <= merged && !index::holds(index, event.id)? {
        report
            .faults
            .push(format!("index.db: the id of event {} (row {}) is missing", event.id, event.seq));
    }
    Ok(())
}

/// Whether the counters say what was found.
fn check_held(
    events: &Connection,
    mut there: BTreeMap<(EventNo, bool, u32), u64>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let mut statement = events.prepare(
        "SELECT event, what = 'trial', ver, count FROM held WHERE what IN ('stored', 'trial')",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (event, trial, ver): (u32, bool, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (counted, found): (u64, u64) =
            (row.get(3)?, there.remove(&(EventNo(event), trial, ver)).unwrap_or_default());
        if counted != found {
            report.faults.push(format!(
                "events.db: the counter of event {event}, version {ver} says {counted}, and {found} are there"
            ));
        }
    }
    for ((EventNo(event), _, ver), found) in there {
        report.faults.push(format!(
            "events.db: the counter of event {event}, version {ver} is missing, and {found} are there"
        ));
    }
    Ok(())
}
