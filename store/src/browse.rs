//! The stored events of one kind, newest arrival first, a page at a time: by version, by time, and by what they hold.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use rusqlite::params;

use beaconry_model::time::Timestamp;

use crate::error::StoreError;
use crate::index;
use crate::log::{self, StoredEvent};
use crate::reader::Reader;
use crate::snapshot::EventNo;

/// Places read at a time while something is looked for.
const STRIDE: usize = 500;

/// Which stored events of one kind; trials are never among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Only those of this version.
    pub version: Option<u32>,
    /// Only those that arrived at this moment or later.
    pub from: Option<Timestamp>,
    /// Only those that arrived before this moment.
    pub to: Option<Timestamp>,
}

/// An event's place in the order of arrival. As text, for addresses: `<milliseconds since 1970>.<place in the log>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it arrived.
    pub received: Timestamp,
    /// Its place in the log, which tells apart what arrived at once.
    pub seq: i64,
}

impl Place {
    /// Where an event lies.
    pub fn of(event: &StoredEvent) -> Place {
        Place { received: event.received, seq: event.seq }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.received.0, self.seq)
    }
}

impl FromStr for Place {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Place, Self::Err> {
        let (received, seq) = text.split_once('.').unwrap_or((text, ""));
        Ok(Place { received: Timestamp(received.parse()?), seq: seq.parse()? })
    }
}

/// What a bounded search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The events, newest first.
    pub events: Vec<StoredEvent>,
    /// How many were looked at.
    pub looked_at: usize,
    /// Where to go on; `None` where everything was searched.
    pub go_on: Option<Place>,
}

/// The stored events of a range as they were at one moment, page by page.
#[derive(Debug)]
pub struct Pages<'a> {
    reader: &'a Reader,
    event: EventNo,
    range: Range,
    /// What was given lies behind this place.
    before: Option<Place>,
    /// Up to here the indexes tell of all that counts.
    merged: i64,
    /// What they did not hold yet, oldest first. Looked for once: there is no index for it.
    unmerged: Vec<Place>,
}

impl Pages<'_> {
    /// The next events, newest first: as many as `limit`, less what retention deleted meanwhile. `None` once there are no more.
    pub fn next(&mut self, limit: usize) -> Result<Option<Vec<StoredEvent>>, StoreError> {
        let places = self.places(limit)?;
        let found = places.iter().map(|place| log::find(self.reader.events(), place.seq));
        let found: Vec<_> = found.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        Ok((!places.is_empty()).then_some(found))
    }

    fn places(&mut self, limit: usize) -> Result<Vec<Place>, StoreError> {
        let mut places =
            self.reader.indexed(self.event, false, self.range, self.before, self.merged, limit)?;
        let newest = self.unmerged.len().saturating_sub(limit);
        places.extend(&self.unmerged[newest..]);
        places.sort_unstable_by(|a, b| b.cmp(a));
        places.truncate(limit);
        if let Some(last) = places.last() {
            self.before = Some(*last);
            self.unmerged.truncate(self.unmerged.partition_point(|place| place < last));
        }
        Ok(places)
    }
}

