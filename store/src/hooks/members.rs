//! Who is in which watched segment: looked at when a profile changes, and, because time passes too, of everybody now and
//! then. What is known is on disk, so nobody enters twice.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use beaconry_model::profile::ProfileId;
use beaconry_model::segment::{Condition, Leaf};
use beaconry_model::time::Timestamp;

use super::known::KnownWebhook;
use super::queue::{self, Kind, Lane, MAX_WAITING};
use crate::error::StoreError;
use crate::profiles::{self, Plan, Slot};
use crate::snapshot::Snapshot;

/// Profiles looked at in one step: a few milliseconds.
pub(super) const STEP: usize = 200;

/// A webhook that hears of one segment.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) number: i64,
    pub(super) hook: u32,
    pub(super) segment: String,
    /// Whether everybody has been looked at once.
    pub(super) ready: bool,
    /// Whether it hears of those who enter, and of those who leave.
    hears: (bool, bool),
}

/// Which webhooks watch which segments.
#[derive(Debug, Default)]
pub(super) struct Watches {
    pub(super) all: Vec<Watch>,
    /// The conditions as they were when everybody was last asked to be looked at.
    conditions: HashMap<String, Condition>,
}

impl Watches {
    /// Brings them to what the webhooks say. Says whether everybody is to be looked at, because there is a new watch or a
    /// condition changed.
    pub(super) fn sync(
        &mut self,
        transaction: &Connection,
        snapshot: &Snapshot,
    ) -> Result<bool, StoreError> {
        self.all.clear();
        let mut conditions = HashMap::new();
        for known in snapshot.webhooks() {
            for segment in known.hook.segments() {
                transaction
                    .prepare_cached(
                        "INSERT INTO watches (hook, segment) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![known.number, segment])?;
                let (number, ready) = transaction
                    .prepare_cached(
                        "SELECT number, ready FROM watches WHERE hook = ? AND segment = ?",
                    )?
                    .query_row(params![known.number, segment], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })?;
                self.all.push(Watch {
                    number,
                    hook: known.number,
                    segment: segment.to_owned(),
                    ready,
                    hears: known.hook.hears_segment(segment),
                });
                if let Some(found) = snapshot.segment_of(&known.hook.section, segment) {
                    conditions.insert(segment.to_owned(), found.condition.clone());
                }
            }
        }
        let look = conditions != self.conditions || self.all.iter().any(|watch| !watch.ready);
        self.conditions = conditions;
        Ok(look)
    }

    /// Whether time alone can change who is in one of them: what happened gets old, or is deleted.
    pub(super) fn change_with_time(&self) -> bool {
        let mut conditions = self.conditions.values();
        conditions
            .any(|condition| condition.leaves().iter().any(|leaf| matches!(leaf, Leaf::Event(_))))
    }
}

/// What looking works with.
pub(super) struct Look<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) profiles: &'a Connection,
    pub(super) hooks: &'a [&'a KnownWebhook],
    pub(super) watches: &'a [Watch],
    pub(super) now: Timestamp,
}

/// What came of looking.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looked {
    /// Whether anything was queued.
    pub(super) queued: bool,
    /// Whether a webhook had no room, so that everybody must be looked at again.
    pub(super) missed: bool,
}

