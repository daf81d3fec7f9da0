//! What is changed of profiles, as it is checked before, and made within one transaction.

use serde_json::value::RawValue;
use std::collections::BTreeMap;

use rusqlite::Connection;

use beaconry_model::consent::{Channel, ConsentType};
use beaconry_model::error::Invalid;
use beaconry_model::names::SectionId;
use beaconry_model::profile::ProfileKey;
use beaconry_model::time::Timestamp;

use super::attributes::{self, Place};
use super::consents::{self, StoredConsent};
use super::error::ProfileError;
use super::locks::Locks;
use super::slots::{self, Slot};
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
        let (place, number) = place(snapshot, section, &version_id)?;
        let known = snapshot.audience().attribute_by_version(section, &version_id);
        match known.map(|known| known.attribute.check(json.get())) {
            Some(Ok(value)) => values.push(NewValue { place, version: number, value }),
            Some(Err(error)) => errors.push(error),
            None => {}
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(ProfileError::Values(errors)) }
}

/// The value that is to be taken away.
pub(super) fn absent(
    snapshot: &Snapshot,
    section: &SectionId,
    version_id: &str,
) -> Result<NewValue, ProfileError> {
    let (place, version) = place(snapshot, section, version_id)?;
    Ok(NewValue { place, version, value: None })
}

/// Where the value of an attribute's version lies. A deprecated version is refused, naming the current one.
fn place(
    snapshot: &Snapshot,
    section: &SectionId,
    version_id: &str,
) -> Result<(Place, u32), ProfileError> {
    let number = snapshot.section_number(section);
    let number = number
        .ok_or_else(|| StoreError::NotFound { what: "section", name: section.to_string() })?;
    let Some(known) = snapshot.audience().attribute_by_version(section, version_id) else {
        let expected = "the id of a version of one of the section's attributes";
        return Err(Invalid::new("attribute", expected, format!("{version_id:.80}")).into());
    };
    let current = known.attribute.current();
    if current.id.as_str() != version_id {
        let got = format!(
            "the deprecated version {version_id}; the current one is version {} ({})",
            current.number, current.id
        );
        let thing = format!("attribute \"{}\"", known.attribute.name);
        return Err(Invalid::new(thing, "the id of its current version", got).into());
    }
    Ok((Place { section: number, attribute: known.number }, current.number))
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

/// The consent that an address gives, checked against the section's lists.
pub(super) fn consent(
    snapshot: &Snapshot,
    section: &SectionId,
    (channel, address): (Channel, &str),
    (list, topic): (&str, &str),
    (said, at): (ConsentType, Timestamp),
) -> Result<(ProfileKey, StoredConsent), ProfileError> {
    let key = ProfileKey::new(channel.keyspace(), address)?;
    let Some(known) = snapshot.audience().consent_list(section, list) else {
        return Err(Invalid::new(
            "consent_list_discriminator",
            "one of the section's consent lists",
            list,
        )
        .into());
    };
    if known.topic(topic).is_none() {
        return Err(Invalid::new("topic_discriminator", "one of the list's topics", topic).into());
    }
    let consent = StoredConsent {
        channel,
        address: key.as_str().to_owned(),
        list: known.discriminator.clone(),
        topic: topic.to_owned(),
        said,
        at,
    };
    Ok((key, consent))
}

/// Notes a consent of a profile that must be there.
pub(super) fn say(
    connection: &Connection,
    key: &ProfileKey,
    consent: &StoredConsent,
) -> Result<Slot, ProfileError> {
    let slot = slots::by_key(connection, key)?.ok_or(ProfileError::NotFound)?;
    consents::say(connection, slot, consent)?;
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
