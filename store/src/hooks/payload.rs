//! The body of a post, made when it is sent: what the event, the profile and the definitions are by then.

use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value, json, value::RawValue};

use beaconry_model::event::Event;
use beaconry_model::event_id::EventId;
use beaconry_model::profile::{Keyspace, ProfileId, ProfileKey};
use beaconry_model::segment::Segment;
use beaconry_model::time::Timestamp;
use beaconry_model::webhook::Webhook;

use super::known::KnownWebhook;
use super::queue::Kind;
use crate::error::StoreError;
use crate::log;
use crate::profiles::{self, Slot};
use crate::quarantine;
use crate::snapshot::{Known, Snapshot};

/// What waits, as its row has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) number: i64,
    pub(super) id: EventId,
    pub(super) lane: super::queue::Lane,
    pub(super) kind: Kind,
    pub(super) place: i64,
    pub(super) made: Timestamp,
}

/// What a body is made from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) events: &'a Connection,
    pub(super) profiles: &'a Connection,
    /// The database of the queue, for what waits in it.
    pub(super) queue: Option<&'a Connection>,
}

/// The body; `None` where there is nothing to send any more: it was erased, has outlived its retention, or is of what was
/// hidden, or none of the webhook's keyspaces may read it any more.
pub(super) fn body(
    sources: &Sources,
    known: &KnownWebhook,
    waiting: &Waiting,
) -> Result<Option<String>, StoreError> {
    let told = match waiting.kind {
        Kind::Event => event(sources, &known.hook, waiting.place)?,
        Kind::Rejected => rejected(sources, &known.hook, waiting.place)?,
        Kind::Entered | Kind::Left => segment(sources, &known.hook, waiting)?,
    };
    let whole = |told| whole(&waiting.id.to_string(), waiting.made, &known.hook, told);
    Ok(told.map(|told| whole(told).to_string()))
}

/// What is posted of what is told.
pub(super) fn whole(id: &str, made: Timestamp, hook: &Webhook, told: Told) -> Value {
    let (topic, name, about, keys) = told;
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(id));
    body.insert("type".to_owned(), json!(topic));
    body.insert("created_at".to_owned(), json!(made));
    body.insert("section_discriminator".to_owned(), json!(hook.section));
    body.insert("profile".to_owned(), json!({ "keys": keys }));
    body.insert(name.to_owned(), about);
    Value::Object(body)
}

/// The topic, the name of the member that tells it, what it tells, and the keys of whom it tells.
pub(super) type Told = (&'static str, &'static str, Value, Vec<Value>);

pub(super) fn event(
    sources: &Sources,
    hook: &Webhook,
    seq: i64,
) -> Result<Option<Told>, StoreError> {
    let Some(stored) = log::find(sources.events, seq)? else { return Ok(None) };
    let Some(of) = heard(sources.snapshot, hook, stored.event) else { return Ok(None) };
    let keyspaces = readable(hook, &of.event);
    let version = of.event.versions().get(stored.version);
    let Some(version) = version.filter(|_| !keyspaces.is_empty()) else { return Ok(None) };
    let data: Value = serde_json::from_str(&stored.data).unwrap_or_default();
    let about = json!({
        "id": stored.id.to_string(),
        "discriminator": of.event.discriminator(),
        "name": of.event.name(),
        "version_id": version.id,
        "version": version.number,
        "event_time": stored.time,
        "received_at": stored.received,
        "data": data,
    });
    let slot = match (stored.profile, &stored.visitor) {
        (Some(id), _) => profiles::slot_by_id(sources.profiles, id)?,
        (None, Some(visitor)) => visitor_slot(sources.profiles, visitor)?,
        (None, None) => None,
    };
    Ok(Some(("event.received", "event", about, keys(sources.profiles, slot, &keyspaces)?)))
}

pub(super) fn rejected(
    sources: &Sources,
    hook: &Webhook,
    number: i64,
) -> Result<Option<Told>, StoreError> {
    let Some(found) = quarantine::find(sources.events, number)? else { return Ok(None) };
    let Some(of) = heard(sources.snapshot, hook, found.event) else { return Ok(None) };
    let keyspaces = readable(hook, &of.event);
    if keyspaces.is_empty() {
        return Ok(None);
    }
    let (facts, rejection) = (&found.kept.facts, &found.kept.rejection);
    let errors = rejection.errors.iter().map(|error| {
        let detail = format!("expected {}, got {}", error.expected, error.got);
        json!({ "field": error.field, "code": error.code.code(), "detail": detail })
    });
    let about = json!({
        "number": found.number,
        "id": facts.id.to_string(),
        "discriminator": of.event.discriminator(),
        "name": of.event.name(),
        "version": facts.ver,
        "event_time": facts.time,
        "received_at": facts.received,
        "url": facts.url,
        "code": rejection.code.as_str(),
        "detail": rejection.detail,
        "errors": errors.collect::<Vec<_>>(),
        "data": raw_data(&found.kept.raw),
    });
    let slot = match &facts.visitor {
        Some(visitor) => visitor_slot(sources.profiles, visitor)?,
        None => None,
    };
    Ok(Some(("beacon.rejected", "beacon", about, keys(sources.profiles, slot, &keyspaces)?)))
}

