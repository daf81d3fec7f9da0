//! Linking: each event of the log goes onto the timeline of the profile it belongs to, in the log's order, with the
//! watermark in the same transaction.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use rusqlite::{Connection, Row, TransactionBehavior, params};

use beaconry_model::profile::{Keyspace, ProfileId, ProfileKey};
use beaconry_model::time::Timestamp;

use super::erase::note_unclean;
use super::locks::Locks;
use super::slots::{self, Slot};
use super::thread::Shared;
use crate::bulk::Table;
use crate::error::StoreError;
use crate::hooks::Queue;
use crate::log::POSTED;
use crate::schema::{Database, EVENTS, PROFILES};

static TIMELINE: Table = Table::new("INSERT INTO timeline VALUES", 7, "ON CONFLICT DO NOTHING");

/// The last place of the log that is linked.
pub(crate) fn watermark(profiles: &Connection) -> Result<i64, rusqlite::Error> {
    profiles.query_row("SELECT seq FROM watermark", [], |row| row.get(0))
}

/// Links the next `batch` events, where the log is known to reach to `committed`. Says whether there may be more; where it fails,
/// with which database.
pub(super) fn link_some(
    profiles: &mut Connection,
    events: &Connection,
    shared: &Shared,
    committed: i64,
    batch: usize,
) -> Result<bool, (&'static Database, StoreError)> {
    let watermark = *shared.linked.borrow();
    let rows = above(events, watermark, batch).map_err(|error| (&EVENTS, error.into()))?;
    // Rows that retention took away before they were linked leave a gap at the end, which counts as linked.
    let reaches = match rows.last() {
        Some(last) if rows.len() == batch => last.seq,
        Some(last) => last.seq.max(committed),
        None => committed,
    };
    if reaches <= watermark {
        return Ok(false);
    }
    write(profiles, shared, &rows, reaches).map_err(|error| (&PROFILES, error))?;
    Ok(rows.len() == batch)
}

/// Puts rows onto timelines, and says that everything up to this place is linked.
fn write(
    profiles: &mut Connection,
    shared: &Shared,
    rows: &[Logged],
    reaches: i64,
) -> Result<(), StoreError> {
    // Of what is behind the log the last commits may be lost with the power: they are made again from the log.
    profiles.pragma_update(None, "synchronous", "NORMAL")?;
    let transaction = profiles.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut linking = Linking {
        profiles: &transaction,
        locks: &shared.locks,
        visitors: HashMap::new(),
        doomed: false,
        hooks: &shared.hooks,
    };
    linking.link(rows)?;
    let doomed = linking.doomed;
    transaction.prepare_cached("UPDATE watermark SET seq = ?")?.execute([reaches])?;
    transaction.commit()?;
    if doomed {
        shared.doomed.store(true, Ordering::Release);
    }
    shared.linked.send_replace(reaches);
    // Behind it, so that who looks at what changed finds the events that changed it linked.
    shared.hooks.changed();
    Ok(())
}

/// What linking needs of a row of the log.
struct Logged {
    seq: i64,
    event: u32,
    ver: u32,
    time: Timestamp,
    received: Timestamp,
    flags: u32,
    subject: Option<String>,
    data: String,
}

fn above(events: &Connection, seq: i64, limit: usize) -> Result<Vec<Logged>, rusqlite::Error> {
    let mut statement = events.prepare_cached(
        "SELECT seq, event, ver, time, received, flags, visitor, data FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
    )?;
    let rows = statement.query_map(params![seq, limit as i64], read)?;
    rows.collect()
}

fn read(row: &Row) -> Result<Logged, rusqlite::Error> {
    Ok(Logged {
        seq: row.get(0)?,
        event: row.get(1)?,
        ver: row.get(2)?,
        time: Timestamp(row.get(3)?),
        received: Timestamp(row.get(4)?),
        flags: row.get(5)?,
        subject: row.get(6)?,
        data: row.get(7)?,
    })
}

struct Linking<'a> {
    profiles: &'a Connection,
    locks: &'a Locks,
    /// Visitors of this batch; one visitor's events come close together.
    visitors: HashMap<String, Slot>,
    doomed: bool,
    hooks: &'a Queue,
}

impl Linking<'_> {
    /// Puts events onto timelines, those of one profile together: its rows are neighbours.
    fn link(&mut self, rows: &[Logged]) -> Result<(), StoreError> {
        let mut placed = Vec::with_capacity(rows.len());
        for row in rows {
            placed.extend(self.slot(row)?.map(|slot| (slot, row)));
        }
        placed.sort_unstable_by_key(|(slot, row)| (*slot, row.event, row.time, row.seq));
        placed.iter().for_each(|(slot, _)| self.hooks.touching(*slot));
        TIMELINE.insert(self.profiles, &placed, |(slot, logged), row| {
            row.push(slot.0)?;
            row.push(logged.event)?;
            row.push(logged.time.0)?;
            row.push(logged.seq)?;
            row.push(logged.ver)?;
            row.push(logged.flags & 1)?;
            row.push(logged.data.as_str())
        })?;
        Ok(())
    }

    /// The profile that a row belongs to; `None` where it is nobody's.
    fn slot(&mut self, row: &Logged) -> Result<Option<Slot>, StoreError> {
        match &row.subject {
            None => Ok(None),
            Some(id) if row.flags & POSTED != 0 => self.posted(id, row),
            Some(visitor) => self.visitor(visitor, row),
        }
    }

    /// The profile that a back end posted to; one that was erased since takes nothing.
    fn posted(&mut self, id: &str, row: &Logged) -> Result<Option<Slot>, StoreError> {
        let Some(id) = ProfileId::parse(id) else { return Ok(None) };
        let slot = slots::by_id(self.profiles, id)?;
        if slot.is_none() && self.locks.erased(id) {
            self.doom(row)?;
        }
        Ok(slot)
    }

    /// The visitor's profile, made with their first event.
    fn visitor(&mut self, visitor: &str, row: &Logged) -> Result<Option<Slot>, StoreError> {
        if let Some(slot) = self.visitors.get(visitor) {
            return Ok(Some(*slot));
        }
        let Ok(key) = ProfileKey::new(Keyspace::Web, visitor) else { return Ok(None) };
        if self.locks.holds(&key) {
            self.doom(row)?;
            return Ok(None);
        }
        let slot = slots::by_key_or_new(self.profiles, &key, row.received)?;
        self.visitors.insert(visitor.to_owned(), slot);
        Ok(Some(slot))
    }

    /// Notes that the row is to be deleted from the log.
    fn doom(&mut self, row: &Logged) -> Result<(), rusqlite::Error> {
        self.doomed = true;
        note_unclean(self.profiles)?;
        self.profiles
            .prepare_cached("INSERT INTO doomed VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")?
            .execute(params![row.seq, row.event, row.flags & 1, row.received.0])?;
        Ok(())
    }
}
