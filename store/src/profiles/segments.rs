//! Evaluating segments: of one profile, or of all of them.

use std::thread;

use rusqlite::{Connection, params};
use serde::Serialize;

use beaconry_model::names::SectionId;
use beaconry_model::segment::{
    AttributeCondition, Condition, ConsentCondition, EventCondition, Leaf, Remark, remarks_on_event,
};
use beaconry_model::time::Timestamp;

use super::attributes::{self, Place};
use super::consents;
use super::reader::{Profile, ProfileReader};
use super::slots::Slot;
use crate::error::StoreError;
use crate::schema::PROFILES;
use crate::snapshot::Snapshot;

/// How many profiles a count shows.
const SAMPLE: usize = 10;
/// Threads that count side by side.
const THREADS: i64 = 2;
/// Members read at a time.
const PAGE: usize = 500;

/// How many profiles are in a segment, and some of them.
#[derive(Clone, Debug, Serialize)]
pub struct SegmentCount {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// The first of them.
    pub sample: Vec<Profile>,
}

/// What people should know about a condition of this section. Where one of these [`Remark::breaks`], it is not evaluated.
pub fn remarks(snapshot: &Snapshot, section: &SectionId, condition: &Condition) -> Vec<Remark> {
    let leaves = condition.leaves();
    leaves.iter().flat_map(|leaf| remarks_on(snapshot, section, leaf)).collect()
}

fn remarks_on(snapshot: &Snapshot, section: &SectionId, leaf: &Leaf) -> Vec<Remark> {
    let missing = |what: &str, name: &str| {
        vec![Remark::NoSuchThing { what: what.to_owned(), name: name.to_owned() }]
    };
    match leaf {
        Leaf::Event(condition) => {
            let known = snapshot.event(condition.event.as_str()).ok();
            let known = known.filter(|known| known.event.section() == section);
            remarks_on_event(condition, known.map(|known| &known.event))
        }
        Leaf::Attribute(condition) => {
            match snapshot.audience().attribute(section, &condition.attribute) {
                Some(_) => Vec::new(),
                None => missing("attribute", &condition.attribute),
            }
        }
        Leaf::Consent(condition) => {
            match snapshot.audience().consent_list(section, &condition.list) {
                Some(list) if list.topic(&condition.topic).is_some() => Vec::new(),
                Some(_) => missing("topic", &condition.topic),
                None => missing("consent list", &condition.list),
            }
        }
    }
}

/// A condition with what it is evaluated by.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    snapshot: &'a Snapshot,
    section: &'a SectionId,
    number: u32,
    condition: &'a Condition,
    now: Timestamp,
}

impl<'a> Plan<'a> {
    /// The plan, or, where the condition is broken, why.
    pub(crate) fn new(
        snapshot: &'a Snapshot,
        section: &'a SectionId,
        condition: &'a Condition,
        now: Timestamp,
    ) -> Result<Plan<'a>, StoreError> {
        if let Some(broken) =
            remarks(snapshot, section, condition).iter().find(|remark| remark.breaks())
        {
            return Err(StoreError::Broken { why: broken.to_string() });
        }
        let number = snapshot.section_number(section).unwrap_or_default();
        Ok(Plan { snapshot, section, number, condition, now })
    }

    /// Whether the profile in this slot is a member.
    pub(crate) fn holds(&self, profiles: &Connection, slot: Slot) -> Result<bool, StoreError> {
        self.condition.holds(&mut |leaf| match leaf {
            Leaf::Event(condition) => self.happened(profiles, slot, condition),
            Leaf::Attribute(condition) => self.known(profiles, slot, condition),
            Leaf::Consent(condition) => said(profiles, slot, condition),
        })
    }

    fn happened(
        &self,
        profiles: &Connection,
        slot: Slot,
        condition: &EventCondition,
    ) -> Result<bool, StoreError> {
        let number = self.snapshot.event(condition.event.as_str())?.number;
        let (from, to) = condition.period.bounds(self.now);
        let mut statement = profiles.prepare_cached(
            "SELECT ver, data FROM timeline WHERE slot = ? AND event = ? AND time >= ? AND time < ? AND test = 0",
        )?;
        let mut rows = statement.query(params![slot.0, number.0, from.0, to.0])?;
        let (mut count, stop) = (0, condition.stop_at());
        while count < stop {
            let Some(row) = rows.next()? else { break };
            let data = row.get_ref(1)?.as_str().unwrap_or_default();
            count += u32::from(condition.counts(row.get(0)?, data));
        }
        Ok(condition.enough(count))
    }

    fn known(
        &self,
        profiles: &Connection,
        slot: Slot,
        condition: &AttributeCondition,
    ) -> Result<bool, StoreError> {
        let known = self.snapshot.audience().attribute(self.section, &condition.attribute);
        let Some(known) = known else { return Ok(false) };
        let place = Place { section: self.number, attribute: known.number };
        let value = attributes::value(profiles, slot, place)?;
        Ok(condition.test.holds(value.as_deref()))
    }

    /// Members from this slot on, some at a time, in the order they were made.
    fn some(
        &self,
        profiles: &Connection,
        after: Slot,
        limit: usize,
    ) -> Result<Vec<Slot>, StoreError> {
        let mut slots =
            profiles.prepare_cached("SELECT slot FROM profiles WHERE slot > ? ORDER BY slot")?;
        let mut rows = slots.query([after.0])?;
        let mut members = Vec::new();
        while members.len() < limit {
            let Some(row) = rows.next()? else { break };
            let slot = Slot(row.get(0)?);
            if self.holds(profiles, slot)? {
                members.push(slot);
            }
        }
        Ok(members)
    }

    /// How many of the profiles between two slots are members, how many there are, and the first members.
    fn count(
        &self,
        profiles: &Connection,
        from: i64,
        to: i64,
    ) -> Result<(u64, u64, Vec<Slot>), StoreError> {
        let mut slots =
            profiles.prepare_cached("SELECT slot FROM profiles WHERE slot >= ? AND slot < ?")?;
        let mut rows = slots.query([from, to])?;
        let (mut count, mut of, mut sample) = (0, 0, Vec::new());
        while let Some(row) = rows.next()? {
            let slot = Slot(row.get(0)?);
            of += 1;
            if self.holds(profiles, slot)? {
                count += 1;
                if sample.len() < SAMPLE {
                    sample.push(slot);
                }
            }
        }
        Ok((count, of, sample))
    }
}

