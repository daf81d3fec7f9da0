//! From the log and the quarantine to what waits: each webhook goes along both at its own pace, from a place that is kept.

use std::collections::HashMap;

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use beaconry_model::profile::{Keyspace, ProfileId, ProfileKey};
use beaconry_model::time::Timestamp;

use super::known::KnownWebhook;
use super::payload::{heard, readable};
use super::queue::{self, Kind, Lane, MAX_WAITING};
use crate::error::StoreError;
use crate::log::POSTED;
use crate::profiles;
use crate::snapshot::{EventNo, Snapshot};

/// Rows looked at in one step: a few milliseconds.
const STEP: usize = 500;
/// Rows that may be passed over before the place is written down. They are looked at again after a crash, which costs
/// little and sends nothing twice.
const UNWRITTEN: i64 = 20_000;
/// Lanes of beacons that were rejected: whose they are is not kept, only which of so many lanes it is.
const REJECTED_LANES: u8 = 64;

/// How far a webhook has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    pub(super) seq: i64,
    pub(super) quarantine: i64,
    /// The same as it is on disk.
    pub(super) written: (i64, i64),
}

/// What feeding works with.
pub(super) struct Feed<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) events: &'a Connection,
    pub(super) profiles: &'a Connection,
    pub(super) now: Timestamp,
}

