//! How many beacons arrived, by event, version and hour, and what became of them: the counters as they are read.
//!
//! What is stored or kept in quarantine is counted in the transaction that writes it, so those counts are exact through
//! every crash. Of what is refused nothing is written but its count, once a second: a crash may lose the last second's.
//! Trials count nowhere. Hours are kept for 90 days, reasons and pages for 30; what a stranger can make up (names of
//! fields, origins, pages) is bounded, and what is beyond the bound is counted under [`OTHER`].

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde::Serialize;

use beaconry_model::time::{DAY_MS, HOUR_MS, Timestamp};
use beaconry_model::wire::Code;

use crate::error::StoreError;
use crate::snapshot::EventNo;

/// Stands for what is beyond the bound: the other fields, or the other origins.
pub const OTHER: &str = "(others)";
/// How long hours are kept, in milliseconds.
const HOURS_MS: i64 = 90 * DAY_MS;
/// How long reasons and pages are kept, in milliseconds.
const REASONS_MS: i64 = 30 * DAY_MS;
/// Rows of each table that one step prunes.
const PRUNED: u32 = 500;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Stored as it arrived.
    Accepted,
    /// Turned away at first, and stored by a replay; counted at the hour it had arrived.
    Replayed,
    /// Came unchecked by the browser; counted besides what became of it.
    Unchecked,
    /// In quarantine: the data does not fit.
    Invalid,
    /// In quarantine: from a version older than the pinned one.
    Stale,
    /// In quarantine: from a version that was never published.
    UnknownVersion,
    /// In quarantine: happened more than 30 days before it arrived.
    TooOld,
    /// Refused: from a web origin that the section does not allow.
    Origin,
    /// Refused: web tracking is off.
    Disabled,
    /// Refused: the event is hidden.
    Hidden,
    /// Refused: more than 16 KiB.
    TooLarge,
    /// Refused: not of an event's shape.
    Malformed,
    /// Refused: of a visitor who was erased for good. Counted under no event.
    Locked,
    /// Refused: no event has its key. Counted under no event.
    UnknownEvent,
}

impl Count {
    /// Everything that is counted, in the order of its columns.
    pub const ALL: [Count; 14] = [
        Count::Accepted,
        Count::Replayed,
        Count::Unchecked,
        Count::Invalid,
        Count::Stale,
        Count::UnknownVersion,
        Count::TooOld,
        Count::Origin,
        Count::Disabled,
        Count::Hidden,
        Count::TooLarge,
        Count::Malformed,
        Count::Locked,
        Count::UnknownEvent,
    ];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Count::Accepted => "accepted",
            Count::Replayed => "replayed",
            Count::Unchecked => "unchecked",
            Count::Invalid => "invalid",
            Count::Stale => "stale",
            Count::UnknownVersion => "unknown_version",
            Count::TooOld => "too_old",
            Count::Origin => "origin",
            Count::Disabled => "disabled",
            Count::Hidden => "hidden",
            Count::TooLarge => "too_large",
            Count::Malformed => "malformed",
            Count::Locked => "locked",
            Count::UnknownEvent => "unknown_event",
        }
    }

    /// How a beacon that was turned away with this code is counted; `known` says whether there is such an event.
    pub const fn of_code(code: Code, known: bool) -> Count {
        match code {
            Code::InvalidFields => Count::Invalid,
            Code::StaleVersion => Count::Stale,
            Code::UnknownVersion => Count::UnknownVersion,
            Code::TrackingDisabled => Count::Disabled,
            Code::UnknownEvent if known => Count::Hidden,
            Code::UnknownEvent => Count::UnknownEvent,
            Code::OriginNotAllowed => Count::Origin,
            Code::TooOld => Count::TooOld,
            Code::TooLarge => Count::TooLarge,
            Code::MalformedEvent => Count::Malformed,
            Code::ProfileLocked => Count::Locked,
        }
    }
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; Count::ALL.len()]);

impl Counts {
    /// How many of one kind.
    pub fn of(&self, count: Count) -> u64 {
        self.0[count as usize]
    }

