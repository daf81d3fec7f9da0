//! What is changed of profiles, as it is checked before, and made within one transaction.

use serde_json::value::RawValue;
use std::collections::BTreeMap;

use rusqlite::Connection;

use beaconry_model::attribute::Attribute;
use beaconry_model::consent::{Channel, ConsentList, ConsentType, Topic};
use beaconry_model::error::Invalid;
use beaconry_model::names::SectionId;
use beaconry_model::profile::ProfileKey;
use beaconry_model::time::Timestamp;

use super::attributes::{self, Place};
use super::consents::{self, StoredConsent};
use super::error::ProfileError;
use super::locks::Locks;
use super::slots::{self, Slot};
use crate::audience::KnownAttribute;
use crate::error::StoreError;
use crate::snapshot::Snapshot;

/// The most attributes one request may set.
const MAX_VALUES: usize = 200;
/// The most profiles one request may merge.
const MAX_MERGED: usize = 100;

/// One attribute to set, checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NewValue {
    place: Place,
    version: u32,
    /// JSON; `None` takes the value away.
    value: Option<String>,
}

/// Reads a JSON Merge Patch of attributes by the ids of their versions, all of it or nothing.
pub(super) fn patch(
    snapshot: &Snapshot,
    section: &SectionId,
    body: &[u8],
) -> Result<Vec<NewValue>, ProfileError> {
    let shape = |why: String| {
        ProfileError::Body(format!(
            "body: expected an object of values by the ids of attributes' versions, got {why}"
        ))
    };
    let members: BTreeMap<String, &RawValue> =
        serde_json::from_slice(body).map_err(|error| shape(error.to_string()))?;
    if members.len() > MAX_VALUES {
        return Err(shape(format!("{} of them, of {MAX_VALUES} at the most", members.len())));
    }
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for (version_id, json) in members {
        let known = by_version(snapshot, section, &version_id)?;
        // A value is read by the id it was set under, so by that it can be taken away.
        if json.get() != "null" {
            check_current(&known.attribute, &version_id)?;
        }
        match known.attribute.check(json.get()) {
            Ok(value) => values.push(new_value(snapshot, section, known, value)?),
            Err(error) => errors.push(error),
        }
    }
    // Where one attribute is named by two of its versions, the value is what stays.
    values.sort_by_key(|new| new.value.is_some());
    if errors.is_empty() { Ok(values) } else { Err(ProfileError::Values(errors)) }
}

/// The value that is to be taken away, by the id of any version of its attribute.
pub(super) fn absent(
    snapshot: &Snapshot,
    section: &SectionId,
    version_id: &str,
) -> Result<NewValue, ProfileError> {
    Ok(new_value(snapshot, section, by_version(snapshot, section, version_id)?, None)?)
}

/// The attribute that has a version with this id, deprecated or not.
fn by_version<'a>(
    snapshot: &'a Snapshot,
    section: &SectionId,
    version_id: &str,
) -> Result<&'a KnownAttribute, Invalid> {
    let expected = "the id of a version of one of the section's attributes";
    let known = snapshot.audience().attribute_by_version(section, version_id);
    known.ok_or_else(|| Invalid::new("attribute", expected, format!("{version_id:.80}")))
}

/// Refuses a deprecated version to set a value under, naming the current one.
fn check_current(attribute: &Attribute, version_id: &str) -> Result<(), Invalid> {
    let current = attribute.current();
    if current.id.as_str() == version_id {
        return Ok(());
    }
    let got = format!(
        "the deprecated version {version_id}; the current one is version {} ({})",
        current.number, current.id
    );
    let thing = format!("attribute \"{}\"", attribute.name);
    Err(Invalid::new(thing, "the id of its current version", got))
}

fn new_value(
    snapshot: &Snapshot,
    section: &SectionId,
    known: &KnownAttribute,
    value: Option<String>,
) -> Result<NewValue, StoreError> {
    let number = snapshot.section_number(section);
    let section = number
        .ok_or_else(|| StoreError::NotFound { what: "section", name: section.to_string() })?;
    let place = Place { section, attribute: known.number };
    Ok(NewValue { place, version: known.attribute.current().number, value })
}

