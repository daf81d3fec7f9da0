//! Two versions of an event side by side, what changed between them marked.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use beaconry_model::changes::asks;
use beaconry_model::version::Version;
use beaconry_store::Known;

use super::event::find;
use super::{State as Console, failed, words};
use crate::page::page;

#[derive(Template)]
#[template(path = "console/versions.html")]
struct Compare {
    name: String,
    section: String,
    folder: &'static str,
    to: String,
    numbers: Vec<u32>,
    left: Side,
    right: Side,
    rows: Vec<Row>,
    changed: usize,
}

struct Side {
    number: u32,
    id: String,
    state: &'static str,
}

impl Compare {
    fn sides(&self) -> [&Side; 2] {
        [&self.left, &self.right]
    }
}

/// One field in both versions; blank where a version has none of that name.
struct Row {
    field: String,
    left: String,
    right: String,
}

impl Row {
    /// A word for what happened to the field, and the class it is shown with.
    fn mark(&self) -> &'static str {
        match (self.left.is_empty(), self.right.is_empty()) {
            (true, _) => "added",
            (_, true) => "removed",
            _ if self.left != self.right => "changed",
            _ => "",
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Pair {
    left: Option<u32>,
    right: Option<u32>,
}

pub(super) async fn show(
    State(state): State<Console>,
    Path(event): Path<String>,
    Query(pair): Query<Pair>,
) -> Response {
    match find(&state, &event) {
        Ok(known) => page(&compare(&state, &known, &pair)),
        Err(error) => failed(&error),
    }
}

/// Without a choice, the newest version beside the one before it.
fn compare(state: &Console, known: &Known, pair: &Pair) -> Compare {
    let versions = known.event.versions();
    let last = versions.last();
    let right = pair.right.and_then(|number| versions.get(number)).unwrap_or(last);
    let before = versions.get(right.number.saturating_sub(1)).unwrap_or(right);
    let left = pair.left.and_then(|number| versions.get(number)).unwrap_or(before);
    let now = state.console.store.clock().steady();
    let side = |version: &Version| Side {
        number: version.number,
        id: version.id.to_string(),
        state: versions.state(version, now).word(),
    };
    let rows = rows(left, right);
    Compare {
        name: known.event.name().to_string(),
        section: known.section.name.to_string(),
        folder: words::of_category(known.event.category()).0,
        to: format!("/events/{}", known.event.discriminator()),
        numbers: versions.iter().map(|version| version.number).collect(),
        left: side(left),
        right: side(right),
        changed: rows.iter().filter(|row| !row.mark().is_empty()).count(),
        rows,
    }
}

/// The fields of the right version in their order, then those that only the left one has.
fn rows(left: &Version, right: &Version) -> Vec<Row> {
    let in_left = |name: &str| left.fields.get(name).map(asks).unwrap_or_default();
    let of_right = right.fields.iter().map(|field| Row {
        field: field.name().to_string(),
        left: in_left(field.name().as_str()),
        right: asks(field),
    });
    let gone = left.fields.iter().filter(|field| right.fields.get(field.name().as_str()).is_none());
    let of_left = gone.map(|field| Row {
        field: field.name().to_string(),
        left: asks(field),
        right: String::new(),
    });
    of_right.chain(of_left).collect()
}
