//! Events that a back end posts to a profile: the request's items, and what becomes of each.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;

use crate::data::{FieldError, check_data};
use crate::event::Event;
use crate::event_id::EventId;
use crate::json::{Members, Once, Reader, Wrong, read};
use crate::judge::{Accepted, Facts};
use crate::profile::{Keyspace, ProfileId};
use crate::time::Timestamp;
use crate::tracking::StalePolicy;
use crate::version::{Version, VersionState};
use crate::wire::MAX_EVENT;

/// The most bytes a request can have: 100 kB.
pub const MAX_POST: usize = 100_000;
/// How far ahead of the server's clock an event may lie, in milliseconds.
const TOLERANCE_MS: i64 = 300_000;

/// Why one item was not taken; with it the whole request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemError {
    /// Its place in the request, from 0.
    pub item: usize,
    /// The stable code.
    pub code: ItemCode,
    /// A sentence that names the thing, what was expected, what came.
    pub detail: String,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// What kind of thing is wrong with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemCode {
    /// It is not of an item's shape.
    Malformed,
    /// It has more than 16 KiB.
    TooLarge,
    /// The section has no event with such a version.
    UnknownVersion,
    /// The version was replaced, and the event does not take old ones.
    DeprecatedVersion,
    /// The version's hour has not passed.
    PendingVersion,
    /// The data does not fit the version.
    InvalidFields,
    /// It lies in the future.
    InFuture,
    /// The event does not let outside systems write through this keyspace.
    NotAllowed,
    /// Another item of the request has the same id for the same event.
    RepeatedId,
}

impl ItemError {
    fn new(item: usize, code: ItemCode, detail: impl Into<String>) -> ItemError {
        ItemError { item, code, detail: detail.into(), errors: Vec::new() }
    }

    /// The error of an item whose version the section does not have.
    pub fn unknown_version(item: usize, version_id: &str) -> ItemError {
        let detail = format!(
            "items[{item}].version_id: expected the id of a version of one of the section's events, got {version_id:.80}"
        );
        ItemError::new(item, ItemCode::UnknownVersion, detail)
    }

    /// The error of an item that has the id of an earlier one, `first`, for the same event.
    pub fn repeated_id(item: usize, first: usize) -> ItemError {
        let detail = format!(
            "items[{item}].id: expected one that no other item has for this event, got that of items[{first}]"
        );
        ItemError::new(item, ItemCode::RepeatedId, detail)
    }
}

/// One item of a request, in types, not yet held against its event.
#[derive(Debug)]
pub struct Item<'a> {
    /// Its place in the request, from 0.
    pub place: usize,
    /// What makes a second try of it known as one.
    pub id: Option<Cow<'a, str>>,
    /// When it happened; when it arrives, where that is not said.
    pub time: Option<Timestamp>,
    /// The version it was made under.
    pub version_id: Cow<'a, str>,
    data: Members<'a>,
}

struct ItemDoc<'a> {
    id: Option<Cow<'a, str>>,
    event_time: Option<Cow<'a, str>>,
    version_id: Cow<'a, str>,
    data: Members<'a>,
}

impl<'a> ItemDoc<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<ItemDoc<'a>, Wrong> {
        let (mut id, mut event_time) = (Once::new("id"), Once::new("event_time"));
        let (mut version_id, mut data) = (Once::new("version_id"), Once::new("data"));
        reader.object(|reader, name| match &*name {
            "id" => id.read(reader, |reader| reader.optional(Reader::text)),
            "event_time" => event_time.read(reader, |reader| reader.optional(Reader::text)),
            "version_id" => version_id.read(reader, Reader::text),
            "data" => data.read(reader, Reader::members),
            _ => reader.skip(),
        })?;
        Ok(ItemDoc {
            id: id.some(),
            event_time: event_time.some(),
            version_id: version_id.needed()?,
            data: data.value().unwrap_or_default(),
        })
    }
}

/// Reads a request's body, `{"items":[{"event_time":…,"version_id":…,"data":{…}}]}`. An error of the body itself is the
/// `Err` of a text; items that are none are told one by one.
pub fn parse(body: &[u8]) -> Result<Result<Vec<Item<'_>>, Vec<ItemError>>, String> {
    let expected = r#"{"items":[{"event_time":…,"version_id":…,"data":{…}}]}"#;
    let text = core::str::from_utf8(body)
        .map_err(|error| format!("body: expected JSON in UTF-8, got {error}"))?;
    let docs =
        read(text, items_of).map_err(|wrong| format!("body: expected {expected}, got {wrong}"))?;
    if docs.is_empty() {
        return Err("items: expected at least one, got none".to_string());
    }
    let (mut items, mut errors) = (Vec::with_capacity(docs.len()), Vec::new());
    for (place, (raw, doc)) in docs.into_iter().enumerate() {
        match item(place, raw, doc) {
            Ok(item) => items.push(item),
            Err(error) => errors.push(error),
        }
    }
    Ok(if errors.is_empty() { Ok(items) } else { Err(errors) })
}

/// An item as it came, and what it says.
type Came<'a> = (&'a str, Result<ItemDoc<'a>, Wrong>);

