//! What outside systems need to know before they post: keyspaces, channels, sections, and events with their versions.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Serialize;

use beaconry_model::consent::Channel;
use beaconry_model::event::{Access, Event};
use beaconry_model::fields::Field;
use beaconry_model::profile::Keyspace;
use beaconry_model::time::Timestamp;
use beaconry_model::version::Version;

use super::call::Call;
use super::caller::Needs;
use super::operation::{Found, Operation, without};
use super::problem::Problem;

/// A list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub(super) struct Items<T> {
    /// Each of them.
    pub(super) items: Vec<T>,
}

/// Something with an address and a name.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Named {
    /// Its address for good.
    pub(super) discriminator: String,
    /// What people call it.
    pub(super) name: String,
}

/// An event with the versions that can be posted, or could.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct EventItem {
    /// Its address for good.
    pub(super) discriminator: String,
    /// What people call it.
    pub(super) name: String,
    /// What it is for.
    pub(super) description: String,
    /// Its folder: `transactions`, `conversions` or `signals`.
    pub(super) category: String,
    /// What pages call it.
    pub(super) slug: String,
    /// What outside systems may do through each identifier.
    pub(super) allowed_operations: Allowed,
    /// Its versions, oldest first. Post with the one whose `deprecated_at` is null: there is always one.
    pub(super) versions: Vec<VersionItem>,
    /// The version that was saved less than an hour ago and cannot be used yet.
    pub(super) pending_version: Option<VersionItem>,
}

/// What outside systems may do through each identifier.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Allowed {
    email: Uses,
    mobile: Uses,
    crm_id: Uses,
}

/// What outside systems may do through one identifier.
#[derive(Debug, Serialize, JsonSchema)]
struct Uses {
    read: bool,
    write: bool,
}

/// One version of an event.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct VersionItem {
    /// What a post names as `version_id`.
    id: String,
    /// 1, 2, 3 …
    number: u32,
    /// From when it can be used.
    #[schemars(extend("format" = "date-time"))]
    usable_from: String,
    /// Since when it is replaced; null where it is not.
    #[schemars(extend("format" = "date-time"))]
    deprecated_at: Option<String>,
    /// What it asks of data.
    fields: Vec<FieldItem>,
}

/// One typed field.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FieldItem {
    /// Its name.
    name: String,
    /// Its type: `text`, `bool`, `date` (`YYYY-MM-DD`), `timestamp` (RFC 3339 with offset), `number` (an integer) or
    /// `decimal`.
    #[serde(rename = "type")]
    kind: String,
    /// Whether a value must be there.
    required: bool,
    /// The longest text, in Unicode code points.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<u32>,
    /// The lowest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    /// The highest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
    /// The only values allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed: Vec<String>,
}

pub(super) const GROUP: &str = "Definitions";

pub(super) fn operations() -> Vec<Operation> {
    const NO_SECTION: &[(u16, &str)] = &[(404, "There is no such section.")];
    let lists =
        |operation: Operation| Operation { group: GROUP, needs: Needs::KeyOrPerson, ..operation };
    vec![
        lists(Operation {
            summary: "Keyspaces",
            about: "The spaces of keys by which profiles are named, as far as the API key is for them.",
            ..without(Method::GET, "/audience/keyspaces", "listKeyspaces", keyspaces)
        }),
        lists(Operation {
            summary: "Channels",
            about: "The ways to reach people. Consents are given for an address of a channel.",
            ..without(Method::GET, "/audience/channels", "listChannels", channels)
        }),
        lists(Operation {
            summary: "Sections",
            about: "The sections that the API key is for.",
            ..without(Method::GET, "/audience/sections", "listSections", sections)
        }),
        lists(Operation {
            summary: "Events of a section",
            about: "Every event that is not hidden, with its versions and their fields. Post with the version whose \
                    `deprecated_at` is null.",
            refuses: NO_SECTION,
            ..without(Method::GET, "/audience/sections/{section}/events", "listEvents", events)
        }),
    ]
}

fn keyspaces(call: &Call) -> Result<Found<Items<Named>>, Problem> {
    let reached = Keyspace::ALL.into_iter().filter(|keyspace| call.caller.reaches(*keyspace));
    let items = reached.map(|keyspace| Named {
        discriminator: keyspace.discriminator().to_owned(),
        name: keyspace.label().to_owned(),
    });
    Ok(Found(Items { items: items.collect() }))
}

