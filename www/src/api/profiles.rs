//! Profiles: attributes, merging, deleting, locking, and which segments one is in.

use std::collections::BTreeMap;

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use beaconry_model::attribute::AttributeVersion;
use beaconry_model::key::Use;
use beaconry_model::profile::ProfileKey;
use beaconry_store::{ProfileError, Snapshot, StoredAttribute};

use super::call::{Call, key};
use super::events::GROUP;
use super::operation::{Done, Found, Operation, with, with_raw, without};
use super::people::segment_called;
use super::problem::Problem;
use super::zone::{days_before, zone_called};

const ATTRIBUTES: &str =
    "/audience/keyspaces/{keyspace}/profiles/{key}/sections/{section}/attributes";
const ATTRIBUTE: &str =
    "/audience/keyspaces/{keyspace}/profiles/{key}/sections/{section}/attributes/{version}";

/// Values by the ids of attributes' versions.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
struct Values(Map<String, Value>);

/// One value.
#[derive(Serialize, JsonSchema)]
struct OneValue {
    /// The id of the version it was set under.
    version_id: String,
    /// The value.
    value: Value,
}

/// Profiles that are one person.
#[derive(Deserialize, JsonSchema)]
struct Merge {
    /// At most 100.
    #[schemars(length(min = 1, max = 100))]
    profiles: Vec<MergedKey>,
}

/// A key of one of them.
#[derive(Deserialize, JsonSchema)]
struct MergedKey {
    /// A keyspace's discriminator.
    keyspace_discriminator: String,
    /// A key in it.
    profile_key: String,
}

/// Segments to hold a profile against.
#[derive(Deserialize, JsonSchema)]
struct Evaluation {
    /// At most 100.
    #[schemars(length(max = 100))]
    segments: Vec<SegmentName>,
    /// A time zone's name (IANA), like `Europe/Stockholm`: the days of `last_days` are those of its calendar, back from this
    /// time of the day. Where it is not said, a day has 24 hours, as where segments are counted, listed or watched.
    #[serde(default)]
    time_zone: Option<String>,
}

/// A segment's address.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct SegmentName {
    /// Its discriminator.
    discriminator: String,
}

/// Which segments match.
#[derive(Debug, Serialize, JsonSchema)]
struct Matches {
    /// Those that the profile is in.
    matches: Vec<SegmentName>,
    /// Those that are not evaluated, because they name what is hidden or gone.
    broken: Vec<SegmentName>,
    /// Those that are not evaluated, because they name an event that outside systems may not read through this keyspace.
    forbidden: Vec<SegmentName>,
}

const NOT_DONE: (u16, &str) = (503, "Nothing was changed; try again after `Retry-After` seconds.");
const LOCKED: (u16, &str) = (409, "The person asked never to be known here.");
const NONE: (u16, &str) = (404, "There is no such profile, keyspace or section.");

