//! What was turned away and kept: by event and reason, each one to be opened, and to be chosen for a replay.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use beaconry_model::data::FieldError;
use beaconry_model::time::Timestamp;
use beaconry_model::wire::Code;
use beaconry_store::{
    EventNo, Known, QuarantinedEvent, Reader, Snapshot, StoreError, quarantine_until,
};

use super::{State as Console, failed, problem, words};
use crate::page::page;

/// Beacons on a page.
const PAGE: usize = 50;
/// Beacons that are read for one page at the most, those of hidden events among them.
const MOST: usize = 1_000;

#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    event: String,
    #[serde(default)]
    reason: String,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "console/quarantine.html")]
struct Quarantine {
    /// Events that have something in quarantine, and the one that is chosen.
    groups: Vec<Group>,
    /// The chosen event's discriminator and name; blank for all.
    event: String,
    name: String,
    reason: String,
    kept: Vec<Row>,
    older: Option<i64>,
    /// How many the choice holds in all.
    count: u64,
}

struct Group {
    event: String,
    name: String,
    reasons: Vec<(&'static str, &'static str, u64)>,
}

struct Row {
    number: i64,
    received: Timestamp,
    name: String,
    ver: u32,
    code: &'static str,
    why: String,
    page: String,
    test: bool,
}

impl Quarantine {
    const STALE: &'static str = words::STALE;

    /// The reasons of the choice, and of all where nothing is chosen.
    fn reasons(&self) -> Vec<(&'static str, &'static str)> {
        [Code::InvalidFields, Code::StaleVersion, Code::UnknownVersion, Code::TooOld]
            .map(|code| (code.as_str(), words::of_code(code)))
            .to_vec()
    }

    fn address(&self, before: &i64) -> String {
        format!("/quarantine?event={}&reason={}&before={before}", self.event, self.reason)
    }
}

pub(super) async fn show(State(state): State<Console>, Query(choice): Query<Choice>) -> Response {
    match make(&state, &choice) {
        Ok(made) => page(&made),
        Err(error) => failed(&error),
    }
}

pub(super) fn code_of(word: &str) -> Option<Code> {
    Code::ALL.into_iter().find(|code| code.as_str() == word)
}

fn make(state: &Console, choice: &Choice) -> Result<Quarantine, StoreError> {
    let store = &state.console.store;
    let (snapshot, reader) = (store.snapshot(), store.reader()?);
    let known = match choice.event.as_str() {
        "" => None,
        words => Some(super::event::find(state, words)?),
    };
    let code = code_of(&choice.reason);
    let groups = groups(&snapshot, &reader)?;
    let chosen = groups.iter().filter(|group| {
        known.as_ref().is_none_or(|known| known.event.discriminator().as_str() == group.event)
    });
    let counts = chosen.flat_map(|group| &group.reasons);
    let fitting = counts.filter(|reason| code.is_none_or(|code| code.as_str() == reason.0));
    let count = fitting.map(|reason| reason.2).sum();
    let event = known.as_ref().map(|known| known.number);
    let (kept, older) = rows(&snapshot, &reader, event, code, choice.before.unwrap_or(i64::MAX))?;
    Ok(Quarantine {
        groups,
        event: known.as_ref().map_or(String::new(), |k| k.event.discriminator().to_string()),
        name: known.map_or(String::new(), |known| known.event.name().to_string()),
        reason: code.map_or("", Code::as_str).to_owned(),
        kept,
        older,
        count,
    })
}

fn groups(snapshot: &Snapshot, reader: &Reader) -> Result<Vec<Group>, StoreError> {
    let mut groups = Vec::new();
    for known in snapshot.visible_events() {
        let reasons = reader.quarantine_by_code(known.number)?;
        if reasons.is_empty() {
            continue;
        }
        let reason = |(code, count): (Code, u64)| (code.as_str(), words::of_code(code), count);
        groups.push(Group {
            event: known.event.discriminator().to_string(),
            name: known.event.name().to_string(),
            reasons: reasons.into_iter().map(reason).collect(),
        });
    }
    Ok(groups)
}

