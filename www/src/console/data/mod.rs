//! The stored events of one kind: filtered by version, time and what a field holds, newest first, page by page.

pub(super) mod condition;
pub(super) mod csv;
pub(crate) mod export;
mod parquet;
pub(super) mod sink;
mod table;

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use beaconry_model::time::Timestamp;
use beaconry_model::value::Kind;
use beaconry_store::{Found, Known, Place, Range, StoreError, StoredEvent};

use self::condition::{Condition, Op};
use self::table::{Column, Table};
use super::day::thousands;
use super::event::find;
use super::quarantine::pretty;
use super::told::Told;
use super::{State as Console, failed, problem};
use crate::page::page;

/// Events on a page.
const PAGE: usize = 50;
/// What one request looks at, at the most, for a field's value; then it shows what it found so far.
const LOOKED_AT: usize = 10_000;
const LOOKED_FOR: Duration = Duration::from_millis(200);

/// What the address says: which events, and from where on.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    version: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    field: String,
    #[serde(default)]
    op: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    before: String,
    /// What names a download, so that its progress can be asked for.
    #[serde(default)]
    work: String,
}

impl Choice {
    /// The range and the condition, or what is wrong with them.
    fn read(&self) -> Result<(Range, Option<Condition>), String> {
        let version = match self.version.as_str() {
            "" => None,
            number => Some(number.parse().map_err(|_| {
                format!("version: expected the number of a version, got “{number:.40}”")
            })?),
        };
        let (from, to) = (moment("from", &self.from)?, moment("to", &self.to)?);
        let condition = match self.field.as_str() {
            "" => None,
            field => Some(Condition::new(field, Op::of(&self.op), &self.value)),
        };
        Ok((Range { version, from, to }, condition))
    }

    /// The address that shows the same from another place on.
    fn address(&self, to: &str, before: Option<Place>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let all = [
            ("version", &self.version),
            ("from", &self.from),
            ("to", &self.to),
            ("field", &self.field),
            ("op", &self.op),
            ("value", &self.value),
        ];
        for (name, value) in all.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        format!("{to}/data?{}", query.finish())
    }
}

/// A moment as a form writes it, in UTC, or as RFC 3339.
pub(super) fn moment(name: &str, text: &str) -> Result<Option<Timestamp>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let candidates =
        [text.to_owned(), format!("{text}Z"), format!("{text}:00Z"), format!("{text}T00:00:00Z")];
    let read = candidates.iter().find_map(|text| text.parse().ok());
    read.map(Some)
        .ok_or_else(|| format!("{name}: expected a time like 2026-03-01T12:00, got “{text:.40}”"))
}

#[derive(Template)]
#[template(path = "console/data.html")]
struct Data {
    name: String,
    to: String,
    choice: Choice,
    wrong: String,
    /// Each version with how many events it has.
    versions: Vec<(u32, String)>,
    count: String,
    fields: Vec<String>,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// The page after this one.
    older: Option<String>,
    first: bool,
    searched: Option<Searched>,
}

struct Row {
    place: Place,
    received: Timestamp,
    version: u32,
    cells: Vec<Told>,
    page: String,
    unchecked: bool,
}

/// How far a search for a value has come.
struct Searched {
    looked_at: String,
    back_to: Option<Timestamp>,
    /// Where to go on: `None` once everything was searched.
    go_on: Option<String>,
    /// Whether it is to go on by itself, because there is room on the page.
    by_itself: bool,
}

impl Data {
    const OPS: [Op; 4] = Op::ALL;

    /// A bound of time as its input takes it: in UTC, which the page's script turns into the reader's time. What is none
    /// stays as it was typed.
    fn bound(text: &str) -> String {
        match moment("", text) {
            Ok(Some(at)) => at.to_string().chars().take("2026-03-01T12:00".len()).collect(),
            _ => text.to_owned(),
        }
    }

    fn is_filtered(&self) -> bool {
        let choice = &self.choice;
        [&choice.version, &choice.from, &choice.to, &choice.field]
            .iter()
            .any(|text| !text.is_empty())
    }
}

