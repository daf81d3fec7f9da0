//! Holds the rows of the log and of the quarantine against their checksums, the indexes and the counters.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, params};

use beaconry_model::event_id::EventId;

use super::VerifyReport;
use crate::error::StoreError;
use crate::index;
use crate::log::{COLUMNS, StoredEvent};
use crate::quarantine;
use crate::snapshot::EventNo;

/// The index at one moment.
pub(super) struct Indexed<'a> {
    index: &'a Connection,
    /// The last place of the log that it holds.
    merged: i64,
    /// Whether its part by version is whole: an older Beaconry made none, and the next start does.
    by_version: bool,
    /// Ids of events above that place.
    unmerged: HashSet<EventId>,
}

impl Indexed<'_> {
    pub(super) fn look(index: &Connection) -> Result<Indexed<'_>, StoreError> {
        let by_version = index::by_version_lacks(index)?.is_none();
        let merged = index::watermark(index)?;
        Ok(Indexed { index, merged, by_version, unmerged: HashSet::new() })
    }

    /// What is wrong with where an event lies.
    fn place(&mut self, event: &StoredEvent) -> Result<Option<String>, StoreError> {
        let mut place = self.index.prepare_cached("SELECT seq FROM ids WHERE id = ?")?;
        let place: Option<i64> = place.query_row([event.id.0], |row| row.get(0)).optional()?;
        if event.seq > self.merged {
            // It may be there already: merging comes to the watermark last.
            let first = place.is_none_or(|seq| seq == event.seq) && self.unmerged.insert(event.id);
            return Ok((!first).then(|| "is stored twice".to_owned()));
        }
        let listed = |sql, number: u32| -> Result<bool, rusqlite::Error> {
            let by = params![event.event.0, number, event.received.0, event.seq];
            self.index.prepare_cached(sql)?.exists(by)
        };
        let of_event = listed(
            "SELECT 1 FROM by_event WHERE event = ? AND test = ? AND received = ? AND seq = ?",
            event.test.into(),
        )?;
        // Trials are not looked for by version.
        let of_version = !self.by_version
            || event.test
            || listed(
                "SELECT 1 FROM by_version WHERE event = ? AND ver = ? AND received = ? AND seq = ?",
                event.version,
            )?;
        Ok(match place {
            None => Some("has no id in the index".to_owned()),
            Some(seq) if seq != event.seq => Some(format!("is stored twice, also as row {seq}")),
            Some(_) if !of_event => Some("is not in the index by event".to_owned()),
            Some(_) => (!of_version).then(|| "is not in the index by version".to_owned()),
        })
    }
}

pub(super) fn check_rows(
    events: &Connection,
    mut index: Indexed<'_>,
    of_events: &mut HashMap<EventNo, &'static str>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let mut there = BTreeMap::new();
    let mut statement = events.prepare(&format!("SELECT {COLUMNS} FROM events ORDER BY seq"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        report.events += 1;
        // By the columns as they are, so that a damaged row is one fault and not two.
        let (ver, test) = (row.get(3)?, row.get::<_, u32>(7)? & 1 != 0);
        *there.entry((EventNo(row.get(2)?), test, ver)).or_default() += 1;
        match StoredEvent::read(row) {
            Ok(event) => {
                of_events.insert(event.event, "events.db: events");
                let fault = index.place(&event)?;
                report.faults.extend(fault.map(|fault| {
                    format!("index.db: event {} (row {}) {fault}", event.id, event.seq)
                }));
            }
            Err(error) => report.faults.push(error.to_string()),
        }
    }
    check_held(events, there, report)
}

/// Whether the counters say what was found.
fn check_held(
    events: &Connection,
    mut there: BTreeMap<(EventNo, bool, u32), u64>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let mut statement = events.prepare(
        "SELECT event, what = 'trial', ver, count FROM held WHERE what IN ('stored', 'trial')",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (event, trial, ver): (u32, bool, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (counted, found): (u64, u64) =
            (row.get(3)?, there.remove(&(EventNo(event), trial, ver)).unwrap_or_default());
        if counted != found {
            report.faults.push(format!(
                "events.db: the counter of event {event}, version {ver} says {counted}, and {found} are there"
            ));
        }
    }
    for ((EventNo(event), _, ver), found) in there {
        report.faults.push(format!(
            "events.db: the counter of event {event}, version {ver} is missing, and {found} are there"
        ));
    }
    Ok(())
}

pub(super) fn check_quarantine(
    events: &Connection,
    of_events: &mut HashMap<EventNo, &'static str>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    const PAGE: u32 = 1_000;
    let mut before = i64::MAX;
    loop {
        match quarantine::list(events, None, None, before, PAGE) {
            Ok(page) => {
                let Some(last) = page.last() else { return Ok(()) };
                before = last.number;
                report.quarantined += page.len() as u64;
                of_events.extend(page.iter().map(|kept| (kept.event, "events.db: the quarantine")));
            }
            Err(error @ StoreError::Damaged { .. }) => {
                report.faults.push(format!("events.db: the quarantine: {error}"));
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
}
