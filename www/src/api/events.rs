//! Events of a profile: posting them, and reading the timeline.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use beaconry_model::key::Use;
use beaconry_model::time::Timestamp;
use beaconry_store::{Posting, Snapshot, StoredEvent, TimelineQuery};

use super::call::Call;
use super::operation::{Created, Found, Kind, Operation, Parameter, with_raw, without};
use super::problem::Problem;

pub(super) const GROUP: &str = "Profiles";
const PATH: &str = "/audience/keyspaces/{keyspace}/profiles/{key}/sections/{section}/events";

/// Events to post: all of them, or none.
#[derive(JsonSchema)]
#[schemars(rename = "EventPost")]
#[expect(dead_code, reason = "it says of what form the body is, which the store reads itself")]
struct Post {
    /// At least one.
    #[schemars(length(min = 1))]
    items: Vec<PostItem>,
}

/// One event to post.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it says of what form the body is, which the store reads itself")]
struct PostItem {
    /// What makes a second try of this item known as one: another id for each event of this kind that the profile has.
    #[schemars(length(min = 1, max = 200))]
    id: Option<String>,
    /// When it happened (RFC 3339); when it arrives, where that is not said.
    event_time: Option<String>,
    /// The id of the event's current version.
    version_id: String,
    /// Values by the names of the version's fields. `source` must be among them.
    data: Map<String, Value>,
}

/// What became of a post.
#[derive(Debug, Serialize, JsonSchema)]
struct PostAnswer {
    /// How many events were stored by it.
    stored: usize,
    /// How many were there before, because somebody tried again.
    duplicates: usize,
}

/// Events of a profile, newest first.
#[derive(Debug, Serialize, JsonSchema)]
struct Timeline {
    /// Each of them.
    items: Vec<TimelineItem>,
    /// What to give as `before` for the next page; null where there is none.
    next: Option<String>,
}

/// One event of a profile.
#[derive(Debug, Serialize, JsonSchema)]
struct TimelineItem {
    /// Its id.
    id: String,
    /// When it happened.
    #[schemars(extend("format" = "date-time"))]
    event_time: String,
    /// When it arrived.
    #[schemars(extend("format" = "date-time"))]
    received_at: String,
    /// The event's address.
    discriminator: String,
    /// The id of the version it came under.
    version_id: String,
    /// Values by the names of that version's fields.
    data: Map<String, Value>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation {
            group: GROUP,
            summary: "Post events",
            about: "Posts events to a profile that is there; an attribute or a merge makes one that is not. All items are \
                    taken, or none, and the answer comes when they are on disk. An `id` in an item, or an \
                    `Idempotency-Key`, makes it safe to try again: what was stored before counts among `duplicates`, even \
                    where its version is deprecated or its event hidden by now. An `id` names one event of its definition \
                    and profile; the first that came with it stays. An `Idempotency-Key` names one body for the profile.",
            headers: &[Parameter {
                name: "Idempotency-Key",
                about: "The same for each try of one request.",
                kind: Kind::Text(200),
            }],
            example: r#"{"items":[{"event_time":"2026-11-23T12:00:00Z","version_id":"…","data":{"source":"ERP","orderid":"A-1"}}]}"#,
            refuses: &[
                (
                    400,
                    "An item is wrong, or has the id of another item for the same event; `errors` names item and field. A deprecated version is refused, naming the current one, unless the event accepts old ones; so is a pending one.",
                ),
                (
                    403,
                    "The key is not for this, or the event's allowed operations let nobody write through this keyspace.",
                ),
                (404, "There is no such profile, keyspace or section."),
                (
                    409,
                    "The person asked never to be known here, or the `Idempotency-Key` came before with another body (`idempotency_key_reused`).",
                ),
                (503, "Nothing was stored; try again after `Retry-After` seconds."),
            ],
            ..with_raw::<Post, Created<PostAnswer>>(Method::POST, PATH, "postEvents", post)
        },
        Operation {
            group: GROUP,
            summary: "Read a profile's events",
            about: "The newest first. Events that outside systems may not read through this keyspace are left out, and so are \
                    hidden ones.",
            query: &[
                Parameter {
                    name: "limit",
                    about: "How many at the most; 100, where it is not said.",
                    kind: Kind::Number(1, 1_000),
                },
                Parameter {
                    name: "before",
                    about: "The `next` of the page before.",
                    kind: Kind::Text(60),
                },
                Parameter {
                    name: "event",
                    about: "Only this event, by its discriminator.",
                    kind: Kind::Text(200),
                },
                Parameter {
                    name: "from",
                    about: "Only what happened at this moment or later (RFC 3339).",
                    kind: Kind::Text(40),
                },
            ],
            refuses: &[(404, "There is no such profile, keyspace, section or event.")],
            ..without(Method::GET, PATH, "listProfileEvents", list)
        },
    ]
}

