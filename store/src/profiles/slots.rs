//! Which slot a key or an id leads to, and how two slots become one.

use rusqlite::{Connection, OptionalExtension, params};

use beaconry_model::names::VersionId;
use beaconry_model::profile::{Keyspace, ProfileId, ProfileKey};
use beaconry_model::time::Timestamp;

use crate::error::StoreError;

/// The place of a profile in `profiles.db`. A merge moves what hangs on one slot to another, so it is never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(pub(crate) i64);

/// The slot that this key leads to.
pub(crate) fn by_key(
    connection: &Connection,
    key: &ProfileKey,
) -> Result<Option<Slot>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT slot FROM keys WHERE keyspace = ? AND key = ?")?
        .query_row(params![key.keyspace().number(), key.as_str()], |row| row.get(0).map(Slot))
        .optional()
}

/// The slot that this id leads to, the profile's own or one of those that were merged into it.
pub(crate) fn by_id(
    connection: &Connection,
    id: ProfileId,
) -> Result<Option<Slot>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT slot FROM ids WHERE id = ?")?
        .query_row([id.0], |row| row.get(0).map(Slot))
        .optional()
}

/// The id people know the profile by: the smallest of its ids, so that it is the same in whatever order they were merged.
pub(crate) fn id(connection: &Connection, slot: Slot) -> Result<ProfileId, rusqlite::Error> {
    connection
        .prepare_cached("SELECT id FROM ids WHERE slot = ? ORDER BY id LIMIT 1")?
        .query_row([slot.0], |row| row.get(0).map(ProfileId))
}

/// Every id that leads to this slot, the one people know first; none where there is no such profile.
pub(crate) fn ids(connection: &Connection, slot: Slot) -> Result<Vec<ProfileId>, rusqlite::Error> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM ids WHERE slot = ? ORDER BY id")?;
    let ids = statement.query_map([slot.0], |row| row.get(0).map(ProfileId))?;
    ids.collect()
}

/// A new profile with this key.
pub(crate) fn create(
    connection: &Connection,
    key: &ProfileKey,
    now: Timestamp,
) -> Result<Slot, StoreError> {
    // A version's id is a random UUID too.
    let random = VersionId::new(crate::random::bytes()?);
    let id = ProfileId::parse(random.as_str()).unwrap_or(ProfileId([0; 16]));
    connection.prepare_cached("INSERT INTO profiles (created) VALUES (?)")?.execute([now.0])?;
    let slot = Slot(connection.last_insert_rowid());
    connection.prepare_cached("INSERT INTO ids VALUES (?, ?)")?.execute(params![id.0, slot.0])?;
    add_key(connection, slot, key)?;
    Ok(slot)
}

/// The profile with this key, made where it is missing.
pub(crate) fn by_key_or_new(
    connection: &Connection,
    key: &ProfileKey,
    now: Timestamp,
) -> Result<Slot, StoreError> {
    match by_key(connection, key)? {
        Some(slot) => Ok(slot),
        None => create(connection, key, now),
    }
}

/// Makes one profile of all that have one of these keys, and gives it all of them. Says which slot it has.
pub(crate) fn merge(
    connection: &Connection,
    keys: &[ProfileKey],
    now: Timestamp,
) -> Result<Option<Slot>, StoreError> {
    let mut merged: Option<Slot> = None;
    for key in keys {
        merged = Some(match (merged, by_key(connection, key)?) {
            (None, Some(slot)) => slot,
            (None, None) => create(connection, key, now)?,
            (Some(slot), None) => {
                add_key(connection, slot, key)?;
                slot
            }
            (Some(slot), Some(other)) => join(connection, slot, other)?,
        });
    }
    Ok(merged)
}

/// The keys of a profile, keyspace by keyspace.
pub(crate) fn keys(
    connection: &Connection,
    slot: Slot,
) -> Result<Vec<ProfileKey>, rusqlite::Error> {
    let mut statement = connection
        .prepare_cached("SELECT keyspace, key FROM keys WHERE slot = ? ORDER BY keyspace, key")?;
    let mut rows = statement.query([slot.0])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let keyspace = Keyspace::from_number(row.get(0)?);
        let text: String = row.get(1)?;
        keys.extend(keyspace.and_then(|keyspace| ProfileKey::new(keyspace, &text).ok()));
    }
    Ok(keys)
}

fn add_key(connection: &Connection, slot: Slot, key: &ProfileKey) -> Result<(), rusqlite::Error> {
    connection.prepare_cached("INSERT INTO keys VALUES (?, ?, ?)")?.execute(params![
        key.keyspace().number(),
        key.as_str(),
        slot.0
    ])?;
    Ok(())
}

/// Moves everything to the slot that has more on its timeline. What both hold is decided by what it is (the later value),
/// never by which slot it hung on, so that the order of merges does not matter.
fn join(connection: &Connection, one: Slot, other: Slot) -> Result<Slot, rusqlite::Error> {
    if one == other {
        return Ok(one);
    }
    let (stays, goes) = if length(connection, one)? < length(connection, other)? {
        (other, one)
    } else {
        (one, other)
    };
    let moved = params![stays.0, goes.0];
    for sql in [
        "UPDATE ids SET slot = ?1 WHERE slot = ?2",
        "UPDATE keys SET slot = ?1 WHERE slot = ?2",
        "UPDATE profiles SET created = min(created, (SELECT created FROM profiles WHERE slot = ?2)) WHERE slot = ?1",
        "UPDATE timeline SET slot = ?1 WHERE slot = ?2",
        "INSERT INTO attributes SELECT ?1, section, attribute, ver, at, value FROM attributes WHERE slot = ?2
            ON CONFLICT DO UPDATE SET ver = excluded.ver, at = excluded.at, value = excluded.value
            WHERE (excluded.at, coalesce(excluded.value, ''), excluded.ver) > (at, coalesce(value, ''), ver)",
        "INSERT INTO consents SELECT ?1, channel, address, list, topic, said, at FROM consents WHERE slot = ?2
            ON CONFLICT DO UPDATE SET said = excluded.said, at = excluded.at
            WHERE (excluded.at, excluded.said) > (at, said)",
    ] {
        connection.prepare_cached(sql)?.execute(moved)?;
    }
    remove(connection, goes)?;
    Ok(stays)
}

fn length(connection: &Connection, slot: Slot) -> Result<i64, rusqlite::Error> {
    connection
        .prepare_cached("SELECT count(*) FROM timeline WHERE slot = ?")?
        .query_row([slot.0], |row| row.get(0))
}

/// Deletes a profile and everything that hangs on it.
pub(crate) fn remove(connection: &Connection, slot: Slot) -> Result<(), rusqlite::Error> {
    for sql in [
        "DELETE FROM ids WHERE slot = ?",
        "DELETE FROM keys WHERE slot = ?",
        "DELETE FROM timeline WHERE slot = ?",
        "DELETE FROM attributes WHERE slot = ?",
        "DELETE FROM consents WHERE slot = ?",
        "DELETE FROM profiles WHERE slot = ?",
    ] {
        connection.prepare_cached(sql)?.execute([slot.0])?;
    }
    Ok(())
}