pub(super) fn operations() -> Vec<Operation> {
    let of = |operation: Operation| Operation { group: GROUP, ..operation };
    vec![
        of(Operation {
            summary: "Set attributes",
            about: "A JSON Merge Patch (RFC 7396) of values by the ids of attributes' current versions; null takes a value \
                    away, by the id of any version. All of it is taken, or nothing. The profile is made where it is missing.",
            example: r#"{"6265…-7374":"Ada"}"#,
            refuses: &[LOCKED, (404, "There is no such keyspace or section."), NOT_DONE],
            ..with_raw::<Map<String, Value>, Done>(Method::PATCH, ATTRIBUTES, "setAttributes", set)
        }),
        of(Operation {
            summary: "Read attributes",
            about: "What the section knows of the profile: values by the ids of the versions they were set under.",
            refuses: &[NONE],
            ..without(Method::GET, ATTRIBUTES, "listProfileAttributes", list)
        }),
        of(Operation {
            summary: "Read one attribute",
            about: "The value of an attribute, named by the id of any of its versions.",
            refuses: &[(
                404,
                "There is no such profile, keyspace, section or attribute, or it has no value.",
            )],
            ..without(Method::GET, ATTRIBUTE, "getProfileAttribute", get)
        }),
        of(Operation {
            summary: "Clear one attribute",
            about: "Takes the value of an attribute away, named by the id of any of its versions.",
            refuses: &[NONE, LOCKED, NOT_DONE],
            ..without(Method::DELETE, ATTRIBUTE, "deleteProfileAttribute", clear)
        }),
        of(Operation {
            summary: "Merge profiles",
            about: "Makes one profile of all that have one of these keys, whatever the order; a key that nobody has is given to \
                    it. Nobody can undo it.",
            example: r#"{"profiles":[{"keyspace_discriminator":"com.apsis1.keyspaces.email","profile_key":"ada@shop.example"},{"keyspace_discriminator":"com.apsis1.keyspaces.crm-id","profile_key":"C-17"}]}"#,
            refuses: &[(404, "There is no such keyspace."), LOCKED, NOT_DONE],
            ..with(Method::PUT, "/audience/profiles/merges", "mergeProfiles", merge)
        }),
        of(Operation {
            summary: "Lock a profile",
            about: "Erases the person for good and refuses them for ever, without keeping who it was. Nobody can undo it. It needs \
                    a key for all sections.",
            refuses: &[(404, "There is no such keyspace."), NOT_DONE],
            ..without(
                Method::PUT,
                "/audience/keyspaces/{keyspace}/profiles/{key}/locks",
                "lockProfile",
                lock,
            )
        }),
        of(Operation {
            summary: "Delete a profile",
            about: "Erases the profile with its events, attributes and consents, for good. The person can come again. Of a web \
                    visitor also what is in quarantine, where they have no profile, too. It needs a key for all sections.",
            refuses: &[(404, "There is no such profile or keyspace."), NOT_DONE],
            ..without(
                Method::DELETE,
                "/audience/keyspaces/{keyspace}/profiles/{key}",
                "deleteProfile",
                delete,
            )
        }),
        of(Operation {
            summary: "Which segments match",
            about: "Holds the profile against segments of the sections that the key is for. Whether somebody is in a segment \
                    tells of the events it names, so it is said only where each of them may be read through the keyspace.",
            example: r#"{"segments":[{"discriminator":"com.beaconry.segments.…"}],"time_zone":"Europe/Stockholm"}"#,
            refuses: &[(404, "There is no such profile, keyspace or segment.")],
            ..with(
                Method::POST,
                "/audience/keyspaces/{keyspace}/profiles/{key}/evaluations",
                "evaluateSegments",
                evaluate,
            )
        }),
    ]
}

fn set(call: &Call) -> Result<Done, Problem> {
    let key = call.profile_key(Use::Write)?;
    let section = call.section(Use::Write)?;
    Handle::current().block_on(call.api.store.set_attributes(&key, &section.id, &call.body))?;
    Ok(Done)
}

fn list(call: &Call) -> Result<Found<Values>, Problem> {
    let (snapshot, stored) = stored(call)?;
    let values = stored.iter().filter_map(|stored| {
        let version = version_of(&snapshot, stored)?;
        Some((version.id.to_string(), serde_json::from_str(&stored.value).ok()?))
    });
    Ok(Found(Values(values.collect())))
}

fn get(call: &Call) -> Result<Found<OneValue>, Problem> {
    let section = call.section(Use::Read)?;
    let (snapshot, stored) = stored(call)?;
    let known = snapshot.audience().attribute_by_version(&section.id, call.part("version"));
    let found = known
        .and_then(|known| stored.iter().find(|stored| stored.attribute == known.number))
        .and_then(|stored| {
            let version_id = version_of(&snapshot, stored)?.id.to_string();
            Some(OneValue { version_id, value: serde_json::from_str(&stored.value).ok()? })
        });
    found.map(Found).ok_or_else(|| {
        let id = call.part("version");
        Problem::not_found(format!(
            "attribute: the profile has no value of one with the version \"{id:.80}\""
        ))
    })
}

