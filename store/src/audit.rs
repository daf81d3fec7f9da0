//! Who changed which definition, when, from what to what.

use rusqlite::{Connection, params};
use serde::Serialize;

use beaconry_model::time::Timestamp;

use crate::error::StoreError;

/// One change to a definition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: the command line, the console, the server itself.
    pub actor: String,
    /// What was done, as a stable word: `event.edit`, `tracking.enable`.
    pub action: String,
    /// To what: a discriminator or a section's id.
    pub thing: String,
    /// The definition before, as JSON; `None` for what is new.
    pub before: Option<String>,
    /// The definition after, as JSON.
    pub after: Option<String>,
}

pub(crate) fn record(connection: &Connection, entry: &AuditEntry) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO audit (at, actor, action, thing, before, after) VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            entry.at.0,
            entry.actor,
            entry.action,
            entry.thing,
            entry.before,
            entry.after
        ])?;
    Ok(())
}

/// The newest entries first.
pub(crate) fn newest(connection: &Connection, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT at, actor, action, thing, before, after FROM audit ORDER BY number DESC LIMIT ?",
    )?;
    let rows = statement.query_map([limit], |row| {
        Ok(AuditEntry {
            at: Timestamp(row.get(0)?),
            actor: row.get(1)?,
            action: row.get(2)?,
            thing: row.get(3)?,
            before: row.get(4)?,
            after: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