/// A page of them, and where the next begins. Those of hidden events are passed over.
fn rows(
    snapshot: &Snapshot,
    reader: &Reader,
    event: Option<EventNo>,
    code: Option<Code>,
    mut before: i64,
) -> Result<(Vec<Row>, Option<i64>), StoreError> {
    let (mut rows, mut read) = (Vec::new(), 0);
    loop {
        let page = reader.quarantine_of(event, code, before, PAGE as u32 + 1)?;
        for kept in &page {
            let known = snapshot.by_number(kept.event);
            let Some(known) = known.filter(|known| known.event.hidden_at().is_none()) else {
                continue;
            };
            if rows.len() == PAGE {
                return Ok((rows, Some(before)));
            }
            before = kept.number;
            rows.push(row(known, kept));
        }
        read += page.len();
        match page.last() {
            Some(last) if page.len() > PAGE => before = last.number,
            _ => return Ok((rows, None)),
        }
        if read >= MOST {
            return Ok((rows, Some(before)));
        }
    }
}

fn row(known: &Known, kept: &QuarantinedEvent) -> Row {
    let (facts, rejection) = (&kept.kept.facts, &kept.kept.rejection);
    let error = |error: &FieldError| {
        format!("{}: expected {}, got {}", error.field, error.expected, error.got)
    };
    let errors: Vec<_> = rejection.errors.iter().map(error).collect();
    Row {
        number: kept.number,
        received: facts.received,
        name: known.event.name().to_string(),
        ver: facts.ver,
        code: words::of_code(rejection.code),
        why: if errors.is_empty() { rejection.detail.clone() } else { errors.join("; ") },
        page: facts.url.clone().unwrap_or_default(),
        test: facts.test,
    }
}

#[derive(Template)]
#[template(path = "console/quarantined.html")]
struct One {
    number: i64,
    name: String,
    discriminator: String,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    payload: String,
    id: String,
    ver: u32,
    current: u32,
    happened: Timestamp,
    received: Timestamp,
    expires: Timestamp,
    page: String,
    origin: String,
    visitor: String,
    test: bool,
    unchecked: bool,
}

pub(super) async fn open(State(state): State<Console>, Path(number): Path<i64>) -> Response {
    match find(&state, number) {
        Ok(Some(made)) => page(&made),
        Ok(None) => problem(
            StatusCode::NOT_FOUND,
            "This beacon is no longer in quarantine: it was replayed, or its time has passed. Look for it in the event's data.",
        ),
        Err(error) => failed(&error),
    }
}

fn find(state: &Console, number: i64) -> Result<Option<One>, StoreError> {
    let store = &state.console.store;
    let Some(kept) = store.reader()?.quarantined(number)? else { return Ok(None) };
    let snapshot = store.snapshot();
    let known = snapshot.by_number(kept.event);
    let Some(known) = known.filter(|known| known.event.hidden_at().is_none()) else {
        return Ok(None);
    };
    let (facts, rejection) = (kept.kept.facts, kept.kept.rejection);
    Ok(Some(One {
        number,
        name: known.event.name().to_string(),
        discriminator: known.event.discriminator().to_string(),
        code: words::of_code(rejection.code),
        detail: rejection.detail,
        errors: rejection.errors,
        payload: pretty(&kept.kept.raw),
        id: facts.id.to_string(),
        ver: facts.ver,
        current: known.event.versions().current(store.clock().steady()).number,
        happened: facts.time,
        received: facts.received,
        expires: quarantine_until(known.event.retention(), facts.received),
        page: facts.url.unwrap_or_default(),
        origin: facts.origin.unwrap_or_default(),
        visitor: facts.visitor.unwrap_or_default(),
        test: facts.test,
        unchecked: facts.unchecked,
    }))
}

/// JSON with a line for each member; what is none stays as it came.
pub(super) fn pretty(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| json.to_owned())
}
