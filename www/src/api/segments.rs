//! Segments made and looked into by API: what people do in the console, with a personal token.

use axum::http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use beaconry_model::key::Use;
use beaconry_model::names::Name;
use beaconry_model::segment::{Condition, Segment};
use beaconry_store::{Profile, bytes};

use super::call::Call;
use super::caller::Needs;
use super::operation::{Created, Done, Found, Kind, Operation, Parameter, with, without};
use super::people::{SegmentItem, segment_called, segment_item};
use super::problem::Problem;
use super::v1::GROUP;

/// A segment to be made, or as it is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewSegment {
    /// What people call it.
    name: String,
    /// What a profile must be like.
    condition: Value,
}

/// A condition to try.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Trial {
    /// What a profile must be like.
    condition: Value,
}

/// How many profiles fit.
#[derive(Debug, Serialize, JsonSchema)]
struct Count {
    /// How many.
    count: u64,
    /// Of how many.
    of: u64,
    /// Some of them.
    sample: Vec<ProfileItem>,
}

/// Some members of a segment.
#[derive(Debug, Serialize, JsonSchema)]
struct MemberPage {
    /// Each of them, in the order they were made.
    items: Vec<ProfileItem>,
    /// What to give as `after` for the next page; null where there is none.
    next: Option<i64>,
}

/// A profile without what hangs on it.
#[derive(Debug, Serialize, JsonSchema)]
struct ProfileItem {
    /// Its id.
    id: String,
    /// When it was first seen, or made.
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// Its email addresses, mobile numbers and CRM ids, as far as every event that the condition names may be read through
    /// them.
    keys: Vec<KeyItem>,
}

/// One key of a profile.
#[derive(Debug, Serialize, JsonSchema)]
struct KeyItem {
    /// The keyspace.
    keyspace_discriminator: String,
    /// The key.
    profile_key: String,
}

pub(super) fn operations() -> Vec<Operation> {
    const NO_SEGMENT: (u16, &str) = (404, "There is no such segment.");
    const NO_SECTION: (u16, &str) = (404, "There is no such section.");
    const BROKEN: (u16, &str) = (409, "It names what is hidden or gone, so it is not evaluated.");
    let people =
        |operation: Operation| Operation { group: GROUP, needs: Needs::Person, ..operation };
    vec![
        people(Operation {
            summary: "Make a segment",
            about: "A named condition on events, attributes and consents of one section, joined by `all`, `any` and `not`.",
            example: r#"{"name":"Bought lately","condition":{"event":{"event":"com.beaconry.events.…","period":{"last_days":30}}}}"#,
            refuses: &[NO_SECTION],
            ..with(Method::POST, "/v1/sections/{section}/segments", "createSegment", create)
        }),
        people(Operation {
            summary: "Try a condition",
            about: "How many profiles fit, with some of them.",
            example: r#"{"condition":{"all":[]}}"#,
            refuses: &[NO_SECTION, BROKEN],
            ..with(Method::POST, "/v1/sections/{section}/segments/count", "countSegment", count)
        }),
        people(Operation {
            summary: "Change a segment",
            about: "Its name and its condition.",
            refuses: &[NO_SEGMENT],
            ..with(Method::PUT, "/v1/segments/{segment}", "changeSegment", change)
        }),
        people(Operation {
            summary: "Delete a segment",
            about: "The segment is gone; its members stay as they are.",
            refuses: &[NO_SEGMENT],
            ..without(Method::DELETE, "/v1/segments/{segment}", "deleteSegment", delete)
        }),
        people(Operation {
            summary: "Members of a segment",
            about: "The profiles in a segment, at most 500 a page.",
            query: &[Parameter {
                name: "after",
                about: "The `next` of the page before.",
                kind: Kind::Number(0, i64::MAX),
            }],
            refuses: &[NO_SEGMENT, BROKEN],
            ..without(Method::GET, "/v1/segments/{segment}/members", "listMembers", members)
        }),
    ]
}

fn create(call: &Call, new: NewSegment) -> Result<Created<SegmentItem>, Problem> {
    let section = call.section(Use::Write)?;
    let (name, condition) = new.read()?;
    let random = bytes().map_err(|error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", format!("random bytes: {error}"))
    })?;
    let segment = Segment::create(section.id.clone(), name, condition, random, call.now)
        .map_err(beaconry_store::StoreError::from)?;
    let store = &call.api.store;
    store.registry().add_segment(&segment, &call.caller.actor(), call.now)?;
    store.reload()?;
    Ok(Created(segment_item(&call.snapshot(), &segment)))
}

fn change(call: &Call, new: NewSegment) -> Result<Found<SegmentItem>, Problem> {
    let (_, segment) = segment_called(call, call.part("segment"))?;
    let (name, condition) = new.read()?;
    let store = &call.api.store;
    let actor = call.caller.actor();
    let changed =
        store.registry().change_segment(&segment.discriminator, &actor, call.now, |segment| {
            condition.check()?;
            (segment.name, segment.condition) = (name, condition);
            Ok(())
        })?;
    store.reload()?;
    Ok(Found(segment_item(&call.snapshot(), &changed)))
}

fn delete(call: &Call) -> Result<Done, Problem> {
    let (_, segment) = segment_called(call, call.part("segment"))?;
    let store = &call.api.store;
    store.registry().delete_segment(&segment.discriminator, &call.caller.actor(), call.now)?;
    store.reload()?;
    Ok(Done)
}

fn count(call: &Call, trial: Trial) -> Result<Found<Count>, Problem> {
    let section = call.section(Use::Read)?;
    let condition = condition(trial.condition)?;
    let (snapshot, reader) = (call.snapshot(), call.profiles_now()?);
    let counted = reader.count_segment(&snapshot, &section.id, &condition, call.now)?;
    let carried = snapshot.carried(&condition);
    let sample = counted.sample.into_iter().map(|one| profile_item(one.carrying(&carried)));
    let sample = sample.collect();
    Ok(Found(Count { count: counted.count, of: counted.of, sample }))
}

fn members(call: &Call) -> Result<Found<MemberPage>, Problem> {
    let (snapshot, segment) = segment_called(call, call.part("segment"))?;
    let after = call.number("after", 0, i64::MAX, 0)?;
    let reader = call.profiles_now()?;
    let page = reader.members(&snapshot, &segment.section, &segment.condition, after, call.now)?;
    let carried = snapshot.carried(&segment.condition);
    let items = page.members.into_iter().map(|one| profile_item(one.carrying(&carried)));
    Ok(Found(MemberPage { items: items.collect(), next: page.next }))
}

impl NewSegment {
    fn read(self) -> Result<(Name, Condition), Problem> {
        let name = Name::try_from(self.name)
            .map_err(|invalid| Problem::bad_request("invalid", invalid.to_string()))?;
        Ok((name, condition(self.condition)?))
    }
}

fn condition(value: Value) -> Result<Condition, Problem> {
    let condition: Condition = serde_json::from_value(value)
        .map_err(|error| Problem::bad_request("invalid", format!("condition: {error}")))?;
    condition.check().map_err(|invalid| Problem::bad_request("invalid", invalid.to_string()))?;
    Ok(condition)
}

fn profile_item(profile: Profile) -> ProfileItem {
    let keys = profile.keys.iter().map(|key| KeyItem {
        keyspace_discriminator: key.keyspace().discriminator().to_owned(),
        profile_key: key.as_str().to_owned(),
    });
    ProfileItem {
        id: profile.id.to_string(),
        created_at: profile.created.to_string(),
        keys: keys.collect(),
    }
}