impl Feed<'_> {
    /// Takes what is next of the log, up to `linked`, for those who are furthest behind. Says whether there may be more.
    pub(super) fn log(
        &self,
        transaction: &Connection,
        hooks: &[&KnownWebhook],
        cursors: &mut HashMap<u32, Cursor>,
        linked: i64,
    ) -> Result<bool, StoreError> {
        let behind = self.with_room(transaction, hooks, |number| {
            cursors.get(&number).is_some_and(|cursor| cursor.seq < linked)
        })?;
        let places = behind.iter().filter_map(|known| cursors.get(&known.number));
        let Some(from) = places.map(|cursor| cursor.seq).min() else { return Ok(false) };
        let rows = self.rows(
            "SELECT seq, event, ver, flags, visitor FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
            (from, linked),
        )?;
        let full = rows.len() == STEP;
        let reaches = rows.last().filter(|_| full).map_or(linked, |last| last.place);
        for row in rows.iter().filter(|row| row.flags & 1 == 0) {
            self.event(transaction, &behind, cursors, row)?;
        }
        for known in &behind {
            if let Some(cursor) = cursors.get_mut(&known.number) {
                cursor.seq = cursor.seq.max(reaches);
            }
        }
        Ok(full)
    }

    /// The same of the quarantine.
    pub(super) fn quarantine(
        &self,
        transaction: &Connection,
        hooks: &[&KnownWebhook],
        cursors: &mut HashMap<u32, Cursor>,
    ) -> Result<bool, StoreError> {
        let last: i64 = self
            .events
            .prepare_cached("SELECT coalesce(max(seq), 0) FROM quarantine")?
            .query_row([], |row| row.get(0))?;
        let behind = self.with_room(transaction, hooks, |number| {
            cursors.get(&number).is_some_and(|cursor| cursor.quarantine < last)
        })?;
        let places = behind.iter().filter_map(|known| cursors.get(&known.number));
        let Some(from) = places.map(|cursor| cursor.quarantine).min() else { return Ok(false) };
        let rows = self.rows(
            "SELECT seq, event, ver, flags, visitor FROM quarantine WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
            (from, last),
        )?;
        let full = rows.len() == STEP;
        let reaches = rows.last().filter(|_| full).map_or(last, |last| last.place);
        for row in rows.iter().filter(|row| row.flags & 1 == 0) {
            for known in &behind {
                let passed =
                    cursors.get(&known.number).is_none_or(|cursor| cursor.quarantine >= row.place);
                let of = heard(self.snapshot, &known.hook, row.event).filter(|of| {
                    known.hook.hears_rejected(of.event.discriminator())
                        && !readable(&known.hook, &of.event).is_empty()
                });
                if !passed && of.is_some() {
                    let lane = rejected_lane(row.subject.as_deref());
                    let what = (Kind::Rejected, row.place);
                    queue::put(transaction, known.number, lane, what, self.now)?;
                }
            }
        }
        for known in &behind {
            if let Some(cursor) = cursors.get_mut(&known.number) {
                cursor.quarantine = cursor.quarantine.max(reaches);
            }
        }
        Ok(full)
    }

    /// Those of these webhooks that are behind, and for which more may wait.
    fn with_room<'h>(
        &self,
        transaction: &Connection,
        hooks: &[&'h KnownWebhook],
        behind: impl Fn(u32) -> bool,
    ) -> Result<Vec<&'h KnownWebhook>, StoreError> {
        let mut chosen = Vec::new();
        for known in hooks.iter().filter(|known| behind(known.number)) {
            if queue::waiting(transaction, known.number)? < MAX_WAITING {
                chosen.push(*known);
            }
        }
        Ok(chosen)
    }

    fn rows(&self, sql: &str, (from, to): (i64, i64)) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.events.prepare_cached(sql)?;
        let rows = statement.query_map(params![from, to, STEP as i64], |row| {
            Ok(Row {
                place: row.get(0)?,
                event: EventNo(row.get(1)?),
                ver: row.get(2)?,
                flags: row.get(3)?,
                subject: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn event(
        &self,
        transaction: &Connection,
        hooks: &[&KnownWebhook],
        cursors: &HashMap<u32, Cursor>,
        row: &Row,
    ) -> Result<(), StoreError> {
        let hears = |known: &&&KnownWebhook| {
            let passed = cursors.get(&known.number).is_none_or(|cursor| cursor.seq >= row.place);
            let of = heard(self.snapshot, &known.hook, row.event);
            !passed
                && of.is_some_and(|of| {
                    known.hook.hears(of.event.discriminator(), row.ver)
                        && !readable(&known.hook, &of.event).is_empty()
                })
        };
        let hearing: Vec<_> = hooks.iter().filter(hears).collect();
        if hearing.is_empty() {
            return Ok(());
        }
        let Some(lane) = self.lane(transaction, row)? else { return Ok(()) };
        for known in hearing {
            queue::put(transaction, known.number, lane, (Kind::Event, row.place), self.now)?;
        }
        Ok(())
    }

    /// The lane of whose event it is; `None` where they were erased since.
    fn lane(&self, transaction: &Connection, row: &Row) -> Result<Option<Lane>, StoreError> {
        let slot = match &row.subject {
            None => return Lane::alone().map(Some),
            Some(id) if row.flags & POSTED != 0 => match ProfileId::parse(id) {
                Some(id) => profiles::slot_by_id(self.profiles, id)?,
                None => None,
            },
            Some(visitor) => match ProfileKey::new(Keyspace::Web, visitor) {
                Ok(key) => profiles::slot_by_key(self.profiles, &key)?,
                // Nobody's, as linking sees it.
                Err(_) => return Lane::alone().map(Some),
            },
        };
        let Some(slot) = slot else { return Ok(None) };
        let ids = profiles::ids_of(self.profiles, slot)?;
        queue::join_lanes(transaction, &ids)?;
        Ok(ids.first().map(|id| Lane::from(*id)))
    }
}

/// What feeding needs of a row.
struct Row {
    place: i64,
    event: EventNo,
    ver: u32,
    flags: u32,
    subject: Option<String>,
}

fn rejected_lane(visitor: Option<&str>) -> Lane {
    let hash = Sha256::digest(visitor.unwrap_or_default().as_bytes());
    let mut lane = [0; 16];
    lane[15] = hash[0] % REJECTED_LANES;
    Lane(lane)
}

/// Writes places down, where something was queued or much was passed over.
pub(super) fn write_places(
    transaction: &Connection,
    cursors: &mut HashMap<u32, Cursor>,
    queued: bool,
) -> Result<(), rusqlite::Error> {
    let mut statement =
        transaction.prepare_cached("UPDATE hooks SET seq = ?2, quarantine = ?3 WHERE hook = ?1")?;
    for (hook, cursor) in cursors {
        let place = (cursor.seq, cursor.quarantine);
        if place != cursor.written && (queued || cursor.seq - cursor.written.0 > UNWRITTEN) {
            statement.execute(params![hook, place.0, place.1])?;
            cursor.written = place;
        }
    }
    Ok(())
}
