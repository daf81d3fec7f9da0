//! What a group of requests adds to the counters: gathered in memory, then written within the group's transaction.

use std::collections::HashMap;
use std::sync::LazyLock;

use rusqlite::{Connection, params};

use beaconry_model::check::Violation;
use beaconry_model::data::FieldError;
use beaconry_model::judge::{Accepted, Facts, Quarantined};
use beaconry_model::time::Timestamp;
use beaconry_model::wire::Code;

use crate::counts::{Count, Counts, OTHER, columns, hour_of};
use crate::snapshot::EventNo;

/// Things of one kind that a stranger can make up, which one hour of one event tells apart.
const MADE_UP: u32 = 30;
/// The same in one tally, so that a flood of them costs its group little.
const MADE_UP_AT_ONCE: usize = 60;
/// Pages of one event that are listed, and pages that one tally holds.
const PAGES: u32 = 100;
const PAGES_AT_ONCE: usize = 1_000;
/// The most bytes of what is told apart.
const MAX_THING: usize = 120;

/// Adds to what an hour has of a version, or begins with it.
static ADD_HOURS: LazyLock<String> = LazyLock::new(|| {
    let marks = vec!["?"; Count::ALL.len()].join(", ");
    let sums = Count::ALL.map(|count| {
        let column = count.as_str();
        format!("{column} = {column} + excluded.{column}")
    });
    format!(
        "INSERT INTO hours (hour, event, ver, {}) VALUES (?, ?, ?, {marks}) ON CONFLICT DO UPDATE SET {}",
        columns(),
        sums.join(", ")
    )
});

/// Nobody outside chooses these keys, so they need no hash that withstands strangers.
type OwnMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// How many rows of an event there are: those stored, trials, or those in quarantine with this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Held {
    Stored(u32),
    Trial(u32),
    Quarantined(Code),
}

impl Held {
    fn columns(self) -> (&'static str, u32) {
        match self {
            Held::Stored(ver) => ("stored", ver),
            Held::Trial(ver) => ("trial", ver),
            // Not by version: one that was never published can be any number.
            Held::Quarantined(code) => (code.as_str(), 0),
        }
    }
}

/// Counts that are not on disk yet.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    hours: OwnMap<(i64, EventNo, u32), Counts>,
    reasons: HashMap<Why, u64>,
    held: OwnMap<(EventNo, Held), i64>,
    pages: HashMap<(EventNo, String), Page>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Why {
    hour: i64,
    event: EventNo,
    ver: u32,
    why: &'static str,
    thing: String,
}

#[derive(Clone, Copy, Debug)]
struct Page {
    ver: u32,
    rev: Option<u32>,
    last: Timestamp,
    count: u64,
}

impl Tally {
    pub(crate) fn is_empty(&self) -> bool {
        self.hours.is_empty()
            && self.reasons.is_empty()
            && self.held.is_empty()
            && self.pages.is_empty()
    }

    /// An event was stored; as a replay, where it lay in quarantine before.
    pub(crate) fn stored(&mut self, event: EventNo, accepted: &Accepted, replayed: bool) {
        let facts = accepted.facts();
        let held = if facts.test { Held::Trial(facts.ver) } else { Held::Stored(facts.ver) };
        self.hold(event, held, 1);
        if facts.test {
            return;
        }
        let hour = self.hour(facts.received, event, facts.ver);
        hour.note(if replayed { Count::Replayed } else { Count::Accepted });
        // What is replayed was counted so when it came.
        if facts.unchecked && !replayed {
            hour.note(Count::Unchecked);
        }
    }

    /// A beacon went to quarantine.
    pub(crate) fn quarantined(&mut self, event: EventNo, kept: &Quarantined) {
        let (facts, code) = (&kept.facts, kept.rejection.code);
        self.hold(event, Held::Quarantined(code), 1);
        if facts.test {
            return;
        }
        // A version that was never published can be any number.
        let ver = if code == Code::UnknownVersion { 0 } else { facts.ver };
        let hour = self.hour(facts.received, event, ver);
        hour.note(Count::of_code(code, true));
        if facts.unchecked {
            hour.note(Count::Unchecked);
        }
        let made_up = |error: &FieldError| error.code == Violation::UnexpectedField;
        let errors = &kept.rejection.errors;
        let of_fields = errors.iter().filter(|error| !made_up(error));
        let others = errors.iter().filter(|error| made_up(error)).take(MADE_UP as usize);
        for error in of_fields.chain(others) {
            let made_up = made_up(error);
            let hour = hour_of(facts.received);
            let why = error.code.code();
            self.reason(hour, event, ver, why, &error.field, made_up);
        }
    }

    /// A beacon was refused, and its content is not kept.
    pub(crate) fn refused(
        &mut self,
        event: Option<EventNo>,
        count: Count,
        origin: Option<&str>,
        received: Timestamp,
    ) {
        let event = event.unwrap_or(EventNo(0));
        self.hour(received, event, 0).note(count);
        if count == Count::Origin {
            let why = Count::Origin.as_str();
            self.reason(hour_of(received), event, 0, why, origin.unwrap_or("none"), true);
        }
    }

    /// Rows of an event came or went.
    pub(crate) fn hold(&mut self, event: EventNo, held: Held, more: i64) {
        *self.held.entry((event, held)).or_default() += more;
    }

