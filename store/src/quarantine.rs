//! Beacons that were turned away but are kept for a while, so that nothing is lost by a mistake.

use rusqlite::{Connection, Row, params};
use serde::Serialize;

use beaconry_model::judge::Quarantined;
use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_model::retention::Retention;
use beaconry_model::time::{DAY_MS, Timestamp};
use beaconry_model::wire::Code;

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

/// Keeps a beacon. One that is there already (a client tried again) stays as it is; says whether it is new.
pub(crate) fn insert(
    connection: &Connection,
    event: EventNo,
    kept: &Quarantined,
    expires: Timestamp,
) -> Result<bool, rusqlite::Error> {
    let facts = &kept.facts;
    let rejection = serde_json::to_string(&kept.rejection).unwrap_or_default();
    let inserted = connection
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
    Ok(inserted > 0)
}

/// Takes a beacon out; gives the event and the code it lay under, where it was still there.
pub(crate) fn remove(
    connection: &Connection,
    number: i64,
) -> Result<Option<(EventNo, Code)>, rusqlite::Error> {
    let mut statement =
        connection.prepare_cached("DELETE FROM quarantine WHERE seq = ? RETURNING event, code")?;
    let mut rows = statement.query([number])?;
    rows.next()?.map(gone).transpose()
}

/// Deletes some of what has expired; gives the event and the code that each lay under.
pub(crate) fn expire(
    connection: &Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<(EventNo, Code)>, rusqlite::Error> {
    connection
        .prepare_cached(
            "DELETE FROM quarantine WHERE seq IN (SELECT seq FROM quarantine WHERE expires <= ? LIMIT ?)
             RETURNING event, code",
        )?
        .query_map(params![now.0, limit], gone)?
        .collect()
}

fn gone(row: &Row) -> Result<(EventNo, Code), rusqlite::Error> {
    let word: String = row.get(1)?;
    let code = Code::ALL.into_iter().find(|code| code.as_str() == word);
    Ok((EventNo(row.get(0)?), code.ok_or(rusqlite::Error::InvalidQuery)?))
}

/// The numbers of what came from visitors, where `theirs` says so of the visitor and the moment of arrival.
pub(crate) fn of_visitors(
    connection: &Connection,
    theirs: impl Fn(&ProfileKey, Timestamp) -> bool,
) -> Result<Vec<i64>, rusqlite::Error> {
    let mut statement = connection
        .prepare("SELECT seq, visitor, received FROM quarantine WHERE visitor IS NOT NULL")?;
    let mut rows = statement.query([])?;
    let mut numbers = Vec::new();
    while let Some(row) = rows.next()? {
        let visitor = row.get_ref(1)?.as_str().unwrap_or_default();
        let key = ProfileKey::new(Keyspace::Web, visitor);
        let received = Timestamp(row.get(2)?);
        if key.is_ok_and(|key| theirs(&key, received)) {
            numbers.push(row.get(0)?);
        }
    }
    Ok(numbers)
}

/// The beacon of this number.
pub(crate) fn find(
    connection: &Connection,
    number: i64,
) -> Result<Option<QuarantinedEvent>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM quarantine WHERE seq = ?"))?;
    let mut rows = statement.query([number])?;
    rows.next()?.map(read).transpose()
}

/// Beacons in quarantine, newest first: those of one event, of one code, of both, or all.
pub(crate) fn list(
    connection: &Connection,
    event: Option<EventNo>,
    code: Option<Code>,
    before: i64,
    limit: u32,
) -> Result<Vec<QuarantinedEvent>, StoreError> {
    // Each has an index of its own.
    let filter = match (event, code) {
        (None, None) => "?1 IS NULL AND ?4 IS NULL",
        (Some(_), None) => "event = ?1 AND ?4 IS NULL",
        (None, Some(_)) => "?1 IS NULL AND code = ?4",
        (Some(_), Some(_)) => "event = ?1 AND code = ?4",
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM quarantine WHERE {filter} AND seq < ?2 ORDER BY seq DESC LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![
        event.map(|event| event.0),
        before,
        limit,
        code.map(Code::as_str)
    ])?;
    let mut kept = Vec::new();
    while let Some(row) = rows.next()? {
        kept.push(read(row)?);
    }
    Ok(kept)
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