fn channels(_: &Call) -> Result<Found<Items<Named>>, Problem> {
    let items = Channel::ALL.into_iter().map(|channel| Named {
        discriminator: channel.discriminator().to_owned(),
        name: channel.word().to_owned(),
    });
    Ok(Found(Items { items: items.collect() }))
}

fn sections(call: &Call) -> Result<Found<Items<Named>>, Problem> {
    let snapshot = call.snapshot();
    let covered = snapshot.sections().iter().filter(|section| call.caller.covers(&section.id));
    let items = covered.map(|section| Named {
        discriminator: section.id.to_string(),
        name: section.name.to_string(),
    });
    Ok(Found(Items { items: items.collect() }))
}

fn events(call: &Call) -> Result<Found<Items<EventItem>>, Problem> {
    // Whoever may only write must know what to write.
    let section = call.section_called(call.part("section"))?;
    let snapshot = call.snapshot();
    let events = snapshot.visible_events().filter(|known| *known.event.section() == section.id);
    Ok(Found(Items { items: events.map(|known| event_item(&known.event, call.now)).collect() }))
}

pub(super) fn event_item(event: &Event, now: Timestamp) -> EventItem {
    let versions = event.versions();
    let pending = versions.pending(now);
    let usable = versions.iter().filter(|version| version.usable_from() <= now);
    EventItem {
        discriminator: event.discriminator().to_string(),
        name: event.name().to_string(),
        description: event.description().as_str().to_owned(),
        category: event.category().word().to_owned(),
        slug: event.slug().to_string(),
        allowed_operations: Allowed {
            email: uses(event.allowed().email),
            mobile: uses(event.allowed().mobile),
            crm_id: uses(event.allowed().crm_id),
        },
        versions: usable.map(|version| version_item(event, version, now)).collect(),
        pending_version: pending.map(|version| version_item(event, version, now)),
    }
}

fn uses(access: Access) -> Uses {
    Uses { read: access.read, write: access.write }
}

fn version_item(event: &Event, version: &Version, now: Timestamp) -> VersionItem {
    VersionItem {
        id: version.id.to_string(),
        number: version.number,
        usable_from: version.usable_from().to_string(),
        deprecated_at: event.versions().deprecated_at(version, now).map(|at| at.to_string()),
        fields: version.fields.iter().map(field_item).collect(),
    }
}

pub(super) fn field_item(field: &Field) -> FieldItem {
    let limits = field.limits();
    FieldItem {
        name: field.name().to_string(),
        kind: field.kind().word().to_owned(),
        required: field.required(),
        max_length: limits.max_length,
        min: limits.min,
        max: limits.max,
        allowed: limits.allowed.clone(),
    }
}

#[cfg(test)]
mod tests {
    use beaconry_model::category::Category;
    use beaconry_model::event::{Description, EventSeed, NewEvent};
    use beaconry_model::fields::Fields;
    use beaconry_model::names::{Name, SectionId};
    use beaconry_model::retention::Retention;
    use beaconry_model::time::HOUR_MS;

    use super::*;

    const NOON: Timestamp = Timestamp(1_795_435_200_000);

    #[test]
    fn one_version_can_be_posted_with_at_every_moment() {
        let name = Name::try_from("Order placed".to_owned()).unwrap();
        let fields = |field: &str| Fields::with_source(vec![Field::parse(field).unwrap()]).unwrap();
        let new = NewEvent {
            section: SectionId::new(&name, [0; 10]).unwrap(),
            category: Category::Signals,
            name,
            description: Description::default(),
            retention: Retention::Forever,
            fields: fields("a:text"),
        };
        let seed = EventSeed { discriminator: [1; 10], key: [2; 16], version: [3; 16] };
        let mut event = Event::create(new, seed, NOON).unwrap();
        event.edit(fields("b:text"), [4; 16], NOON).unwrap();
        let current = |item: &EventItem| -> Vec<u32> {
            let open = item.versions.iter().filter(|version| version.deprecated_at.is_none());
            open.map(|version| version.number).collect()
        };
        let before = event_item(&event, NOON.plus(HOUR_MS - 1));
        assert_eq!((current(&before), before.versions.len()), (vec![1], 1));
        assert_eq!(before.pending_version.map(|version| version.number), Some(2));
        let after = event_item(&event, NOON.plus(HOUR_MS));
        assert_eq!((current(&after), after.versions.len()), (vec![2], 2));
        assert!(after.pending_version.is_none());
        assert_eq!(after.versions[0].deprecated_at.as_deref(), Some("2026-11-23T13:00:00.000Z"));
    }
}