    /// All that arrived, whatever became of it. What a replay stored arrived once, and was counted then.
    pub fn arrived(&self) -> u64 {
        let besides = self.of(Count::Replayed) + self.of(Count::Unchecked);
        self.0.iter().sum::<u64>() - besides
    }

    /// All that went to quarantine.
    pub fn quarantined(&self) -> u64 {
        [Count::Invalid, Count::Stale, Count::UnknownVersion, Count::TooOld]
            .map(|count| self.of(count))
            .iter()
            .sum()
    }

    /// All whose content was not kept.
    pub fn refused(&self) -> u64 {
        self.arrived() - self.of(Count::Accepted) - self.quarantined()
    }

    /// Which part of all that arrived was stale, from 0 to 1; `None` where nothing arrived.
    pub fn stale_share(&self) -> Option<f64> {
        let arrived = self.arrived();
        (arrived > 0).then(|| self.of(Count::Stale) as f64 / arrived as f64)
    }

    /// Adds others to these.
    pub fn add(&mut self, others: &Counts) {
        for (mine, theirs) in self.0.iter_mut().zip(others.0) {
            *mine += theirs;
        }
    }

    pub(crate) fn note(&mut self, count: Count) {
        self.0[count as usize] += 1;
    }

    pub(crate) fn columns(&self) -> &[u64] {
        &self.0
    }

    /// Reads the columns of [`Count::ALL`] from this one on.
    fn read(row: &rusqlite::Row, from: usize) -> Result<Counts, rusqlite::Error> {
        let mut counts = Counts::default();
        for (at, count) in counts.0.iter_mut().enumerate() {
            *count = row.get(from + at)?;
        }
        Ok(counts)
    }
}

/// Some hours that follow each other, the last of them the one that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// The first, in hours since 1970.
    first: i64,
    /// How many.
    count: usize,
}

impl Hours {
    /// The last so many hours, the running one included, at most 90 days of them.
    pub fn last(count: usize, now: Timestamp) -> Hours {
        let count = count.clamp(1, (HOURS_MS / HOUR_MS) as usize);
        Hours { first: hour_of(now) - count as i64 + 1, count }
    }

    /// When each begins, oldest first.
    pub fn starts(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let first = self.first;
        (0..self.count as i64).map(move |at| Timestamp((first + at) * HOUR_MS))
    }

    /// Which of them this hour is; `None` for one outside, as after a clock that was wrong.
    fn place(&self, hour: i64) -> Option<usize> {
        usize::try_from(hour - self.first).ok().filter(|place| *place < self.count)
    }
}

/// The hour a moment lies in, in hours since 1970.
pub(crate) fn hour_of(at: Timestamp) -> i64 {
    at.0.div_euclid(HOUR_MS)
}

/// One reason for which beacons of an event were turned away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reason {
    /// The version they came under; 0 where it was not looked at.
    pub ver: u32,
    /// `origin`, or a field error's code.
    pub why: String,
    /// The origin, or the field; [`OTHER`] for those beyond the bound.
    pub thing: String,
    /// How often.
    pub count: u64,
}

/// A page that sent a beacon of an older snippet than the one that was live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OldPage {
    /// Its address without query and fragment.
    pub page: String,
    /// The version its snippet carries.
    pub ver: u32,
    /// The revision of the tracking settings that its snippet carries, where it says so.
    pub rev: Option<u32>,
    /// When the last one came.
    pub last: Timestamp,
    /// How many came.
    pub count: u64,
}

/// What arrived of every event in these hours, the versions taken together: for each event that had any, one entry an hour,
/// oldest first. Under `EventNo(0)`, which no event has, lies what named no event.
pub(crate) fn of_all(
    connection: &Connection,
    hours: Hours,
) -> Result<BTreeMap<EventNo, Vec<Counts>>, StoreError> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT event, hour, {} FROM hours WHERE hour >= ?", columns()))?;
    let mut rows = statement.query([hours.first])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let Some(place) = hours.place(row.get(1)?) else { continue };
        let of_event =
            all.entry(EventNo(row.get(0)?)).or_insert_with(|| vec![Counts::default(); hours.count]);
        of_event[place].add(&Counts::read(row, 2)?);
    }
    Ok(all)
}

