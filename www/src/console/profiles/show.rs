//! One profile: its keys, its timeline, what is known of it, what it agreed to, and which segments it is in.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

use beaconry_model::consent::ConsentType;
use beaconry_model::profile::ProfileId;
use beaconry_model::time::Timestamp;
use beaconry_store::{
    Place, Profile, ProfileReader, Snapshot, StoreError, StoredEvent, TimelineQuery,
};

use super::Line;
use crate::console::day::thousands;
use crate::console::{State as Console, failed, problem};
use crate::page::page;

/// Events on a page.
const PAGE: usize = 50;
/// How far the events of one kind are counted.
const COUNTED: u32 = 1_000;

#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct Choice {
    #[serde(default)]
    event: String,
    /// The time and the place in the log of the last event of the page before.
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "console/profile.html")]
struct Shown {
    line: Line,
    keys: Vec<(&'static str, String)>,
    attributes: Vec<Attribute>,
    consents: Vec<Consent>,
    segments: Vec<(String, String)>,
    /// Each visible event on the timeline: discriminator, name, how often.
    kinds: Vec<(String, String, String)>,
    event: String,
    timeline: Vec<Happened>,
    older: Option<String>,
    first: bool,
}

struct Attribute {
    section: String,
    name: String,
    value: String,
    version: u32,
    current: u32,
    at: Timestamp,
}

struct Consent {
    channel: &'static str,
    address: String,
    list: String,
    topic: String,
    said: ConsentType,
    at: Timestamp,
}

/// One event of the timeline.
struct Happened {
    event: String,
    name: String,
    place: Place,
    version: u32,
    time: Timestamp,
    fields: Vec<(String, String)>,
    from: Came,
}

/// Where an event came from.
enum Came {
    /// A back end, by the API; what it calls itself.
    Api(String),
    Zapier,
    /// A web page.
    Page(String),
    /// A beacon that did not say its page.
    Beacon,
}

pub(in crate::console) async fn show(
    State(state): State<Console>,
    Path(id): Path<String>,
    Query(choice): Query<Choice>,
) -> Response {
    let made = tokio::task::spawn_blocking(move || make(&state, &id, &choice)).await;
    match made {
        Ok(Ok(Some(shown))) => page(&shown),
        Ok(Ok(None)) => gone(),
        Ok(Err(error)) => failed(&error),
        Err(_) => broke_off(),
    }
}

/// Everything that is kept of one person, as a file of JSON.
pub(in crate::console) async fn export(
    State(state): State<Console>,
    Path(id): Path<String>,
) -> Response {
    let made = tokio::task::spawn_blocking(move || -> Result<_, StoreError> {
        let store = &state.console.store;
        let reader = store.profiles()?;
        let Some(profile) = find(&reader, &id)? else { return Ok(None) };
        let json = reader.export(&store.snapshot(), &profile, store.clock().now())?;
        Ok(serde_json::to_string_pretty(&json).ok().map(|json| (profile.id, json)))
    });
    match made.await {
        Ok(Ok(Some((id, json)))) => {
            let named = format!("attachment; filename=\"profile-{id}.json\"");
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (
                    header::CONTENT_DISPOSITION,
                    HeaderValue::from_str(&named).unwrap_or(HeaderValue::from_static("attachment")),
                ),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (headers, json).into_response()
        }
        Ok(Ok(None)) => gone(),
        Ok(Err(error)) => failed(&error),
        Err(_) => broke_off(),
    }
}

pub(super) fn gone() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "There is no such profile: it was erased, or the address is not complete. Look for the person by a key.",
    )
}

pub(super) fn broke_off() -> Response {
    problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Working on the profile broke off. Try again; if it stays so, look at what the server prints.",
    )
}

/// The profile with this id, as addresses have it.
pub(super) fn find(reader: &ProfileReader, id: &str) -> Result<Option<Profile>, StoreError> {
    ProfileId::parse(id).map_or(Ok(None), |id| reader.by_id(id))
}

fn make(state: &Console, id: &str, choice: &Choice) -> Result<Option<Shown>, StoreError> {
    let store = &state.console.store;
    let (snapshot, reader) = (store.snapshot(), store.profiles()?);
    let Some(profile) = find(&reader, id)? else { return Ok(None) };
    let (timeline, older) = timeline(&snapshot, &reader, &profile, choice)?;
    let segments = reader.segments_of(&snapshot, &profile, store.clock().now())?;
    let segment = |address: String| {
        let found = snapshot.audience().segments().iter().find(|s| s.discriminator == address);
        let name = found.map_or_else(|| address.clone(), |segment| segment.name.to_string());
        (address, name)
    };
    let keys = profile.keys.iter();
    Ok(Some(Shown {
        keys: keys.map(|key| (key.keyspace().label(), key.as_str().to_owned())).collect(),
        attributes: attributes(&snapshot, &reader, &profile)?,
        consents: consents(&snapshot, &reader, &profile)?,
        segments: segments.into_iter().map(segment).collect(),
        kinds: kinds(&snapshot, &reader, &profile)?,
        event: choice.event.clone(),
        timeline,
        older,
        first: choice.before.is_empty(),
        line: Line::of(&profile),
    }))
}