/// What the section of the path knows of the profile of the path.
fn stored(call: &Call) -> Result<(std::sync::Arc<Snapshot>, Vec<StoredAttribute>), Problem> {
    let key = call.profile_key(Use::Read)?;
    let section = call.section(Use::Read)?;
    let (snapshot, reader) = (call.snapshot(), call.api.store.profiles()?);
    let profile = reader.find(&key)?.ok_or(ProfileError::NotFound)?;
    let stored = reader.attributes(&snapshot, &profile, &section.id)?;
    Ok((snapshot, stored))
}

fn version_of<'a>(
    snapshot: &'a Snapshot,
    stored: &StoredAttribute,
) -> Option<&'a AttributeVersion> {
    let mut all = snapshot.audience().all_attributes().iter();
    let known = all.find(|known| known.number == stored.attribute)?;
    known.attribute.versions.iter().find(|version| version.number == stored.version)
}

fn clear(call: &Call) -> Result<Done, Problem> {
    let key = call.profile_key(Use::Write)?;
    let section = call.section(Use::Write)?;
    let version = call.part("version");
    Handle::current().block_on(call.api.store.delete_attribute(&key, &section.id, version))?;
    Ok(Done)
}

fn merge(call: &Call, merge: Merge) -> Result<Done, Problem> {
    call.caller.may(Use::Write)?;
    let keys = merge.profiles.iter().map(|named| {
        let keyspace = call.keyspace_called(&named.keyspace_discriminator)?;
        key(keyspace, &named.profile_key)
    });
    let keys = keys.collect::<Result<Vec<ProfileKey>, Problem>>()?;
    Handle::current().block_on(call.api.store.merge_profiles(keys))?;
    Ok(Done)
}

fn lock(call: &Call) -> Result<Done, Problem> {
    erase(call, true)
}

fn delete(call: &Call) -> Result<Done, Problem> {
    erase(call, false)
}

/// What is erased is erased in every section, so whoever asks must be trusted with all of them.
fn erase(call: &Call, lock: bool) -> Result<Done, Problem> {
    let key = call.profile_key(Use::Write)?;
    if !call.caller.covers_all() {
        return Err(Problem::forbidden(
            "a profile is erased in all sections, and the API key is for some; make one for all of them in the settings",
        ));
    }
    call.api.store.erase(&key, lock, &call.caller.actor())?;
    Ok(Done)
}

fn evaluate(call: &Call, asked: Evaluation) -> Result<Found<Matches>, Problem> {
    const MOST: usize = 100;
    let key = call.profile_key(Use::Read)?;
    if asked.segments.len() > MOST {
        let detail = format!("segments: expected at most {MOST}, got {}", asked.segments.len());
        return Err(Problem::bad_request("invalid", detail));
    }
    let zone = asked.time_zone.as_deref().map(zone_called).transpose()?;
    let reader = call.profiles_now()?;
    let profile = reader.find(&key)?.ok_or(ProfileError::NotFound)?;
    let mut matches = Matches { matches: Vec::new(), broken: Vec::new(), forbidden: Vec::new() };
    // Each once, however often it is asked for.
    let asked: BTreeMap<String, ()> =
        asked.segments.into_iter().map(|segment| (segment.discriminator, ())).collect();
    for discriminator in asked.into_keys() {
        let (snapshot, mut segment) = segment_called(call, &discriminator)?;
        if let Some(zone) = &zone {
            segment.condition.by_calendar(&|days| days_before(zone, call.now, days));
        }
        let (section, condition) = (&segment.section, &segment.condition);
        if snapshot.forbids(condition, key.keyspace()).is_some() {
            matches.forbidden.push(SegmentName { discriminator });
            continue;
        }
        match reader.fits(&snapshot, section, condition, &profile, call.now) {
            Ok(true) => matches.matches.push(SegmentName { discriminator }),
            Ok(false) => {}
            Err(beaconry_store::StoreError::Broken { .. }) => {
                matches.broken.push(SegmentName { discriminator });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Found(matches))
}
