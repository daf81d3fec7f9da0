//! Reading and pruning the timeline of a profile.

use rusqlite::{Connection, OptionalExtension, params};

use beaconry_model::names::SectionId;
use beaconry_model::profile::{Keyspace, ProfileId, ProfileKey};
use beaconry_model::time::Timestamp;

use super::slots::{self, Slot};
use crate::error::StoreError;
use crate::log::{self, POSTED, StoredEvent};
use crate::snapshot::{EventNo, Snapshot};

/// What is read of a timeline. Hidden events and trials never are.
#[derive(Clone, Copy, Debug)]
pub struct TimelineQuery<'a> {
    /// Only events of this section.
    pub section: Option<&'a SectionId>,
    /// Only events that outside systems may read through this keyspace.
    pub through: Option<Keyspace>,
    /// Only this event.
    pub event: Option<EventNo>,
    /// Only what happened at this moment or later.
    pub from: Option<Timestamp>,
    /// Only what lies before this place: the time and `seq` of the last event of the page before.
    pub before: Option<(Timestamp, i64)>,
    /// How many at the most.
    pub limit: usize,
}

impl Default for TimelineQuery<'_> {
    fn default() -> Self {
        TimelineQuery {
            section: None,
            through: None,
            event: None,
            from: None,
            before: None,
            limit: 100,
        }
    }
}

impl TimelineQuery<'_> {
    fn shows(&self, snapshot: &Snapshot, number: EventNo) -> bool {
        let Some(known) = snapshot.by_number(number) else { return false };
        known.event.hidden_at().is_none()
            && self.section.is_none_or(|section| known.event.section() == section)
            && self.through.is_none_or(|keyspace| known.event.allowed().through(keyspace).read)
            && self.event.is_none_or(|event| event == number)
    }
}

/// The newest events first.
pub(super) fn read(
    profiles: &Connection,
    events: &Connection,
    snapshot: &Snapshot,
    slot: Slot,
    query: &TimelineQuery,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut shown = kinds(profiles, slot)?;
    shown.retain(|number| query.shows(snapshot, *number));
    read_kinds(profiles, events, slot, query, &shown)
}

/// The same with hidden events among them.
pub(super) fn read_all(
    profiles: &Connection,
    events: &Connection,
    slot: Slot,
    query: &TimelineQuery,
) -> Result<Vec<StoredEvent>, StoreError> {
    read_kinds(profiles, events, slot, query, &kinds(profiles, slot)?)
}

fn read_kinds(
    profiles: &Connection,
    events: &Connection,
    slot: Slot,
    query: &TimelineQuery,
    kinds: &[EventNo],
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut places = Vec::new();
    for number in kinds {
        newest(profiles, slot, *number, query, &mut places)?;
    }
    places.sort_unstable_by(|a: &(i64, i64), b| b.cmp(a));
    let mut timeline = Vec::with_capacity(places.len().min(query.limit));
    for (_, seq) in places {
        if timeline.len() >= query.limit {
            break;
        }
        // Retention may have deleted it since.
        timeline.extend(log::find(events, seq)?);
    }
    Ok(timeline)
}

/// The events that a profile has at least one of: leaps from one to the next, since each may come thousands of times.
pub(super) fn kinds(profiles: &Connection, slot: Slot) -> Result<Vec<EventNo>, rusqlite::Error> {
    let mut statement =
        profiles.prepare_cached("SELECT min(event) FROM timeline WHERE slot = ? AND event > ?")?;
    let (mut kinds, mut last) = (Vec::new(), -1);
    while let Some(next) =
        statement.query_row(params![slot.0, last], |row| row.get::<_, Option<u32>>(0))?
    {
        kinds.push(EventNo(next));
        last = i64::from(next);
    }
    Ok(kinds)
}

fn newest(
    profiles: &Connection,
    slot: Slot,
    event: EventNo,
    query: &TimelineQuery,
    places: &mut Vec<(i64, i64)>,
) -> Result<(), rusqlite::Error> {
    let mut statement = profiles.prepare_cached(
        "SELECT time, seq FROM timeline
         WHERE slot = ? AND event = ? AND time >= ? AND (time, seq) < (?, ?) AND test = 0
         ORDER BY time DESC, seq DESC LIMIT ?",
    )?;
    let from = query.from.map_or(i64::MIN, |from| from.0);
    let before = query.before.map_or((i64::MAX, i64::MAX), |(time, seq)| (time.0, seq));
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let rows = statement
        .query_map(params![slot.0, event.0, from, before.0, before.1, limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    for place in rows {
        places.push(place?);
    }
    Ok(())
}

/// Takes events off the timelines they are on, whose rows are to go from the log.
pub(crate) fn forget(
    profiles: &Connection,
    events: &Connection,
    seqs: &[i64],
) -> Result<(), StoreError> {
    for seq in seqs {
        let found = events
            .prepare_cached("SELECT event, time, flags, visitor FROM events WHERE seq = ?")?
            .query_row([seq], |row| {
                let subject: Option<String> = row.get(3)?;
                Ok((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?, row.get::<_, u32>(2)?, subject))
            })
            .optional()?;
        let Some((event, time, flags, Some(subject))) = found else { continue };
        let Some(slot) = slot_of(profiles, flags, &subject)? else { continue };
        profiles
            .prepare_cached(
                "DELETE FROM timeline WHERE slot = ? AND event = ? AND time = ? AND seq = ?",
            )?
            .execute(params![slot.0, event, time, seq])?;
    }
    Ok(())
}

/// The slot of the profile that a row of the log belongs to.
pub(super) fn slot_of(
    profiles: &Connection,
    flags: u32,
    subject: &str,
) -> Result<Option<Slot>, rusqlite::Error> {
    if flags & POSTED != 0 {
        return ProfileId::parse(subject).map_or(Ok(None), |id| slots::by_id(profiles, id));
    }
    ProfileKey::new(Keyspace::Web, subject).map_or(Ok(None), |key| slots::by_key(profiles, &key))
}
