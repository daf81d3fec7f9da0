//! Rows of the append-only log: an accepted event as columns with a checksum, and back.

use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use beaconry_model::event_id::EventId;
use beaconry_model::judge::{Accepted, Facts};
use beaconry_model::profile::ProfileId;
use beaconry_model::time::Timestamp;

use crate::bulk::Table;
use crate::error::StoreError;
use crate::snapshot::EventNo;

const TEST: u32 = 1;
const UNCHECKED: u32 = 2;
/// A back end posted it: the column `visitor` holds its profile's id.
pub(crate) const POSTED: u32 = 4;

/// The columns of a row, in the order [`StoredEvent::read`] takes them.
pub(crate) const COLUMNS: &str =
    "seq, id, event, ver, rev, time, received, flags, visitor, url, origin, data, sum";

/// An event as it is on disk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredEvent {
    /// Its id.
    #[serde(serialize_with = "display")]
    pub id: EventId,
    /// The version it was made under.
    pub version: u32,
    /// When it happened.
    pub time: Timestamp,
    /// When it arrived.
    pub received: Timestamp,
    /// Its data, a JSON object.
    #[serde(serialize_with = "raw_json")]
    pub data: String,
    /// The visitor's id.
    pub visitor: Option<String>,
    /// The profile that a back end posted it to.
    pub profile: Option<ProfileId>,
    /// The page it happened on.
    pub url: Option<String>,
    /// The page's web origin.
    pub origin: Option<String>,
    /// The revision of the tracking settings.
    pub rev: Option<u32>,
    /// Whether it is a trial that counts nowhere.
    pub test: bool,
    /// Whether the browser could not check it.
    pub unchecked: bool,
    /// Its place in the log.
    pub seq: i64,
    /// The event's number.
    #[serde(skip)]
    pub event: EventNo,
}

fn display<S: Serializer>(id: &EventId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

fn raw_json<S: Serializer>(data: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let raw: &RawValue = serde_json::from_str(data).map_err(serde::ser::Error::custom)?;
    raw.serialize(serializer)
}

/// The log's table, in the order of [`COLUMNS`].
static EVENTS: Table = Table::new("INSERT INTO events VALUES", 13, "");

/// Writes accepted events from this place of the log on.
pub(crate) fn insert(
    connection: &Connection,
    first: i64,
    events: &[(EventNo, &Accepted)],
) -> Result<(), rusqlite::Error> {
    let placed: Vec<_> = (first..).zip(events).collect();
    EVENTS.insert(connection, &placed, |(seq, (event, accepted)), row| {
        let (facts, mut id) = (accepted.facts(), String::new());
        let flags = flags(facts);
        row.push(seq)?;
        row.push(facts.id.0)?;
        row.push(event.0)?;
        row.push(facts.ver)?;
        row.push(facts.rev)?;
        row.push(facts.time.0)?;
        row.push(facts.received.0)?;
        row.push(flags)?;
        row.push(subject(facts, &mut id))?;
        row.push(facts.url.as_deref())?;
        row.push(facts.origin.as_deref())?;
        row.push(accepted.data())?;
        row.push(checksum(*seq, *event, facts, flags, accepted.data()))
    })
}

/// The event at this place of the log.
pub(crate) fn find(connection: &Connection, seq: i64) -> Result<Option<StoredEvent>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE seq = ?"))?;
    let found = statement.query_row([seq], |row| Ok(StoredEvent::read(row))).optional()?;
    found.transpose()
}

/// The last place of the log that holds an event.
pub(crate) fn last_seq(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.query_row("SELECT coalesce(max(seq), 0) FROM events", [], |row| row.get(0))
}

impl StoredEvent {
    /// Reads a row of [`COLUMNS`] and holds it against its checksum.
    pub(crate) fn read(row: &Row) -> Result<StoredEvent, StoreError> {
        let (facts, flags) = read_facts(row)?;
        let (seq, event, sum) = (row.get(0)?, EventNo(row.get(2)?), row.get::<_, u32>(12)?);
        let data: String = row.get(11)?;
        if checksum(seq, event, &facts, flags, &data) != sum {
            return Err(StoreError::Damaged {
                what: format!("events.db: event {} (row {seq})", facts.id),
            });
        }
        Ok(StoredEvent {
            id: facts.id,
            version: facts.ver,
            time: facts.time,
            received: facts.received,
            data,
            visitor: facts.visitor,
            profile: facts.profile,
            url: facts.url,
            origin: facts.origin,
            rev: facts.rev,
            test: facts.test,
            unchecked: facts.unchecked,
            seq,
            event,
        })
    }
}

/// The columns that log and quarantine share: `id, event, ver, rev, time, received, flags, visitor, url, origin` from
/// column 1 on.
pub(crate) fn read_facts(row: &Row) -> Result<(Facts, u32), rusqlite::Error> {
    let (flags, subject): (u32, Option<String>) = (row.get(7)?, row.get(8)?);
    let facts = Facts {
        id: EventId(row.get(1)?),
        ver: row.get(3)?,
        rev: row.get(4)?,
        time: Timestamp(row.get(5)?),
        received: Timestamp(row.get(6)?),
        visitor: subject.clone().filter(|_| flags & POSTED == 0),
        profile: subject.filter(|_| flags & POSTED != 0).and_then(|id| ProfileId::parse(&id)),
        url: row.get(9)?,
        origin: row.get(10)?,
        test: flags & TEST != 0,
        unchecked: flags & UNCHECKED != 0,
    };
    Ok((facts, flags))
}

pub(crate) fn flags(facts: &Facts) -> u32 {
    u32::from(facts.test) * TEST
        + u32::from(facts.unchecked) * UNCHECKED
        + u32::from(facts.profile.is_some()) * POSTED
}

/// Whose event it is: a visitor's id, or, as [`POSTED`] says, a profile's.
fn subject<'a>(facts: &'a Facts, id: &'a mut String) -> Option<&'a str> {
    match facts.profile {
        Some(profile) => {
            *id = profile.to_string();
            Some(id)
        }
        None => facts.visitor.as_deref(),
    }
}

/// CRC-32 over every column, each text with its length, so that no flipped bit goes unseen.
fn checksum(seq: i64, event: EventNo, facts: &Facts, flags: u32, data: &str) -> u32 {
    let mut id = String::new();
    let texts =
        [subject(facts, &mut id), facts.url.as_deref(), facts.origin.as_deref(), Some(data)]
            .map(Option::unwrap_or_default);
    // Gathered first: of a few bytes at a time the sum costs several times as much.
    let mut row = Vec::with_capacity(96 + texts.iter().map(|text| text.len()).sum::<usize>());
    row.extend_from_slice(&seq.to_le_bytes());
    row.extend_from_slice(&facts.id.0);
    for number in [event.0, facts.ver, facts.rev.map_or(u32::MAX, |rev| rev), flags] {
        row.extend_from_slice(&number.to_le_bytes());
    }
    row.extend_from_slice(&facts.time.0.to_le_bytes());
    row.extend_from_slice(&facts.received.0.to_le_bytes());
    for text in texts {
        row.extend_from_slice(&(text.len() as u64).to_le_bytes());
        row.extend_from_slice(text.as_bytes());
    }
    crc32fast::hash(&row)
}