fn said(
    profiles: &Connection,
    slot: Slot,
    condition: &ConsentCondition,
) -> Result<bool, StoreError> {
    let said =
        consents::said(profiles, slot, condition.channel, &condition.list, &condition.topic)?;
    Ok(said.iter().any(|said| condition.said.contains(said)))
}

/// The members of a segment, page by page.
#[derive(Clone, Debug, Serialize)]
pub struct Members {
    /// Some members, in the order they were made.
    pub members: Vec<Profile>,
    /// What to ask for the next page with; `None` where there is none.
    pub next: Option<i64>,
}

impl ProfileReader {
    /// Whether a profile fits a condition of this section.
    pub fn fits(
        &self,
        snapshot: &Snapshot,
        section: &SectionId,
        condition: &Condition,
        profile: &Profile,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Plan::new(snapshot, section, condition, now)?.holds(&self.profiles, profile.slot)
    }

    /// How many profiles fit a condition of this section, with a sample.
    pub fn count_segment(
        &self,
        snapshot: &Snapshot,
        section: &SectionId,
        condition: &Condition,
        now: Timestamp,
    ) -> Result<SegmentCount, StoreError> {
        let plan = Plan::new(snapshot, section, condition, now)?;
        let last: i64 =
            self.profiles
                .query_row("SELECT coalesce(max(slot), 0) FROM profiles", [], |row| row.get(0))?;
        let share = last / THREADS + 1;
        let folder = &self.folder;
        let counted = thread::scope(|scope| {
            let count = |part: i64| {
                let profiles = PROFILES.open_to_read(folder)?;
                plan.count(&profiles, part * share, (part + 1) * share)
            };
            let others: Vec<_> =
                (1..THREADS).map(|part| scope.spawn(move || count(part))).collect();
            let mut counted = vec![count(0)];
            for other in others {
                counted.push(other.join().unwrap_or(Err(StoreError::Stopped)));
            }
            counted
        });
        let mut total = SegmentCount { count: 0, of: 0, sample: Vec::new() };
        for part in counted {
            let (count, of, sample) = part?;
            total.count += count;
            total.of += of;
            let room = SAMPLE - total.sample.len();
            for slot in sample.into_iter().take(room) {
                total.sample.push(self.profile(slot)?);
            }
        }
        Ok(total)
    }

    /// Members of a segment, from `after` (0 at first, then [`Members::next`]) on.
    pub fn members(
        &self,
        snapshot: &Snapshot,
        section: &SectionId,
        condition: &Condition,
        after: i64,
        now: Timestamp,
    ) -> Result<Members, StoreError> {
        self.some_members(snapshot, section, condition, after, PAGE, now)
    }

    /// The same, so many at the most.
    pub fn some_members(
        &self,
        snapshot: &Snapshot,
        section: &SectionId,
        condition: &Condition,
        after: i64,
        limit: usize,
        now: Timestamp,
    ) -> Result<Members, StoreError> {
        let plan = Plan::new(snapshot, section, condition, now)?;
        let slots = plan.some(&self.profiles, Slot(after), limit)?;
        let next = slots.last().filter(|_| slots.len() == limit).map(|slot| slot.0);
        let members = slots.into_iter().map(|slot| self.profile(slot)).collect::<Result<_, _>>()?;
        Ok(Members { members, next })
    }
}