pub(super) async fn show(
    State(state): State<Console>,
    Path(event): Path<String>,
    Query(choice): Query<Choice>,
) -> Response {
    let known = match find(&state, &event) {
        Ok(known) => known,
        Err(error) => return failed(&error),
    };
    // Off the threads that answer, because a search takes a while.
    let made = tokio::task::spawn_blocking(move || make(&state, &known, choice)).await;
    match made {
        Ok(Ok(made)) => page(&made),
        Ok(Err(error)) => failed(&error),
        Err(_) => problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Reading the events broke off. Try again; if it stays so, look at what the server prints.",
        ),
    }
}

fn make(state: &Console, known: &Known, choice: Choice) -> Result<Data, StoreError> {
    let reader = state.console.store.reader()?;
    let (range, condition, wrong) = match choice.read() {
        Ok((range, condition)) => (range, condition, String::new()),
        Err(wrong) => (Range::default(), None, wrong),
    };
    let before = choice.before.parse().ok();
    let found = match &condition {
        _ if !wrong.is_empty() => Found::default(),
        None => page_of(reader.page(known.number, range, before, PAGE + 1)?),
        Some(condition) => {
            let bounds = (PAGE, LOOKED_AT, LOOKED_FOR);
            let fits = |event: &StoredEvent| condition.fits(&event.data);
            reader.search(known.number, range, before, fits, bounds)?
        }
    };
    let table = Table::of(known, range.version);
    let to = format!("/events/{}", known.event.discriminator());
    let next = found.go_on.map(|place| choice.address(&to, Some(place)));
    let counts = reader.count_by_version(known.number)?;
    let count = |version: u32| {
        counts.iter().find(|(ver, _)| *ver == version).map_or(0, |(_, count)| *count)
    };
    let searched = condition.is_some().then(|| Searched {
        looked_at: thousands(found.looked_at as u64),
        back_to: found.go_on.map(|place| place.received),
        go_on: next.clone(),
        by_itself: next.is_some() && found.events.len() < PAGE,
    });
    let versions = known.event.versions().iter().rev();
    Ok(Data {
        name: known.event.name().to_string(),
        versions: versions.map(|v| (v.number, thousands(count(v.number)))).collect(),
        count: thousands(counts.iter().map(|(_, count)| count).sum()),
        fields: Table::of(known, None).fields(),
        rows: found.events.iter().map(|event| row(&table, event)).collect(),
        columns: table.into_fields(),
        older: next.filter(|_| searched.is_none()),
        first: before.is_none(),
        searched,
        to,
        wrong,
        choice,
    })
}

/// One event more than a page was asked for, to know whether there is another page.
fn page_of(mut events: Vec<StoredEvent>) -> Found {
    let more = events.len() > PAGE;
    events.truncate(PAGE);
    let go_on = events.last().map(Place::of).filter(|_| more);
    Found { looked_at: events.len(), go_on, events }
}

fn row(table: &Table, event: &StoredEvent) -> Row {
    Row {
        place: Place::of(event),
        received: event.received,
        version: event.version,
        cells: table.field_texts(event).into_iter().map(cell).collect(),
        page: event.url.clone().unwrap_or_default(),
        unchecked: event.unchecked,
    }
}

/// What a field holds; a moment as one, so that it is shown in the reader's time zone as that of the row is.
fn cell((kind, text): (Kind, String)) -> Told {
    match text.parse() {
        Ok(at) if kind == Kind::Timestamp => Told::at("", at, ""),
        _ => text.into(),
    }
}

#[derive(Template)]
#[template(path = "console/stored.html")]
struct Stored {
    name: String,
    to: String,
    event: StoredEvent,
    payload: String,
}

/// One stored event with everything that came with it.
pub(super) async fn open(
    State(state): State<Console>,
    Path((event, place)): Path<(String, String)>,
) -> Response {
    let known = match find(&state, &event) {
        Ok(known) => known,
        Err(error) => return failed(&error),
    };
    let found = place.parse().ok().map(|place: Place| {
        state.console.store.reader().and_then(|reader| reader.at(known.number, place))
    });
    match found {
        Some(Ok(Some(event))) => page(&Stored {
            name: known.event.name().to_string(),
            to: format!("/events/{}", known.event.discriminator()),
            payload: pretty(&event.data),
            event,
        }),
        Some(Err(error)) => failed(&error),
        Some(Ok(None)) | None => problem(
            StatusCode::NOT_FOUND,
            "This event is not stored any more: its retention has passed. Look at the newest ones in the event's data.",
        ),
    }
}
