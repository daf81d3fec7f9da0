//! Attributes of a profile: what each section knows, and since when.

use rusqlite::{Connection, OptionalExtension, params};

use beaconry_model::time::Timestamp;

use super::slots::Slot;

/// One attribute's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAttribute {
    /// The section's number.
    pub(crate) section: u32,
    /// The attribute's number, as [`crate::KnownAttribute::number`] has it.
    pub attribute: u32,
    /// The number of the version it was set under.
    pub version: u32,
    /// When it was set.
    pub at: Timestamp,
    /// The value as JSON.
    pub value: String,
}

/// Which attribute of which section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) section: u32,
    pub(crate) attribute: u32,
}

/// Sets a value (JSON), or takes it away. Later than whatever is there, even within the same millisecond; that it was taken
/// away is remembered, so that a merge does not bring it back.
pub(crate) fn set(
    connection: &Connection,
    slot: Slot,
    place: Place,
    version: u32,
    value: Option<&str>,
    now: Timestamp,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "INSERT INTO attributes VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET ver = ?4, at = max(?5, at + 1), value = ?6 WHERE value IS NOT ?6 OR ver <> ?4",
        )?
        .execute(params![slot.0, place.section, place.attribute, version, now.0, value])?;
    Ok(())
}

/// Everything a section knows of a profile, or, where none is named, everything.
pub(crate) fn all(
    connection: &Connection,
    slot: Slot,
    section: Option<u32>,
) -> Result<Vec<StoredAttribute>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "SELECT section, attribute, ver, at, value FROM attributes
         WHERE slot = ?1 AND (?2 IS NULL OR section = ?2) AND value IS NOT NULL ORDER BY section, attribute",
    )?;
    let rows = statement.query_map(params![slot.0, section], |row| {
        Ok(StoredAttribute {
            section: row.get(0)?,
            attribute: row.get(1)?,
            version: row.get(2)?,
            at: Timestamp(row.get(3)?),
            value: row.get(4)?,
        })
    })?;
    rows.collect()
}

/// One value, as JSON.
pub(crate) fn value(
    connection: &Connection,
    slot: Slot,
    place: Place,
) -> Result<Option<String>, rusqlite::Error> {
    let found = connection
        .prepare_cached(
            "SELECT value FROM attributes WHERE slot = ? AND section = ? AND attribute = ?",
        )?
        .query_row(params![slot.0, place.section, place.attribute], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}
