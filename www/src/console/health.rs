//! How an event fares, and how a section does: what arrived by version and hour, why beacons were turned away, and which
//! pages still carry an old snippet.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use beaconry_model::time::Timestamp;
use beaconry_store::{Count, Counts, Known, OldPage, Reason, StoreError};

use super::chart::{Chart, SPANS, Span};
use super::event::find;
use super::origins::of_reason;
use super::{State as Console, failed, words};
use crate::page::page;

#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    span: String,
}

#[derive(Template)]
#[template(path = "console/health.html")]
struct Health {
    name: String,
    to: String,
    span: Span,
    chart: Chart,
    /// Newest first; 0 stands for what was refused before its version was looked at.
    versions: Vec<(u32, Chart)>,
    /// Invalid fields: version, field, what is wrong, how often.
    invalid: Vec<Reason>,
    origins: Vec<RefusedOrigin>,
    pinned: Option<u32>,
    outdated: bool,
    pages: Vec<OldPage>,
}

struct RefusedOrigin {
    origin: String,
    count: u64,
    /// A sandboxed page says "null", which nobody can allow.
    allowable: bool,
}

impl Health {
    const SPANS: [Span; 3] = SPANS;
    const OUTDATED: &'static str = words::OUTDATED;
    const STALE: &'static str = words::STALE;
    const UNCHECKED: &'static str = words::UNCHECKED;

    /// What a version's part of the page is called.
    fn called(&self, version: &u32) -> String {
        match version {
            0 => "Before the version was looked at".to_owned(),
            version => format!("Version {version}"),
        }
    }

    fn tiles(&self) -> Vec<(&'static str, u64)> {
        let sum = self.chart.sum();
        vec![
            ("Accepted", sum.of(Count::Accepted)),
            ("Invalid", sum.of(Count::Invalid)),
            ("Stale", sum.of(Count::Stale)),
            ("Refused", sum.refused()),
            ("Unchecked", sum.of(Count::Unchecked)),
            ("Replayed", sum.of(Count::Replayed)),
        ]
    }

    fn refusals(&self) -> Vec<(&'static str, u64)> {
        let sum = self.chart.sum();
        let kinds = [
            (Count::Origin, "Web origin not allowed"),
            (Count::Disabled, "Web tracking was off"),
            (Count::TooLarge, "Larger than 16 KiB"),
            (Count::Malformed, "Not of an event's shape"),
            (Count::UnknownVersion, "From a version that was never published (in quarantine)"),
            (Count::TooOld, "Happened more than 30 days before it arrived (in quarantine)"),
        ];
        kinds.into_iter().map(|(kind, said)| (said, sum.of(kind))).filter(|row| row.1 > 0).collect()
    }
}

pub(super) async fn show(
    State(state): State<Console>,
    Path(event): Path<String>,
    Query(choice): Query<Choice>,
) -> Response {
    let span = Span::of(&choice.span);
    match find(&state, &event).and_then(|known| make(&state, &known, span)) {
        Ok(made) => page(&made),
        Err(error) => failed(&error),
    }
}

fn make(state: &Console, known: &Known, span: Span) -> Result<Health, StoreError> {
    let store = &state.console.store;
    let (reader, now) = (store.reader()?, store.clock().now());
    let hours = span.last(now);
    let by_version = reader.arrivals_of(known.number, hours)?;
    let mut all = vec![Counts::default(); span.hours];
    for counts in by_version.values() {
        all.iter_mut().zip(counts).for_each(|(sum, hour)| sum.add(hour));
    }
    let chart_of = |(ver, counts): (&u32, &Vec<Counts>)| (*ver, Chart::new(span, hours, counts));
    let (origins, invalid): (Vec<_>, Vec<_>) = reader
        .reasons(known.number, hours)?
        .into_iter()
        .partition(|reason| reason.why == Count::Origin.as_str());
    let pin = known.event.tracking().pin();
    // Held against the last pin, because old tags stay on pages when tracking is off. What was old once may be carried by
    // the live snippet again, after disabling and enabling the same version.
    let newest = known.event.tracking().pins().last();
    let is_old = |page: &OldPage| {
        newest
            .is_some_and(|pin| page.ver < pin.version || page.rev.is_some_and(|rev| rev < pin.rev))
    };
    Ok(Health {
        name: known.event.name().to_string(),
        to: format!("/events/{}", known.event.discriminator()),
        span,
        chart: Chart::new(span, hours, &all),
        versions: by_version.iter().rev().map(chart_of).collect(),
        invalid,
        origins: origins.into_iter().map(refused_origin).collect(),
        pinned: pin.map(|pin| pin.version),
        outdated: known.event.outdated(store.clock().steady()),
        pages: reader.old_pages(known.number)?.into_iter().filter(is_old).collect(),
    })
}

fn refused_origin(reason: Reason) -> RefusedOrigin {
    let allowable = of_reason(&reason).is_some();
    RefusedOrigin { origin: reason.thing, count: reason.count, allowable }
}

#[derive(Template)]
#[template(path = "console/health_section.html")]
struct SectionHealth {
    name: String,
    to: String,
    chart: Chart,
    /// Those with the most trouble first.
    events: Vec<EventRow>,
    /// What named no event, in the whole account.
    unknown: u64,
}

struct EventRow {
    name: String,
    to: String,
    outdated: bool,
    chart: Chart,
    sum: Counts,
}

impl EventRow {
    fn trouble(&self) -> u64 {
        self.sum.arrived() - self.sum.of(Count::Accepted)
    }

    fn of(&self, word: &str) -> u64 {
        match word {
            "accepted" => self.sum.of(Count::Accepted),
            "invalid" => self.sum.of(Count::Invalid),
            "stale" => self.sum.of(Count::Stale),
            "unchecked" => self.sum.of(Count::Unchecked),
            _ => self.sum.refused(),
        }
    }
}

pub(super) async fn of_section(
    State(state): State<Console>,
    Path(section): Path<String>,
) -> Response {
    match make_section(&state, &section) {
        Ok(made) => page(&made),
        Err(error) => failed(&error),
    }
}

fn make_section(state: &Console, section: &str) -> Result<SectionHealth, StoreError> {
    let store = &state.console.store;
    let (snapshot, now) = (store.snapshot(), store.clock().now());
    let section = snapshot.section(section)?;
    let (span, hours) = (SPANS[0], SPANS[0].last(now));
    let arrivals = store.reader()?.arrivals(hours)?;
    let nothing = vec![Counts::default(); span.hours];
    let mut all = nothing.clone();
    let mut events = Vec::new();
    for known in snapshot.visible_events().filter(|known| known.section.id == section.id) {
        let counts = arrivals.get(&known.number).unwrap_or(&nothing);
        all.iter_mut().zip(counts).for_each(|(sum, hour)| sum.add(hour));
        events.push(event_row(known, Chart::new(span, hours, counts), store.clock().steady()));
    }
    events.sort_by_key(|row| std::cmp::Reverse((row.trouble(), row.sum.arrived())));
    let unknown = arrivals.get(&beaconry_store::EventNo(0)).unwrap_or(&nothing);
    Ok(SectionHealth {
        name: section.name.to_string(),
        to: format!("/sections/{}", section.id),
        chart: Chart::new(span, hours, &all),
        events,
        unknown: unknown.iter().map(Counts::arrived).sum(),
    })
}

fn event_row(known: &Known, chart: Chart, now: Timestamp) -> EventRow {
    EventRow {
        name: known.event.name().to_string(),
        to: format!("/events/{}", known.event.discriminator()),
        outdated: known.event.outdated(now),
        sum: chart.sum(),
        chart,
    }
}
