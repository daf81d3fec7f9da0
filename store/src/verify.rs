//! Holds a data folder against what must be true of it.

use rusqlite::Connection;
use serde::Serialize;

use crate::error::StoreError;
use crate::folder::Folder;
use crate::index;
use crate::log::{COLUMNS, StoredEvent};
use crate::profiles::ProfileReader;
use crate::schema::{EVENTS, INDEX, KEYS, PROFILES, REGISTRY};
use crate::snapshot::Snapshot;

/// What was checked, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Events whose checksums were read.
    pub events: u64,
    /// Each fault in a sentence; none where all is well.
    pub faults: Vec<String>,
}

/// Checks every page, every row's checksum, that each merged event's id is indexed, and that each timeline holds just what the
/// log has of its profile.
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
    // A folder that no key was ever made in has none.
    if folder.file(KEYS.name).exists() {
        check_pages(KEYS.name, &KEYS.open_to_read(folder)?, &mut report)?;
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
    let merged = index::watermark(index)?;
    let mut statement = events.prepare(&format!("SELECT {COLUMNS} FROM events ORDER BY seq"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        report.events += 1;
        match StoredEvent::read(row) {
            Ok(event) if event.seq <= merged && !index::holds(index, event.id)? => {
                report.faults.push(format!(
                    "index.db: the id of event {} (row {}) is missing",
                    event.id, event.seq
                ));
            }
            Ok(_) => {}
            Err(error) => report.faults.push(error.to_string()),
        }
    }
    Ok(())
}
