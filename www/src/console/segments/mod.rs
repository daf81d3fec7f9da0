//! Segments: a list of them, and what each page on one needs.

mod checked;
mod choices;
pub(super) mod count;
pub(super) mod delete;
mod draft;
pub(super) mod edit;
pub(super) mod members;
mod operator;
mod sent;
mod shown;
#[cfg(test)]
mod tests;
mod view;

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use beaconry_model::segment::Segment;
use beaconry_model::time::Timestamp;
use beaconry_store::{AuditFilter, AuditLog, Snapshot, StoreError, remarks};

use self::choices::Choices;
use self::count::{Before, Review};
use super::{State as Console, failed};
use crate::page::page;

/// Entries of the audit log that are looked through for who changed which segment last.
const LOOKED_THROUGH: usize = 1_000;

#[derive(Template)]
#[template(path = "console/segments.html")]
struct List {
    sections: Vec<Group>,
}

/// The segments of one section.
struct Group {
    id: String,
    name: String,
    segments: Vec<Row>,
}

struct Row {
    address: String,
    name: String,
    asks: String,
    /// Why it is broken; blank where it is not.
    broken: String,
    /// How many other things are to be said of it.
    warnings: usize,
    counted: Option<Before>,
    changed: Timestamp,
    by: String,
}

pub(super) async fn show(State(state): State<Console>) -> Response {
    match list(&state) {
        Ok(list) => page(&list),
        Err(error) => failed(&error),
    }
}

fn list(state: &Console) -> Result<List, StoreError> {
    let snapshot = state.console.store.snapshot();
    let changes = changes(state, &snapshot)?;
    let sections = snapshot.sections().iter();
    let sections = sections.map(|section| {
        let choices = Choices { snapshot: snapshot.clone(), section: section.id.clone() };
        let of_section = snapshot.audience().segments().iter().filter(|s| s.section == section.id);
        let mut segments: Vec<Row> =
            of_section.map(|segment| row(state, &choices, segment, &changes)).collect();
        segments.sort_by_key(|row| row.name.to_lowercase());
        Group { id: section.id.to_string(), name: section.name.to_string(), segments }
    });
    Ok(List { sections: sections.collect() })
}

fn row(
    state: &Console,
    choices: &Choices,
    segment: &Segment,
    changes: &HashMap<String, (Timestamp, String)>,
) -> Row {
    let remarks = remarks(&choices.snapshot, &segment.section, &segment.condition);
    let broken = remarks.iter().find(|remark| remark.breaks());
    let (changed, by) =
        changes.get(&segment.discriminator).cloned().unwrap_or((segment.created_at, String::new()));
    Row {
        address: segment.discriminator.clone(),
        name: segment.name.to_string(),
        asks: view::in_words(&segment.condition, choices),
        broken: broken.map(ToString::to_string).unwrap_or_default(),
        warnings: remarks.iter().filter(|remark| !remark.breaks()).count(),
        counted: state.counting.before(&segment.discriminator, &segment.condition),
        changed,
        by,
    }
}

/// When each segment was changed last, and by whom.
fn changes(
    state: &Console,
    snapshot: &Snapshot,
) -> Result<HashMap<String, (Timestamp, String)>, StoreError> {
    let all = snapshot.audience().segments().iter();
    let addresses: Vec<String> = all.map(|segment| segment.discriminator.clone()).collect();
    if addresses.is_empty() {
        return Ok(HashMap::new());
    }
    // A line break is in no thing's name, so that only these addresses fit.
    let thing = Some(("\n".to_owned(), addresses));
    let filter = AuditFilter { thing, ..AuditFilter::default() };
    let log = AuditLog::open(state.console.store.folder())?;
    let (entries, _) = log.page(&filter, None, LOOKED_THROUGH)?;
    let mut last = HashMap::new();
    for entry in entries {
        last.entry(entry.thing).or_insert((entry.at, entry.actor));
    }
    Ok(last)
}

/// The segment with this address.
fn find(state: &Console, address: &str) -> Result<Segment, StoreError> {
    let snapshot = state.console.store.snapshot();
    let found = snapshot.audience().segments().iter().find(|s| s.discriminator == address);
    let not_found = || StoreError::NotFound { what: "segment", name: address.to_owned() };
    found.cloned().ok_or_else(not_found)
}

/// A segment's count as a part of the list.
#[derive(Template)]
#[template(path = "console/segment_count.html")]
struct InList {
    counted: Option<Before>,
    why_not: String,
}

/// How many fit a saved segment, for the list.
pub(super) async fn counted(State(state): State<Console>, Path(address): Path<String>) -> Response {
    match count_saved(&state, &address).await {
        Ok((counted, _)) => page(&InList { counted: Some(counted), why_not: String::new() }),
        Err(error) => page(&InList { counted: None, why_not: error.to_string() }),
    }
}

/// How many fit a saved segment, and some of them, for its page.
pub(super) async fn reviewed(
    State(state): State<Console>,
    Path(address): Path<String>,
) -> Response {
    match count_saved(&state, &address).await {
        Ok((_, review)) => page(&review),
        Err(error) => page(&Review::of(Err(error))),
    }
}

async fn count_saved(state: &Console, address: &str) -> Result<(Before, Review), StoreError> {
    let store = &state.console.store;
    let segment = find(state, address)?;
    let condition = segment.condition.clone();
    let counted = state.counting.count(store, segment.section, condition).await?;
    let before = Before { count: super::day::thousands(counted.count), at: store.clock().now() };
    state.counting.remember(address, &segment.condition, counted.count, before.at);
    Ok((before, Review::of(Ok(counted))))
}
