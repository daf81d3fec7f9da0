//! Events that a back end posts: all of a request's items are taken, or none.

use hmac::Mac;

use beaconry_model::event_id::EventId;
use beaconry_model::post::{Item, ItemError, Through, judge_post, parse};
use beaconry_model::profile::{ProfileId, ProfileKey};
use beaconry_model::section::Section;
use beaconry_model::time::Timestamp;

use super::error::ProfileError;
use crate::keyed::Keyed;
use crate::snapshot::Snapshot;
use crate::writer::Entry;

/// A request that posts events.
#[derive(Clone, Copy, Debug)]
pub struct Posting<'a> {
    /// The section's name or id.
    pub section: &'a str,
    /// The key that names the profile. A profile must have it.
    pub key: &'a ProfileKey,
    /// The request's body.
    pub body: &'a [u8],
    /// What makes a second try of the whole request known as one.
    pub idempotency_key: Option<&'a str>,
}

/// What became of a request that posts events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The profile.
    pub profile: ProfileId,
    /// How many were stored by it.
    pub stored: usize,
    /// How many were there before, because somebody tried again.
    pub duplicates: usize,
}

/// Every item of the request as it is to be stored.
pub(super) fn entries(
    snapshot: &Snapshot,
    keyed: &Keyed,
    posting: &Posting,
    profile: ProfileId,
    received: Timestamp,
) -> Result<Vec<Entry>, ProfileError> {
    let section = snapshot.section(posting.section)?;
    let items = parse(posting.body).map_err(ProfileError::Body)?.map_err(ProfileError::Items)?;
    let through = Through { profile, keyspace: posting.key.keyspace(), received };
    let (mut entries, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
    for item in &items {
        match entry(snapshot, keyed, section, posting, item, &through) {
            Ok(Ok(entry)) => entries.push(entry),
            Ok(Err(error)) => errors.push(error),
            Err(error) => return Err(error.into()),
        }
    }
    if errors.is_empty() { Ok(entries) } else { Err(ProfileError::Items(errors)) }
}

fn entry(
    snapshot: &Snapshot,
    keyed: &Keyed,
    section: &Section,
    posting: &Posting,
    item: &Item,
    through: &Through,
) -> Result<Result<Entry, ItemError>, crate::StoreError> {
    let found = snapshot.by_version(&item.version_id).filter(|(known, _)| {
        known.event.section() == &section.id && known.event.hidden_at().is_none()
    });
    let found =
        found.and_then(|(known, number)| Some((known, known.event.versions().get(number)?)));
    let Some((known, version)) = found else {
        return Ok(Err(ItemError::unknown_version(item.place, &item.version_id)));
    };
    let id = event_id(keyed, section, posting, item)?;
    let judged = judge_post(item, &known.event, version, id, through);
    Ok(judged.map(|accepted| Entry::Accepted(known.number, accepted)))
}

/// The id under which an item is stored: the same for every try of it, so that the log takes it once. Of version 8, so that
/// it is never one that a browser made. Keyed, so that who knows somebody's address and the number of an order cannot find
/// out by an id whose it is.
fn event_id(
    keyed: &Keyed,
    section: &Section,
    posting: &Posting,
    item: &Item,
) -> Result<EventId, crate::StoreError> {
    let place = item.place.to_string();
    let parts: [&str; 2] = match (&item.id, posting.idempotency_key) {
        (Some(id), _) => ["item", id],
        (None, Some(key)) => [key, &place],
        (None, None) => return Ok(EventId(shaped(crate::random::bytes()?))),
    };
    let kind = if item.id.is_some() { "by item" } else { "by request" };
    let mut hash = keyed.post();
    for part in [
        kind,
        section.id.as_str(),
        posting.key.keyspace().word(),
        posting.key.as_str(),
        parts[0],
        parts[1],
    ] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize().into_bytes()[..16]);
    Ok(EventId(shaped(id)))
}

fn shaped(mut id: [u8; 16]) -> [u8; 16] {
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    id
}