impl Look<'_> {
    /// Looks at these profiles, notes who is in what, and queues what is new.
    pub(super) fn at(
        &self,
        transaction: &Connection,
        slots: &[Slot],
    ) -> Result<Looked, StoreError> {
        let mut looked = Looked::default();
        let mut plans = Vec::new();
        for watch in self.watches {
            let Some(known) = self.hooks.iter().find(|known| known.number == watch.hook) else {
                continue;
            };
            let segment = self.snapshot.segment_of(&known.hook.section, &watch.segment);
            let Some(segment) = segment else { continue };
            // Who was a member before all were looked at once does not enter, so that needs no room.
            if watch.ready && queue::waiting(transaction, watch.hook)? >= MAX_WAITING {
                looked.missed = true;
                continue;
            }
            match Plan::new(self.snapshot, &segment.section, &segment.condition, self.now) {
                Ok(plan) => plans.push((watch, plan)),
                Err(StoreError::Broken { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        for slot in slots {
            let ids = profiles::ids_of(self.profiles, *slot)?;
            // Merged into another, or erased.
            if ids.is_empty() {
                continue;
            }
            queue::join_lanes(transaction, &ids)?;
            for (watch, plan) in &plans {
                let fits = plan.holds(self.profiles, *slot)?;
                looked.queued |= self.note(transaction, watch, &ids, fits)?;
            }
        }
        Ok(looked)
    }

    /// Notes whether a profile is a member. Says whether that was queued as news.
    fn note(
        &self,
        transaction: &Connection,
        watch: &Watch,
        ids: &[ProfileId],
        fits: bool,
    ) -> Result<bool, StoreError> {
        let Some((id, others)) = ids.split_first() else { return Ok(false) };
        let mut take =
            transaction.prepare_cached("DELETE FROM members WHERE profile = ? AND watch = ?")?;
        let mut was = false;
        // Of profiles that were merged, one that was a member makes the whole one a member.
        for other in others {
            was |= take.execute(params![other.0, watch.number])? > 0;
        }
        let changed = if fits {
            transaction
                .prepare_cached("INSERT INTO members VALUES (?, ?) ON CONFLICT DO NOTHING")?
                .execute(params![id.0, watch.number])?
                > 0
        } else {
            was |= take.execute(params![id.0, watch.number])? > 0;
            false
        };
        let news = match (fits, was) {
            (true, false) if changed => Some((Kind::Entered, watch.hears.0)),
            (false, true) => Some((Kind::Left, watch.hears.1)),
            _ => None,
        };
        let Some((kind, true)) = news.filter(|_| watch.ready) else { return Ok(false) };
        queue::put(transaction, watch.hook, Lane::from(*id), (kind, watch.number), self.now)?;
        Ok(true)
    }

    /// The watches that were looked at: those whose segment is there and not broken.
    pub(super) fn sound(&self) -> Vec<i64> {
        let sound = self.watches.iter().filter(|watch| {
            let known = self.hooks.iter().find(|known| known.number == watch.hook);
            let segment = known
                .and_then(|known| self.snapshot.segment_of(&known.hook.section, &watch.segment));
            segment.is_some_and(|segment| {
                Plan::new(self.snapshot, &segment.section, &segment.condition, self.now).is_ok()
            })
        });
        sound.map(|watch| watch.number).collect()
    }
}

/// Profiles after this slot, some at a time.
pub(super) fn some(profiles: &Connection, after: Slot) -> Result<Vec<Slot>, rusqlite::Error> {
    let mut statement = profiles
        .prepare_cached("SELECT slot FROM profiles WHERE slot > ? ORDER BY slot LIMIT ?")?;
    let slots = statement.query_map(params![after.0, STEP as i64], |row| row.get(0).map(Slot))?;
    slots.collect()
}

/// Takes out some members who are gone, as after a crash while somebody was erased: those after this id. Gives the last id
/// that was looked at.
pub(super) fn forget_gone(
    transaction: &Connection,
    profiles: &Connection,
    after: ProfileId,
) -> Result<Option<ProfileId>, StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT DISTINCT profile FROM members WHERE profile > ? ORDER BY profile LIMIT ?",
    )?;
    let some: Vec<ProfileId> = statement
        .query_map(params![after.0, STEP as i64], |row| row.get(0).map(ProfileId))?
        .collect::<Result<_, _>>()?;
    for id in &some {
        if profiles::slot_by_id(profiles, *id)?.is_none() {
            transaction.prepare_cached("DELETE FROM members WHERE profile = ?")?.execute([id.0])?;
        }
    }
    Ok(some.last().copied())
}