/// Sets attributes of the profile with this key, which is made where it is missing.
pub(super) fn set(
    connection: &Connection,
    locks: &Locks,
    key: &ProfileKey,
    values: &[NewValue],
    now: Timestamp,
) -> Result<Slot, ProfileError> {
    let slot = taken_in(connection, locks, key, now)?;
    for new in values {
        attributes::set(connection, slot, new.place, new.version, new.value.as_deref(), now)?;
    }
    Ok(slot)
}

/// Takes an attribute away from a profile that must be there.
pub(super) fn take_away(
    connection: &Connection,
    key: &ProfileKey,
    gone: &NewValue,
    now: Timestamp,
) -> Result<Slot, ProfileError> {
    let slot = slots::by_key(connection, key)?.ok_or(ProfileError::NotFound)?;
    attributes::set(connection, slot, gone.place, gone.version, None, now)?;
    Ok(slot)
}

/// Whether these may be merged at all.
pub(super) fn check_merge(keys: &[ProfileKey]) -> Result<(), Invalid> {
    if keys.is_empty() || keys.len() > MAX_MERGED {
        return Err(Invalid::new("profiles", "1 to 100", keys.len().to_string()));
    }
    Ok(())
}

/// Makes one profile of all that have one of these keys.
pub(super) fn merge(
    connection: &Connection,
    locks: &Locks,
    keys: &[ProfileKey],
    now: Timestamp,
) -> Result<Slot, ProfileError> {
    if keys.iter().any(|key| locks.holds(key)) {
        return Err(ProfileError::Locked);
    }
    slots::merge(connection, keys, now)?.ok_or(ProfileError::NotFound)
}

/// A topic of a section, checked, as its list's discriminator and its own.
pub(super) fn topic(
    snapshot: &Snapshot,
    section: &SectionId,
    (list, topic): (&str, &str),
) -> Result<(String, String), ProfileError> {
    let known = consent_list(snapshot, section, list)?;
    if known.topic(topic).is_none() {
        return Err(Invalid::new("topic_discriminator", "one of the list's topics", topic).into());
    }
    Ok((list.to_owned(), topic.to_owned()))
}

/// All topics of a list, or, where none is named, of a section.
pub(super) fn topics(
    snapshot: &Snapshot,
    section: &SectionId,
    list: Option<&str>,
) -> Result<Vec<(String, String)>, ProfileError> {
    let lists = match list {
        Some(list) => vec![consent_list(snapshot, section, list)?],
        None => snapshot.audience().consent_lists(section).collect(),
    };
    let of = |list: &ConsentList| {
        let topic = |topic: &Topic| (list.discriminator.clone(), topic.discriminator.clone());
        list.topics.iter().map(topic).collect::<Vec<_>>()
    };
    Ok(lists.into_iter().flat_map(of).collect())
}

fn consent_list<'a>(
    snapshot: &'a Snapshot,
    section: &SectionId,
    list: &str,
) -> Result<&'a ConsentList, Invalid> {
    let expected = "one of the section's consent lists";
    let known = snapshot.audience().consent_list(section, list);
    known.ok_or_else(|| Invalid::new("consent_list_discriminator", expected, list))
}

/// What an address says of topics: the key it is, and a consent for each.
pub(super) fn consents(
    (channel, address): (Channel, &str),
    topics: Vec<(String, String)>,
    (said, at): (ConsentType, Timestamp),
) -> Result<(ProfileKey, Vec<StoredConsent>), Invalid> {
    let key = ProfileKey::new(channel.keyspace(), address)?;
    let consent = |(list, topic)| {
        let address = key.as_str().to_owned();
        StoredConsent { channel, address, list, topic, said, at }
    };
    let consents = topics.into_iter().map(consent).collect();
    Ok((key, consents))
}

/// Notes consents of a profile that must be there.
pub(super) fn say(
    connection: &Connection,
    key: &ProfileKey,
    said: &[StoredConsent],
) -> Result<Slot, ProfileError> {
    let slot = slots::by_key(connection, key)?.ok_or(ProfileError::NotFound)?;
    for consent in said {
        consents::say(connection, slot, consent)?;
    }
    Ok(slot)
}

/// The profile with this key, made where it is missing, unless its person is locked.
fn taken_in(
    connection: &Connection,
    locks: &Locks,
    key: &ProfileKey,
    now: Timestamp,
) -> Result<Slot, ProfileError> {
    if locks.holds(key) {
        return Err(ProfileError::Locked);
    }
    Ok(slots::by_key_or_new(connection, key, now)?)
}
