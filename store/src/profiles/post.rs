//! Events that a back end posts: all of a request's items are taken, or none.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use hmac::Mac;

use beaconry_model::event_id::EventId;
use beaconry_model::post::{Item, ItemError, Through, is_stored, judge_post, parse};
use beaconry_model::profile::{ProfileId, ProfileKey};
use beaconry_model::section::Section;
use beaconry_model::time::Timestamp;
use beaconry_model::version::Version;

use super::error::ProfileError;
use super::reader::ProfileReader;
use crate::keyed::Keyed;
use crate::log::StoredEvent;
use crate::snapshot::{Known, Snapshot};
use crate::writer;

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

/// One item of a request, with what it says it is of.
#[derive(Debug)]
pub(super) struct PostedItem<'a> {
    /// The id under which it is stored.
    pub(super) id: EventId,
    item: Item<'a>,
    /// The version it names, with its event; `None` where the section has no such.
    of: Option<(&'a Known, &'a Version)>,
}

/// The items of the request, not yet judged: what was stored at an earlier try is stored, whatever has become of its event.
pub(super) fn read<'a>(
    snapshot: &'a Snapshot,
    keyed: &Keyed,
    posting: &Posting<'a>,
) -> Result<Vec<PostedItem<'a>>, ProfileError> {
    let section = snapshot.section(posting.section)?;
    let items = parse(posting.body).map_err(ProfileError::Body)?.map_err(ProfileError::Items)?;
    let (mut read, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
    let mut first = HashMap::new();
    for item in items {
        let of = version(snapshot, section, &item.version_id);
        let id = event_id(keyed, section, posting, &item, of.map(|(known, _)| known))?;
        match first.entry(id) {
            Entry::Occupied(first) => errors.push(ItemError::repeated_id(item.place, *first.get())),
            Entry::Vacant(free) => {
                free.insert(item.place);
            }
        }
        read.push(PostedItem { id, item, of });
    }
    if errors.is_empty() { Ok(read) } else { Err(ProfileError::Items(errors)) }
}

fn version<'a>(
    snapshot: &'a Snapshot,
    section: &Section,
    version_id: &str,
) -> Option<(&'a Known, &'a Version)> {
    let (known, number) = snapshot.by_version(version_id)?;
    let known = Some(known.as_ref()).filter(|known| known.event.section() == &section.id)?;
    Some((known, known.event.versions().get(number)?))
}

/// Holds items that are named by the request's `Idempotency-Key` against what was stored under it. All of them are stored in
/// one transaction, so where some are new, the body is another one. Of what has been deleted since, nobody can say.
pub(super) fn check_retry(
    reader: &ProfileReader,
    posting: &Posting,
    items: &[PostedItem],
    places: &[Option<i64>],
) -> Result<(), ProfileError> {
    let by_request = |(posted, _): &(&PostedItem, &Option<i64>)| {
        posting.idempotency_key.is_some() && posted.item.id.is_none()
    };
    let named: Vec<_> = items.iter().zip(places).filter(by_request).collect();
    if named.iter().all(|(_, place)| place.is_none()) {
        return Ok(());
    }
    for (posted, place) in named {
        let same = match place {
            Some(seq) => reader.logged(*seq)?.is_none_or(|stored| posted.is(&stored)),
            None => false,
        };
        if !same {
            return Err(ProfileError::Reused(posted.item.place));
        }
    }
    Ok(())
}

impl PostedItem<'_> {
    fn is(&self, stored: &StoredEvent) -> bool {
        self.of.is_some_and(|(known, version)| {
            let times = (stored.time, stored.received);
            (known.number, version.number) == (stored.event, stored.version)
                && is_stored(&self.item, version, times, &stored.data)
        })
    }
}

/// Every item that has no place in the log yet, as it is to be stored.
pub(super) fn entries(
    items: &[PostedItem],
    places: &[Option<i64>],
    posting: &Posting,
    profile: ProfileId,
    received: Timestamp,
) -> Result<Vec<writer::Entry>, ProfileError> {
    let through = Through { profile, keyspace: posting.key.keyspace(), received };
    let (mut entries, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
    for (posted, _) in items.iter().zip(places).filter(|(_, place)| place.is_none()) {
        match entry(posted, &through) {
            Ok(entry) => entries.push(entry),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(entries) } else { Err(ProfileError::Items(errors)) }
}

fn entry(posted: &PostedItem, through: &Through) -> Result<writer::Entry, ItemError> {
    let item = &posted.item;
    let visible = posted.of.filter(|(known, _)| known.event.hidden_at().is_none());
    let Some((known, version)) = visible else {
        return Err(ItemError::unknown_version(item.place, &item.version_id));
    };
    let accepted = judge_post(item, &known.event, version, posted.id, through)?;
    Ok(writer::Entry::Accepted(known.number, accepted))
}

/// The id under which an item is stored: the same for every try of it, so that the log takes it once. Of version 8, so that
/// it is never one that a browser made. An item's own id is one of its event; a request's key is one for whatever it holds.
/// Keyed, so that who knows somebody's address and the number of an order cannot find out by an id whose it is.
fn event_id(
    keyed: &Keyed,
    section: &Section,
    posting: &Posting,
    item: &Item,
    of: Option<&Known>,
) -> Result<EventId, crate::StoreError> {
    let place = item.place.to_string();
    let parts: [&str; 2] = match (&item.id, posting.idempotency_key) {
        (Some(id), _) => [of.map_or("", |of| of.event.discriminator().as_str()), id],
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