/// What arrived of one event in these hours, by version: one entry an hour, oldest first. Under version 0 lies what was
/// refused before its version was looked at, or came from a version that was never published.
pub(crate) fn of_event(
    connection: &Connection,
    event: EventNo,
    hours: Hours,
) -> Result<BTreeMap<u32, Vec<Counts>>, StoreError> {
    // One look-up an hour: the table lies by hours, because that is how it is written.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT ver, {} FROM hours WHERE hour = ? AND event = ?",
        columns()
    ))?;
    let mut versions = BTreeMap::new();
    for place in 0..hours.count {
        let mut rows = statement.query(params![hours.first + place as i64, event.0])?;
        while let Some(row) = rows.next()? {
            let of_version =
                versions.entry(row.get(0)?).or_insert_with(|| vec![Counts::default(); hours.count]);
            of_version[place] = Counts::read(row, 1)?;
        }
    }
    Ok(versions)
}

/// Why beacons of one event were turned away in these hours, the most frequent first.
pub(crate) fn reasons(
    connection: &Connection,
    event: EventNo,
    hours: Hours,
) -> Result<Vec<Reason>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT ver, why, thing, count FROM reasons WHERE hour = ? AND event = ?",
    )?;
    let mut sums: BTreeMap<(u32, String, String), u64> = BTreeMap::new();
    for place in 0..hours.count {
        let mut rows = statement.query(params![hours.first + place as i64, event.0])?;
        while let Some(row) = rows.next()? {
            *sums.entry((row.get(0)?, row.get(1)?, row.get(2)?)).or_default() +=
                row.get::<_, u64>(3)?;
        }
    }
    let reason = |((ver, why, thing), count)| Reason { ver, why, thing, count };
    let mut reasons: Vec<_> = sums.into_iter().map(reason).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
    Ok(reasons)
}

/// Pages that sent beacons of an older snippet in the last 30 days, the latest first.
pub(crate) fn old_pages(
    connection: &Connection,
    event: EventNo,
) -> Result<Vec<OldPage>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT page, ver, rev, last, count FROM old_pages WHERE event = ? ORDER BY last DESC, page",
    )?;
    let rows = statement.query_map([event.0], |row| {
        Ok(OldPage {
            page: row.get(0)?,
            ver: row.get(1)?,
            rev: row.get(2)?,
            last: Timestamp(row.get(3)?),
            count: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many rows there are of one event now: `stored`, `trial`, or a code of quarantine, by version (0 in quarantine).
pub(crate) fn held(
    connection: &Connection,
    event: EventNo,
) -> Result<Vec<(String, u32, u64)>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT what, ver, count FROM held WHERE event = ? AND count > 0")?;
    let rows = statement.query_map([event.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Drops some of what has become too old to be shown.
pub(crate) fn prune(connection: &Connection, now: Timestamp) -> Result<(), rusqlite::Error> {
    let before = |ms: i64| hour_of(now.plus(-ms));
    connection
        .prepare_cached(
            "DELETE FROM hours WHERE (hour, event, ver) IN (SELECT hour, event, ver FROM hours WHERE hour < ? LIMIT ?)",
        )?
        .execute(params![before(HOURS_MS), PRUNED])?;
    connection
        .prepare_cached(
            "DELETE FROM reasons WHERE (hour, event, why, thing, ver) IN
             (SELECT hour, event, why, thing, ver FROM reasons WHERE hour < ? LIMIT ?)",
        )?
        .execute(params![before(REASONS_MS), PRUNED])?;
    connection
        .prepare_cached("DELETE FROM old_pages WHERE last < ?")?
        .execute([now.plus(-REASONS_MS).0])?;
    Ok(())
}

/// The columns of [`Counts`], in their order.
pub(crate) fn columns() -> String {
    Count::ALL.map(Count::as_str).join(", ")
}