/// The data of a beacon as it came; as text, where it is no JSON of an event's shape.
fn raw_data(raw: &str) -> Value {
    let members: Result<std::collections::BTreeMap<String, &RawValue>, _> =
        serde_json::from_str(raw);
    let data = members.ok().and_then(|members| members.get("data").map(|data| data.get()));
    data.and_then(|data| serde_json::from_str(data).ok()).unwrap_or_else(|| json!(raw))
}

fn segment(
    sources: &Sources,
    hook: &Webhook,
    waiting: &Waiting,
) -> Result<Option<Told>, StoreError> {
    let Some(queue) = sources.queue else { return Ok(None) };
    let named: Option<String> = queue
        .prepare_cached("SELECT segment FROM watches WHERE number = ?")?
        .query_row([waiting.place], |row| row.get(0))
        .optional()?;
    let segment = named.and_then(|named| sources.snapshot.segment_of(&hook.section, &named));
    let slot = profiles::slot_by_id(sources.profiles, ProfileId(waiting.lane.0))?;
    let (Some(segment), Some(slot)) = (segment, slot) else { return Ok(None) };
    let topic = if waiting.kind == Kind::Entered { "segment.entered" } else { "segment.left" };
    moved(sources, hook, segment, slot, (topic, waiting.made))
}

/// Somebody entered or left a segment.
pub(super) fn moved(
    sources: &Sources,
    hook: &Webhook,
    segment: &Segment,
    slot: Slot,
    (topic, at): (&'static str, Timestamp),
) -> Result<Option<Told>, StoreError> {
    let keyspaces = readable_segment(sources.snapshot, hook, segment);
    if keyspaces.is_empty() {
        return Ok(None);
    }
    let about = json!({
        "discriminator": segment.discriminator,
        "name": segment.name,
        "at": at,
    });
    Ok(Some((topic, "segment", about, keys(sources.profiles, Some(slot), &keyspaces)?)))
}

/// The event of this number, where the webhook may hear of it.
pub(super) fn heard<'a>(
    snapshot: &'a Snapshot,
    hook: &Webhook,
    number: crate::snapshot::EventNo,
) -> Option<&'a Known> {
    let of = snapshot.by_number(number)?;
    let here = *of.event.section() == hook.section && of.event.hidden_at().is_none();
    here.then_some(of.as_ref())
}

/// The keyspaces of a webhook through which this event may be read.
pub(super) fn readable(hook: &Webhook, event: &Event) -> Vec<Keyspace> {
    let mut keyspaces = hook.keyspaces.clone();
    keyspaces.retain(|keyspace| event.allowed().through(*keyspace).read);
    keyspaces
}

/// The keyspaces of a webhook through which it may be told who is in a segment.
pub(super) fn readable_segment(
    snapshot: &Snapshot,
    hook: &Webhook,
    segment: &Segment,
) -> Vec<Keyspace> {
    let mut keyspaces = hook.keyspaces.clone();
    keyspaces.retain(|keyspace| snapshot.forbids(&segment.condition, *keyspace).is_none());
    keyspaces
}

fn visitor_slot(profiles: &Connection, visitor: &str) -> Result<Option<Slot>, StoreError> {
    let Ok(key) = ProfileKey::new(Keyspace::Web, visitor) else { return Ok(None) };
    Ok(profiles::slot_by_key(profiles, &key)?)
}

/// The keys that may be told.
fn keys(
    profiles: &Connection,
    slot: Option<Slot>,
    keyspaces: &[Keyspace],
) -> Result<Vec<Value>, StoreError> {
    let Some(slot) = slot else { return Ok(Vec::new()) };
    let mut all = profiles::keys_of(profiles, slot)?;
    all.retain(|key| keyspaces.contains(&key.keyspace()));
    let told = all.iter().map(|key| {
        json!({
            "keyspace_discriminator": key.keyspace().discriminator(),
            "profile_key": key.as_str(),
        })
    });
    Ok(told.collect())
}