fn post(call: &Call) -> Result<Created<PostAnswer>, Problem> {
    let key = call.profile_key(Use::Write)?;
    let section = call.section(Use::Write)?;
    let posting = Posting {
        section: section.id.as_str(),
        key: &key,
        body: &call.body,
        idempotency_key: idempotency_key(call)?,
    };
    let posted = Handle::current().block_on(call.api.store.post_events(posting))?;
    Ok(Created(PostAnswer { stored: posted.stored, duplicates: posted.duplicates }))
}

fn idempotency_key(call: &Call) -> Result<Option<&str>, Problem> {
    let Some(value) = call.headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(text) if (1..=200).contains(&text.len()) => Ok(Some(text)),
        _ => Err(Problem::bad_request(
            "invalid",
            "Idempotency-Key: expected 1 to 200 visible ASCII characters",
        )),
    }
}

fn list(call: &Call) -> Result<Found<Timeline>, Problem> {
    let key = call.profile_key(Use::Read)?;
    let section = call.section(Use::Read)?;
    let limit = call.number("limit", 1, 1_000, 100)?;
    let before = call.asked("before").map(place).transpose()?;
    let from = call.asked("from").map(moment).transpose()?;
    let snapshot = call.snapshot();
    let event = call
        .asked("event")
        .map(|address| {
            let known = snapshot.visible_events().find(|known| {
                known.event.discriminator().as_str() == address
                    && *known.event.section() == section.id
            });
            known.map(|known| known.number).ok_or_else(|| {
                Problem::not_found(format!("event: the section has none called \"{address:.200}\""))
            })
        })
        .transpose()?;
    let reader = call.profiles_now()?;
    let profile = reader.find(&key)?.ok_or(beaconry_store::ProfileError::NotFound)?;
    let query = TimelineQuery {
        section: Some(&section.id),
        through: Some(key.keyspace()),
        event,
        from,
        before,
        limit,
    };
    let events = reader.timeline(&snapshot, &profile, &query)?;
    let next = events.last().filter(|_| events.len() == limit);
    let next = next.map(|last| format!("{}.{}", last.time.0, last.seq));
    let items = events.iter().filter_map(|event| item(&snapshot, event)).collect();
    Ok(Found(Timeline { items, next }))
}

fn item(snapshot: &Snapshot, stored: &StoredEvent) -> Option<TimelineItem> {
    let event = &snapshot.by_number(stored.event)?.event;
    Some(TimelineItem {
        id: stored.id.to_string(),
        event_time: stored.time.to_string(),
        received_at: stored.received.to_string(),
        discriminator: event.discriminator().to_string(),
        version_id: event.versions().get(stored.version)?.id.to_string(),
        data: serde_json::from_str(&stored.data).ok()?,
    })
}

/// A place of the timeline, as `next` gave it.
fn place(text: &str) -> Result<(Timestamp, i64), Problem> {
    let read = text
        .split_once('.')
        .and_then(|(time, seq)| Some((Timestamp(time.parse().ok()?), seq.parse().ok()?)));
    read.ok_or_else(|| {
        let detail = format!("before: expected the \"next\" of the page before, got {text:?}");
        Problem::bad_request("invalid", detail)
    })
}

fn moment(text: &str) -> Result<Timestamp, Problem> {
    text.parse()
        .map_err(|error| Problem::bad_request("invalid", format!("from: {error}, got {text:?}")))
}
