//! One event at a glance: its fields and versions, whether it is tracked, and what came.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use beaconry_model::changes::limits;
use beaconry_model::event::{Access, Event};
use beaconry_model::fields::Field;
use beaconry_model::retention::Retention;
use beaconry_model::time::Timestamp;
use beaconry_store::{Known, StoreError, StoredEvent};

use super::day::{Day, thousands};
use super::draft::Draft;
use super::wrong::HIDDEN;
use super::{State as Console, failed, words};
use crate::page::page;

#[derive(Template)]
#[template(path = "console/event.html")]
struct Page {
    name: String,
    description: String,
    to: String,
    discriminator: String,
    section: String,
    folder: &'static str,
    slug: String,
    key: String,
    retention: String,
    created: Timestamp,
    allowed: Vec<(&'static str, &'static str)>,
    fields: Vec<FieldRow>,
    versions: Vec<VersionRow>,
    newest: u32,
    locked_until: Option<Timestamp>,
    pinned: Option<u32>,
    outdated: bool,
    scheduled: bool,
    day: Day,
    stored: String,
    quarantined: String,
    unchecked: Option<Unchecked>,
}

/// That pages did not let Wasm run: how many of the newest events came unchecked, and the page of the last one.
struct Unchecked {
    count: usize,
    of: usize,
    page: String,
}

struct FieldRow {
    name: String,
    kind: &'static str,
    required: bool,
    limits: String,
}

struct VersionRow {
    number: u32,
    id: String,
    state: &'static str,
    meaning: &'static str,
    usable_from: Timestamp,
    deprecated_at: Option<Timestamp>,
}

impl Page {
    const OUTDATED: &'static str = words::OUTDATED;
    const UNCHECKED: &'static str = words::UNCHECKED;
}

pub(super) async fn show(State(state): State<Console>, Path(event): Path<String>) -> Response {
    match find(&state, &event).and_then(|known| make(&state, &known)) {
        Ok(made) => page(&made),
        Err(error) => failed(&error),
    }
}

pub(super) fn find(state: &Console, words: &str) -> Result<Known, StoreError> {
    let snapshot = state.console.store.snapshot();
    let known = snapshot.event(words)?;
    if known.event.hidden_at().is_some() {
        let name = known.event.discriminator().to_string();
        return Err(StoreError::NotFound { what: HIDDEN, name });
    }
    Ok(known.as_ref().clone())
}

fn make(state: &Console, known: &Known) -> Result<Page, StoreError> {
    let store = &state.console.store;
    let (event, now) = (&known.event, store.clock().steady());
    let tracking = event.tracking();
    let reader = store.reader()?;
    let mut day = Day::default();
    let by_version = reader.arrivals_of(known.number, Day::hours(now))?;
    by_version.values().for_each(|hours| day.add(hours));
    Ok(Page {
        name: event.name().to_string(),
        description: event.description().as_str().to_owned(),
        to: format!("/events/{}", event.discriminator()),
        discriminator: event.discriminator().to_string(),
        section: known.section.name.to_string(),
        folder: words::of_category(event.category()).0,
        slug: event.slug().to_string(),
        key: event.key().to_string(),
        retention: retention(event.retention()),
        created: event.created_at(),
        allowed: Draft::of(event)
            .identifiers()
            .map(|(_, label, access)| (label, may(access)))
            .into(),
        fields: event.versions().last().fields.iter().map(field_row).collect(),
        versions: version_rows(event, now),
        newest: event.versions().last().number,
        locked_until: event.locked_until(now),
        pinned: tracking.pin().map(|pin| pin.version),
        outdated: event.outdated(now),
        scheduled: tracking.scheduled().is_some(),
        day,
        stored: thousands(reader.count(known.number)?),
        quarantined: thousands(reader.quarantine_count(known.number)?),
        unchecked: unchecked(&reader.newest(known.number, true, 100)?),
    })
}

/// What outside systems may do by one identifier.
fn may(access: Access) -> &'static str {
    match (access.read, access.write) {
        (true, true) => "read and write",
        (true, false) => "read",
        (false, true) => "write",
        (false, false) => "nothing",
    }
}

fn unchecked(newest: &[StoredEvent]) -> Option<Unchecked> {
    let mut of_them = newest.iter().filter(|event| event.unchecked);
    let last = of_them.next()?;
    Some(Unchecked {
        count: 1 + of_them.count(),
        of: newest.len(),
        page: last.url.clone().unwrap_or_else(|| "a page without an address".to_owned()),
    })
}

fn retention(retention: Retention) -> String {
    match retention {
        Retention::Forever => "Kept until deleted".to_owned(),
        Retention::Days(365) => "Kept for a year".to_owned(),
        Retention::Days(days) if days % 365 == 0 => format!("Kept for {} years", days / 365),
        Retention::Days(days) => format!("Kept for {days} days"),
    }
}

fn field_row(field: &Field) -> FieldRow {
    FieldRow {
        name: field.name().to_string(),
        kind: field.kind().label(),
        required: field.required(),
        limits: limits(field),
    }
}

/// Newest first.
fn version_rows(event: &Event, now: Timestamp) -> Vec<VersionRow> {
    let row = |version: &beaconry_model::version::Version| {
        let state = event.versions().state(version, now);
        VersionRow {
            number: version.number,
            id: version.id.to_string(),
            state: state.word(),
            meaning: words::of_state(state),
            usable_from: version.usable_from(),
            deprecated_at: event.versions().deprecated_at(version, now),
        }
    };
    event.versions().iter().rev().map(row).collect()
}
