//! Holds a data folder against what must be true of it.

mod rows;

use std::collections::HashMap;

use rusqlite::Connection;
use serde::Serialize;

use beaconry_model::time::Timestamp;

use crate::clock::Clock;
use crate::error::StoreError;
use crate::folder::Folder;
use crate::keyed::Keyed;
use crate::profiles::{Logged, ProfileReader};
use crate::registry::Registry;
use crate::retention::TEST_KEPT_MS;
use crate::schema::{Database, EVENTS, HOOKS, INDEX, KEYS, PEOPLE, PROFILES, REGISTRY};
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

/// Checks every page; every event's checksum, that it is indexed where it lies, and that none is there twice; that the
/// counters of what is held count what is there; that each timeline holds just what the log has of its profile, that all of
/// profiles hangs on one, and that nobody is there who was locked for good; that everything stored is of an event that is defined; that definitions are what the audit noted last; and the checksums of
/// published files. Works beside a running server.
pub fn verify(folder: &Folder) -> Result<VerifyReport, StoreError> {
    let (mut report, now) = (VerifyReport::default(), Clock::default().now());
    let (events, index) = (EVENTS.open_to_read(folder)?, INDEX.open_to_read(folder)?);
    // Not there yet in the folder of a Beaconry that knew no profiles.
    let profiles = folder.file(PROFILES.name).exists();
    let profiles = profiles.then(|| ProfileReader::open(folder)).transpose()?;
    check_pages(&EVENTS, &events, &mut report)?;
    check_pages(&INDEX, &index, &mut report)?;
    if let Some(profiles) = &profiles {
        check_pages(&PROFILES, &profiles.profiles, &mut report)?;
    }
    // People are there once a console was run, keys once one was made, the webhooks' queue once a server ran.
    for database in [&PEOPLE, &KEYS, &HOOKS] {
        if folder.file(database.name).exists() {
            check_pages(database, &database.open_to_read(folder)?, &mut report)?;
        }
    }
    if !report.faults.is_empty() {
        // What lies on broken pages cannot be read.
        return Ok(report);
    }
    let mut of_events = HashMap::new();
    {
        // The index is looked at as it was before the log: so what it holds is in the log, or was deleted since.
        let indexed = index.unchecked_transaction()?;
        let logged = events.unchecked_transaction()?;
        let index = rows::Indexed::look(&indexed)?;
        rows::check_rows(&logged, index, &mut of_events, &mut report)?;
        rows::check_quarantine(&logged, &mut of_events, &mut report)?;
    }
    if let Some(profiles) = &profiles {
        let registry = REGISTRY.open_to_read(folder)?;
        let snapshot = Snapshot::load(&registry).ok();
        profiles.check(&|row| is_expired(snapshot.as_ref(), row, now), &mut report.faults)?;
        if let Some(key) = Registry::known_lock_key(&registry)? {
            profiles.check_locks(Keyed::new(key.as_bytes()), &mut report.faults)?;
        }
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

/// Whether retention may have taken the row from its timeline already. From the log it goes after that.
fn is_expired(snapshot: Option<&Snapshot>, row: Logged, now: Timestamp) -> bool {
    let Some(known) = snapshot.and_then(|snapshot| snapshot.by_number(row.event)) else {
        return false;
    };
    let kept_since = if row.test {
        Some(now.plus(-TEST_KEPT_MS))
    } else {
        known.event.retention().expired_before(now)
    };
    kept_since.is_some_and(|since| row.received < since)
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