    /// A page sent a beacon of an older snippet than the one that is live.
    pub(crate) fn old_page(&mut self, event: EventNo, facts: &Facts) {
        let url = facts.url.as_deref().unwrap_or_default();
        let page = url.split(['?', '#']).next().unwrap_or_default();
        if page.is_empty() || self.pages.len() >= PAGES_AT_ONCE {
            return;
        }
        let key = (event, page.to_owned());
        let (ver, rev, at) = (facts.ver, facts.rev, facts.received);
        let page = self.pages.entry(key).or_insert(Page { ver, rev, last: at, count: 0 });
        *page = Page { ver, rev, last: at.max(page.last), count: page.count + 1 };
    }

    /// Adds another tally to this one.
    pub(crate) fn add(&mut self, other: Tally) {
        for (key, counts) in other.hours {
            self.hours.entry(key).or_default().add(&counts);
        }
        for (key, more) in other.reasons {
            *self.reasons.entry(key).or_default() += more;
        }
        for ((event, held), more) in other.held {
            self.hold(event, held, more);
        }
        for (key, page) in other.pages {
            let mine = self.pages.entry(key).or_insert(Page { count: 0, ..page });
            mine.count += page.count;
        }
    }

    fn hour(&mut self, at: Timestamp, event: EventNo, ver: u32) -> &mut Counts {
        self.hours.entry((hour_of(at), event, ver)).or_default()
    }

    fn reason(
        &mut self,
        hour: i64,
        event: EventNo,
        ver: u32,
        why: &'static str,
        thing: &str,
        made_up: bool,
    ) {
        let thing = thing[..thing.floor_char_boundary(MAX_THING)].to_owned();
        let mut key = Why { hour, event, ver, why, thing };
        if made_up && self.reasons.len() >= MADE_UP_AT_ONCE && !self.reasons.contains_key(&key) {
            key.thing = OTHER.to_owned();
        }
        *self.reasons.entry(key).or_default() += 1;
    }

    /// Adds everything to what is on disk.
    pub(crate) fn write(&self, connection: &Connection) -> Result<(), rusqlite::Error> {
        self.write_hours(connection)?;
        self.write_reasons(connection)?;
        let mut held = connection.prepare_cached(
            "INSERT INTO held (event, what, ver, count) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET count = count + excluded.count",
        )?;
        for ((event, what), more) in self.held.iter().filter(|(_, more)| **more != 0) {
            let (what, ver) = what.columns();
            held.execute(params![event.0, what, ver, more])?;
        }
        self.write_pages(connection)
    }

    fn write_hours(&self, connection: &Connection) -> Result<(), rusqlite::Error> {
        if self.hours.is_empty() {
            return Ok(());
        }
        let mut statement = connection.prepare_cached(&ADD_HOURS)?;
        for ((hour, event, ver), counts) in &self.hours {
            let key = [*hour, i64::from(event.0), i64::from(*ver)];
            let counts = counts.columns().iter().map(|count| *count as i64);
            statement.execute(rusqlite::params_from_iter(key.into_iter().chain(counts)))?;
        }
        Ok(())
    }

    fn write_reasons(&self, connection: &Connection) -> Result<(), rusqlite::Error> {
        for (key, more) in &self.reasons {
            if add_reason(connection, key, &key.thing, *more)? {
                continue;
            }
            let there: u32 = connection
                .prepare_cached(
                    "SELECT count(*) FROM reasons WHERE hour = ? AND event = ? AND why = ?",
                )?
                .query_row(params![key.hour, key.event.0, key.why], |row| row.get(0))?;
            // What a definition names is bounded by the definition.
            let bounded = matches!(key.why, "origin" | "unexpected_field");
            let thing = if bounded && there >= MADE_UP { OTHER } else { &key.thing };
            if thing == OTHER && add_reason(connection, key, thing, *more)? {
                continue;
            }
            connection
                .prepare_cached(
                    "INSERT INTO reasons (hour, event, why, thing, ver, count) VALUES (?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![key.hour, key.event.0, key.why, thing, key.ver, more])?;
        }
        Ok(())
    }

    fn write_pages(&self, connection: &Connection) -> Result<(), rusqlite::Error> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO old_pages (event, page, ver, rev, last, count) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET ver = excluded.ver, rev = excluded.rev,
             last = max(last, excluded.last), count = count + excluded.count",
        )?;
        for ((event, url), page) in &self.pages {
            let seen = params![event.0, url, page.ver, page.rev, page.last.0, page.count];
            statement.execute(seen)?;
        }
        let mut events: Vec<_> = self.pages.keys().map(|(event, _)| event.0).collect();
        events.sort_unstable();
        events.dedup();
        for event in events {
            connection
                .prepare_cached(
                    "DELETE FROM old_pages WHERE event = ?1 AND page IN
                     (SELECT page FROM old_pages WHERE event = ?1 ORDER BY last DESC LIMIT -1 OFFSET ?2)",
                )?
                .execute(params![event, PAGES])?;
        }
        Ok(())
    }
}

/// Adds to a reason that is there; says whether it was.
fn add_reason(
    connection: &Connection,
    key: &Why,
    thing: &str,
    more: u64,
) -> Result<bool, rusqlite::Error> {
    let changed = connection
        .prepare_cached(
            "UPDATE reasons SET count = count + ?
             WHERE hour = ? AND event = ? AND why = ? AND thing = ? AND ver = ?",
        )?
        .execute(params![more, key.hour, key.event.0, key.why, thing, key.ver])?;
    Ok(changed > 0)
}
