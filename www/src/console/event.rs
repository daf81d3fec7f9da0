//! One event: its fields, versions and tracking, the code to paste, and the buttons that change its tracking.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use beaconry_model::changes::limits;
use beaconry_model::event::Event;
use beaconry_model::fields::Field;
use beaconry_model::retention::Retention;
use beaconry_model::time::Timestamp;
use beaconry_store::{Known, StoreError, StoredEvent};

use super::{State as Console, failed, words};
use crate::page::page;
use crate::snippet::Snippet;

#[derive(Template)]
#[template(path = "console/event.html")]
struct Page {
    name: String,
    description: String,
    discriminator: String,
    section: String,
    slug: String,
    key: String,
    retention: String,
    fields: Vec<FieldRow>,
    versions: Vec<VersionRow>,
    locked_until: Option<String>,
    enabled: bool,
    pinned: Option<u32>,
    outdated: bool,
    scheduled: bool,
    stale: String,
    stored: u64,
    quarantined: u64,
    unchecked: Option<Unchecked>,
    snippet: Result<Snippet, String>,
    origins: String,
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
    usable_from: String,
    deprecated_at: Option<String>,
}

impl Page {
    const OUTDATED: &'static str = words::OUTDATED;
    const STALE: &'static str = words::STALE;
    const PINNED: &'static str = words::PINNED;
    const UNCHECKED: &'static str = words::UNCHECKED;

    /// All bytes a page downloads for this event alone, in Brotli.
    fn brotli(&self) -> usize {
        self.snippet.iter().flat_map(|snippet| &snippet.files).map(|file| file.brotli).sum()
    }
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
        return Err(StoreError::NotFound { what: "event", name: words.to_owned() });
    }
    Ok(known.as_ref().clone())
}

fn make(state: &Console, known: &Known) -> Result<Page, StoreError> {
    let store = &state.console.store;
    let (event, now) = (&known.event, store.clock().steady());
    let tracking = event.tracking();
    let snippet =
        if tracking.enabled() { (state.console.snippets)(known) } else { Ok(Snippet::default()) };
    let reader = store.reader()?;
    Ok(Page {
        name: event.name().to_string(),
        description: event.description().as_str().to_owned(),
        discriminator: event.discriminator().to_string(),
        section: known.section.name.to_string(),
        slug: event.slug().to_string(),
        key: event.key().to_string(),
        retention: retention(event.retention()),
        fields: event.versions().last().fields.iter().map(field_row).collect(),
        versions: version_rows(event, now),
        locked_until: event.locked_until(now).map(|until| until.to_string()),
        enabled: tracking.enabled(),
        pinned: tracking.pin().map(|pin| pin.version),
        outdated: event.outdated(now),
        scheduled: tracking.scheduled().is_some(),
        stale: String::from(tracking.stale()),
        stored: reader.count(known.number)?,
        quarantined: reader.quarantine_count(known.number)?,
        unchecked: unchecked(&reader.newest(known.number, true, 100)?),
        snippet,
        origins: known
            .section
            .origins
            .iter()
            .map(|origin| origin.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    })
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
        Retention::Days(days) if days % 365 == 0 => {
            format!("{} years from arrival, then deleted", days / 365)
        }
        Retention::Days(days) => format!("{days} days from arrival, then deleted"),
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
            usable_from: version.usable_from().to_string(),
            deprecated_at: event.versions().deprecated_at(version, now).map(|at| at.to_string()),
        }
    };
    event.versions().iter().rev().map(row).collect()
}