impl Reader {
    /// The stored events of a range that lie before a place, newest first; `None` stands for the newest of all.
    pub fn pages(
        &self,
        event: EventNo,
        range: Range,
        before: Option<Place>,
    ) -> Result<Pages<'_>, StoreError> {
        let (merged, mut unmerged) = self.unmerged(event, false, range, before)?;
        unmerged.sort_unstable();
        Ok(Pages { reader: self, event, range, before, merged, unmerged })
    }

    /// The first page of [`Reader::pages`].
    pub fn page(
        &self,
        event: EventNo,
        range: Range,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(self.pages(event, range, before)?.next(limit)?.unwrap_or_default())
    }

    /// The last events of one kind, newest arrival first; trials among them only where they are asked for.
    pub fn newest(
        &self,
        event: EventNo,
        tests: bool,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let (merged, mut places) = self.unmerged(event, tests, Range::default(), None)?;
        let kinds: &[bool] = if tests { &[false, true] } else { &[false] };
        for test in kinds {
            places.extend(self.indexed(event, *test, Range::default(), None, merged, limit)?);
        }
        places.sort_unstable_by(|a, b| b.cmp(a));
        // Retention may have deleted some since.
        let found = places.iter().map(|place| log::find(self.events(), place.seq));
        found.filter_map(Result::transpose).take(limit).collect()
    }

    /// The stored event of this kind at a place, where it is still there.
    pub fn at(&self, event: EventNo, place: Place) -> Result<Option<StoredEvent>, StoreError> {
        let found = log::find(self.events(), place.seq)?;
        Ok(found.filter(|found| found.event == event && found.received == place.received))
    }

    /// Looks for events that fit, from a place backwards, until there are `limit` of them, or `most` were looked at, or the
    /// time is over. What was found so far is given with the place to go on from.
    pub fn search(
        &self,
        event: EventNo,
        range: Range,
        before: Option<Place>,
        fits: impl Fn(&StoredEvent) -> bool,
        (limit, most, time): (usize, usize, Duration),
    ) -> Result<Found, StoreError> {
        let started = Instant::now();
        let mut found = Found { go_on: before, ..Found::default() };
        let mut pages = self.pages(event, range, before)?;
        loop {
            let places = pages.places(STRIDE)?;
            for place in &places {
                found.go_on = Some(*place);
                found.looked_at += 1;
                let event = log::find(self.events(), place.seq)?;
                found.events.extend(event.filter(&fits));
                if found.events.len() >= limit {
                    return Ok(found);
                }
            }
            if places.len() < STRIDE {
                return Ok(Found { go_on: None, ..found });
            }
            if found.looked_at >= most || started.elapsed() >= time {
                return Ok(found);
            }
        }
    }

    /// How many stored events a range holds. Without a time it is looked up; with one they are counted, which takes about
    /// a second for ten million.
    pub fn count_in(&self, event: EventNo, range: Range) -> Result<u64, StoreError> {
        if range.from.is_none() && range.to.is_none() {
            let counts = self.count_by_version(event)?.into_iter();
            let fitting = counts.filter(|(ver, _)| range.version.is_none_or(|only| only == *ver));
            return Ok(fitting.map(|(_, count)| count).sum());
        }
        let (merged, unmerged) = self.unmerged(event, false, range, None)?;
        let (from, to) = bounds(range, None);
        let sql = format!("SELECT count(*) FROM {}", in_index(range));
        let mut statement = self.index().prepare_cached(&sql)?;
        let of_range =
            params![event.0, range.version, to.received.0, to.seq, from.0, merged, false];
        let indexed: u64 = statement.query_row(of_range, |row| row.get(0))?;
        Ok(indexed + unmerged.len() as u64)
    }

    /// Places of a range before a place, of what was merged up to a place of the log, newest first: trials or all others. By
    /// version there are no trials.
    fn indexed(
        &self,
        event: EventNo,
        test: bool,
        range: Range,
        before: Option<Place>,
        merged: i64,
        limit: usize,
    ) -> Result<Vec<Place>, StoreError> {
        let (from, to) = bounds(range, before);
        let sql = format!(
            "SELECT received, seq FROM {} ORDER BY received DESC, seq DESC LIMIT ?8",
            in_index(range)
        );
        let mut statement = self.index().prepare_cached(&sql)?;
        let limited = i64::try_from(limit).unwrap_or(i64::MAX);
        let of_range =
            params![event.0, range.version, to.received.0, to.seq, from.0, merged, test, limited];
        let rows = statement.query_map(of_range, |row| {
            Ok(Place { received: Timestamp(row.get(0)?), seq: row.get(1)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Up to which place of the log the indexes tell of all that counts, and the places of a range before a place that lie
    /// above it, in the order of the log; trials among them only where they are asked for.
    pub(crate) fn unmerged(
        &self,
        event: EventNo,
        tests: bool,
        range: Range,
        before: Option<Place>,
    ) -> Result<(i64, Vec<Place>), StoreError> {
        let (from, to) = bounds(range, before);
        if let Some(tail) = self.tail() {
            let mut places = tail.places(|fresh, place| {
                fresh.event == event
                    && (tests || !fresh.test)
                    && range.version.is_none_or(|only| only == fresh.ver)
                    && (from..).contains(&place.received)
                    && place < to
            });
            // Only now: what was merged meanwhile is found in the indexes.
            let merged = index::watermark(self.index())?;
            places.retain(|place| place.seq > merged);
            return Ok((merged, places));
        }
        let merged = index::watermark(self.index())?;
        let mut statement = self.events().prepare_cached(
            "SELECT received, seq FROM events WHERE seq > ?6 AND event = ?1 AND (flags & 1 = 0 OR ?7)
             AND (?2 IS NULL OR ver = ?2) AND (received, seq) < (?3, ?4) AND received >= ?5 ORDER BY seq",
        )?;
        let of_range =
            params![event.0, range.version, to.received.0, to.seq, from.0, merged, tests];
        let rows = statement.query_map(of_range, |row| {
            Ok(Place { received: Timestamp(row.get(0)?), seq: row.get(1)? })
        })?;
        Ok((merged, rows.collect::<Result<_, _>>()?))
    }
}

/// The index a range is looked up in, with its conditions: 1 event, 2 version, 3 and 4 the place before, 5 from, 6 watermark,
/// 7 trials.
fn in_index(range: Range) -> &'static str {
    match range.version {
        Some(_) => {
            "by_version WHERE event = ?1 AND ver = ?2 AND (received, seq) < (?3, ?4) AND received >= ?5 AND seq <= ?6 AND NOT ?7"
        }
        None => {
            "by_event WHERE event = ?1 AND test = ?7 AND ?2 IS NULL AND (received, seq) < (?3, ?4) AND received >= ?5 AND seq <= ?6"
        }
    }
}

/// The earliest moment of a range, and the place that everything in it lies before.
fn bounds(range: Range, before: Option<Place>) -> (Timestamp, Place) {
    let newest = Place { received: Timestamp(i64::MAX), seq: i64::MAX };
    let to = range.to.map_or(newest, |to| Place { received: to, seq: i64::MIN });
    let before = before.map_or(to, |before| before.min(to));
    (range.from.unwrap_or(Timestamp(i64::MIN)), before)
}
