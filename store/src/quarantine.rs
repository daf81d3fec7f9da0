//! Beacons that were turned away but are kept for a while, so that nothing is lost by a mistake.

use rusqlite::{Connection, Row, params};
use serde::Serialize;

use beaconry_model::judge::Quarantined;
use beaconry_model::retention::Retention;
use beaconry_model::time::{DAY_MS, Timestamp};

use crate::error::StoreError;
use crate::log::{flags, read_facts};
use crate::snapshot::{EventNo, parse};

/// How long a beacon is kept at the most, in milliseconds: 30 days.
pub(crate) const KEPT_MS: i64 = 30 * DAY_MS;

const COLUMNS: &str =
    "seq, id, event, ver, rev, time, received, flags, visitor, url, origin, rejection, raw";

/// A beacon in quarantine.
#[derive(Clone, Debug, PartialEq)]
pub struct QuarantinedEvent {
    /// Its number in the quarantine.
    pub number: i64,
    /// The event it says it is.
    pub event: EventNo,
    /// What it was, and why it was turned away.
    pub kept: Quarantined,
}

/// When a beacon that arrived at this moment leaves the quarantine: after 30 days, or the event's retention where that
/// is shorter.
pub fn expires(retention: Retention, received: Timestamp) -> Timestamp {
    let kept_ms = match retention {
        Retention::Forever => KEPT_MS,
        Retention::Days(days) => KEPT_MS.min(i64::from(days) * DAY_MS),
    };
    received.plus(kept_ms)
}

/// Keeps a beacon. One that is there already (a client tried again) stays as it is.
pub(crate) fn insert(
    connection: &Connection,
    event: EventNo,
    kept: &Quarantined,
    expires: Timestamp,
) -> Result<(), rusqlite::Error> {
    let facts = &kept.facts;
    let rejection = serde_json::to_string(&kept.rejection).unwrap_or_default();
    connection
        .prepare_cached(
            "INSERT INTO quarantine (id, event, ver, rev, time, received, flags, visitor, url, origin, expires, rejection, raw)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            facts.id.0,
            event.0,
            facts.ver,
            facts.rev,
            facts.time.0,
            facts.received.0,
            flags(facts),
            facts.visitor,
            facts.url,
            facts.origin,
            expires.0,
            rejection,
            kept.raw
        ])?;
    Ok(())
}

/// Takes a beacon out.
pub(crate) fn remove(connection: &Connection, number: i64) -> Result<(), rusqlite::Error> {
    connection.prepare_cached("DELETE FROM quarantine WHERE seq = ?")?.execute([number])?;
    Ok(())
}

/// Deletes some of what has expired; says how many.
pub(crate) fn expire(
    connection: &Connection,
    now: Timestamp,
    limit: u32,
) -> Result<usize, rusqlite::Error> {
    connection
        .prepare_cached(
            "DELETE FROM quarantine WHERE seq IN (SELECT seq FROM quarantine WHERE expires <= ? LIMIT ?)",
        )?
        .execute(params![now.0, limit])
}

/// Beacons in quarantine, newest first: those of one event, or all.
pub(crate) fn list(
    connection: &Connection,
    event: Option<EventNo>,
    before: i64,
    limit: u32,
) -> Result<Vec<QuarantinedEvent>, StoreError> {
    let filter = if event.is_some() { "event = ?1" } else { "?1 IS NULL" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM quarantine WHERE {filter} AND seq < ?2 ORDER BY seq DESC LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![event.map(|event| event.0), before, limit])?;
    let mut kept = Vec::new();
    while let Some(row) = rows.next()? {
        kept.push(read(row)?);
    }
    Ok(kept)
}

/// How many beacons of an event are in quarantine.
pub(crate) fn count(connection: &Connection, event: EventNo) -> Result<u64, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT count(*) FROM quarantine WHERE event = ?")?;
    Ok(statement.query_row([event.0], |row| row.get(0))?)
}

fn read(row: &Row) -> Result<QuarantinedEvent, StoreError> {
    let (facts, _) = read_facts(row)?;
    let rejection = parse("a quarantined beacon", &row.get::<_, String>(11)?)?;
    let kept = Quarantined { facts, rejection, raw: row.get(12)? };
    Ok(QuarantinedEvent { number: row.get(0)?, event: EventNo(row.get(2)?), kept })
}

/// One row as the command line and the API show it.
impl Serialize for QuarantinedEvent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let facts = &self.kept.facts;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("number", &self.number)?;
        map.serialize_entry("id", &facts.id.to_string())?;
        map.serialize_entry("ver", &facts.ver)?;
        map.serialize_entry("time", &facts.time)?;
        map.serialize_entry("received", &facts.received)?;
        map.serialize_entry("code", &self.kept.rejection.code)?;
        map.serialize_entry("detail", &self.kept.rejection.detail)?;
        map.serialize_entry("errors", &self.kept.rejection.errors)?;
        map.serialize_entry("url", &facts.url)?;
        map.serialize_entry("raw", &self.kept.raw)?;
        map.end()
    }
}