fn attributes(
    snapshot: &Snapshot,
    reader: &ProfileReader,
    profile: &Profile,
) -> Result<Vec<Attribute>, StoreError> {
    let mut shown = Vec::new();
    for section in snapshot.sections() {
        for stored in reader.attributes(snapshot, profile, &section.id)? {
            let mut known = snapshot.audience().attributes(&section.id);
            let Some(known) = known.find(|known| known.number == stored.attribute) else {
                continue;
            };
            shown.push(Attribute {
                section: section.name.to_string(),
                name: known.attribute.name.to_string(),
                value: text_of(&serde_json::from_str(&stored.value).unwrap_or_default()),
                version: stored.version,
                current: known.attribute.current().number,
                at: stored.at,
            });
        }
    }
    Ok(shown)
}

fn consents(
    snapshot: &Snapshot,
    reader: &ProfileReader,
    profile: &Profile,
) -> Result<Vec<Consent>, StoreError> {
    let sections = snapshot.sections().iter();
    let lists: Vec<_> =
        sections.flat_map(|section| snapshot.audience().consent_lists(&section.id)).collect();
    let shown = |stored: beaconry_store::StoredConsent| {
        let list = lists.iter().find(|list| list.discriminator == stored.list);
        let topic = list.and_then(|list| list.topic(&stored.topic));
        Consent {
            channel: stored.channel.word(),
            address: stored.address,
            list: list.map_or(stored.list, |list| list.name.to_string()),
            topic: topic.map_or(stored.topic, |topic| topic.name.to_string()),
            said: stored.said,
            at: stored.at,
        }
    };
    Ok(reader.consents(profile)?.into_iter().map(shown).collect())
}

fn kinds(
    snapshot: &Snapshot,
    reader: &ProfileReader,
    profile: &Profile,
) -> Result<Vec<(String, String, String)>, StoreError> {
    let mut kinds = Vec::new();
    for (number, count) in reader.kinds(snapshot, profile, COUNTED)? {
        let Some(known) = snapshot.by_number(number) else { continue };
        let more = if count == COUNTED { " or more" } else { "" };
        let count = format!("{}{more}", thousands(u64::from(count)));
        kinds.push((
            known.event.discriminator().to_string(),
            known.event.name().to_string(),
            count,
        ));
    }
    Ok(kinds)
}

/// A page of the timeline, and the address of the next one.
fn timeline(
    snapshot: &Snapshot,
    reader: &ProfileReader,
    profile: &Profile,
    choice: &Choice,
) -> Result<(Vec<Happened>, Option<String>), StoreError> {
    let event = match choice.event.as_str() {
        "" => None,
        words => Some(snapshot.event(words)?.number),
    };
    let before = choice
        .before
        .split_once('.')
        .and_then(|(time, seq)| Some((Timestamp(time.parse().ok()?), seq.parse().ok()?)));
    let query = TimelineQuery { event, before, limit: PAGE + 1, ..TimelineQuery::default() };
    let mut events = reader.timeline(snapshot, profile, &query)?;
    let more = events.len() > PAGE;
    events.truncate(PAGE);
    let older = events.last().filter(|_| more).map(|last| {
        format!(
            "/profiles/{}?event={}&before={}.{}",
            profile.id, choice.event, last.time.0, last.seq
        )
    });
    Ok((events.iter().filter_map(|event| happened(snapshot, event)).collect(), older))
}

fn happened(snapshot: &Snapshot, event: &StoredEvent) -> Option<Happened> {
    let known = snapshot.by_number(event.event)?;
    let data: serde_json::Map<String, Value> =
        serde_json::from_str(&event.data).unwrap_or_default();
    let source = data.get("source").map(text_of).unwrap_or_default();
    let from = match (&event.profile, &event.url) {
        (Some(_), _) if source == "Zapier" => Came::Zapier,
        (Some(_), _) => Came::Api(source),
        (None, Some(url)) => Came::Page(url.clone()),
        (None, None) => Came::Beacon,
    };
    Some(Happened {
        event: known.event.discriminator().to_string(),
        name: known.event.name().to_string(),
        place: Place::of(event),
        version: event.version,
        time: event.time,
        fields: data.iter().map(|(name, value)| (name.clone(), text_of(value))).collect(),
        from,
    })
}

/// A value as people read it: text without quotes.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