fn items_of<'a>(reader: &mut Reader<'a>) -> Result<Vec<Came<'a>>, Wrong> {
    let mut items = Once::new("items");
    reader.object(|reader, name| match &*name {
        "items" => items.read(reader, |reader| {
            let mut items = Vec::new();
            reader.list(|reader| {
                items.push(reader.attempt(ItemDoc::read)?);
                Ok(())
            })?;
            Ok(items)
        }),
        _ => reader.skip(),
    })?;
    items.needed()
}

fn item<'a>(
    place: usize,
    raw: &str,
    doc: Result<ItemDoc<'a>, Wrong>,
) -> Result<Item<'a>, ItemError> {
    if raw.len() > MAX_EVENT {
        let detail =
            format!("items[{place}]: expected at most {MAX_EVENT} bytes, got {}", raw.len());
        return Err(ItemError::new(place, ItemCode::TooLarge, detail));
    }
    let malformed =
        |why: String| ItemError::new(place, ItemCode::Malformed, format!("items[{place}]{why}"));
    let doc = doc.map_err(|wrong| {
        let expected = r#"{"event_time":…,"version_id":…,"data":{…}}"#;
        malformed(format!(": expected {expected}, got {wrong}"))
    })?;
    let time = doc.event_time.map(|time| {
        time.parse().map_err(|error| malformed(format!(".event_time: {error}, got {time:.80}")))
    });
    let id = doc.id;
    if id.as_ref().is_some_and(|id| id.is_empty() || id.len() > 200) {
        return Err(malformed(".id: expected 1 to 200 bytes".to_string()));
    }
    Ok(Item { place, id, time: time.transpose()?, version_id: doc.version_id, data: doc.data })
}

/// To whom, through what, and when an item is posted.
#[derive(Clone, Copy, Debug)]
pub struct Through {
    /// The profile.
    pub profile: ProfileId,
    /// The keyspace by whose key the profile was named.
    pub keyspace: Keyspace,
    /// The time of arrival.
    pub received: Timestamp,
}

/// Decides whether an item is taken as this version of this event. `id` is the one it is stored under.
pub fn judge_post(
    item: &Item,
    event: &Event,
    version: &Version,
    id: EventId,
    through: &Through,
) -> Result<Accepted, ItemError> {
    let now = through.received;
    if !event.allowed().through(through.keyspace).write {
        return Err(not_allowed(item.place, event, through.keyspace));
    }
    usable(item.place, event, version, now)?;
    let time = item.time.unwrap_or(now);
    if time > now.plus(TOLERANCE_MS) {
        let detail = format!(
            "items[{}].event_time: expected a moment that has come ({now}), got {time}",
            item.place
        );
        return Err(ItemError::new(item.place, ItemCode::InFuture, detail));
    }
    let data = check_data(&version.fields, &item.data, None)
        .map_err(|errors| invalid_fields(item.place, event, version, errors))?;
    let facts = Facts {
        id,
        ver: version.number,
        rev: None,
        time: time.min(now),
        received: now,
        visitor: None,
        profile: Some(through.profile),
        url: None,
        origin: None,
        test: false,
        unchecked: false,
    };
    Ok(Accepted { facts, data })
}

/// Whether an item is what was stored at an earlier try of it: then it happened at `time`, arrived at `received`, and its data
/// was written as `data`. An item without a time says nothing against the one it was given.
pub fn is_stored(
    item: &Item,
    version: &Version,
    (time, received): (Timestamp, Timestamp),
    data: &str,
) -> bool {
    item.time.is_none_or(|said| said.min(received) == time)
        && check_data(&version.fields, &item.data, None)
            .is_ok_and(|checked| checked.as_str() == data)
}

fn usable(place: usize, event: &Event, version: &Version, now: Timestamp) -> Result<(), ItemError> {
    let (slug, current) = (event.slug(), event.versions().current(now));
    match event.versions().state(version, now) {
        VersionState::Pending => Err(ItemError::new(
            place,
            ItemCode::PendingVersion,
            format!(
                "items[{place}].version_id: version {} of \"{slug}\" is pending until {}; until then use version {} ({})",
                version.number,
                version.usable_from(),
                current.number,
                current.id
            ),
        )),
        VersionState::Deprecated if event.tracking().stale() != StalePolicy::Accept => {
            Err(ItemError::new(
                place,
                ItemCode::DeprecatedVersion,
                format!(
                    "items[{place}].version_id: version {} of \"{slug}\" is deprecated; use the current one, version {} ({})",
                    version.number, current.number, current.id
                ),
            ))
        }
        _ => Ok(()),
    }
}

fn not_allowed(place: usize, event: &Event, keyspace: Keyspace) -> ItemError {
    let detail = format!(
        "items[{place}]: \"{}\" does not let outside systems write through {keyspace}; its allowed operations say so",
        event.slug()
    );
    ItemError::new(place, ItemCode::NotAllowed, detail)
}

fn invalid_fields(
    place: usize,
    event: &Event,
    version: &Version,
    errors: Vec<FieldError>,
) -> ItemError {
    let named: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    let detail = format!(
        "items[{place}].data: does not fit version {} of \"{}\": see {}",
        version.number,
        event.slug(),
        named.join(", ")
    );
    ItemError { item: place, code: ItemCode::InvalidFields, detail, errors }
}
