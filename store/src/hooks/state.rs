//! How webhooks do, what was given up, and sending that again.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};

use beaconry_model::event_id::EventId;
use beaconry_model::time::{DAY_MS, Timestamp};

use super::queue::Kind;

/// How long what was given up is kept, in milliseconds: 30 days.
const DEAD_KEPT_MS: i64 = 30 * DAY_MS;
/// How much that was given up is kept for one webhook: the newest.
const DEAD_KEPT: u32 = 10_000;

/// How a webhook does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookState {
    /// How many were taken by the receiver.
    pub delivered: u64,
    /// How many wait. Behind these, what is in the log and not yet taken from it waits uncounted.
    pub waiting: u64,
    /// How many were given up, and are kept.
    pub dead: u64,
    /// When the receiver last took something.
    pub last: Option<Timestamp>,
    /// When it was last tried.
    pub tried: Option<Timestamp>,
    /// Why the last try failed.
    pub why: Option<String>,
    /// Since when every try failed.
    pub failing: Option<Timestamp>,
    /// Since when the receiver wants nothing any more.
    pub stopped: Option<Timestamp>,
}

/// What was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number.
    pub number: i64,
    /// The id it was posted under.
    pub id: String,
    /// What it is about: `event.received`, `beacon.rejected`, `segment.entered` or `segment.left`.
    pub topic: &'static str,
    /// Since when it waited.
    pub made: Timestamp,
    /// When it was given up.
    pub dead: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// Why the last try failed.
    pub why: String,
}

pub(super) fn all(connection: &Connection) -> Result<HashMap<u32, WebhookState>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "SELECT hook, delivered, last, tried, why, failing, stopped,
             (SELECT count(*) FROM deliveries AS d WHERE d.hook = hooks.hook AND d.dead = 0),
             (SELECT count(*) FROM deliveries AS d WHERE d.hook = hooks.hook AND d.dead > 0)
         FROM hooks",
    )?;
    let moment = |row: &Row, at| row.get::<_, Option<i64>>(at).map(|at| at.map(Timestamp));
    let rows = statement.query_map([], |row| {
        let state = WebhookState {
            delivered: row.get(1)?,
            last: moment(row, 2)?,
            tried: moment(row, 3)?,
            why: row.get(4)?,
            failing: moment(row, 5)?,
            stopped: moment(row, 6)?,
            waiting: row.get(7)?,
            dead: row.get(8)?,
        };
        Ok((row.get(0)?, state))
    })?;
    rows.collect()
}

/// What was given up of a webhook below this number, newest first.
pub(super) fn dead(
    connection: &Connection,
    hook: u32,
    before: i64,
    limit: u32,
) -> Result<Vec<DeadLetter>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "SELECT number, id, kind, made, dead, tries, why FROM deliveries
         WHERE hook = ? AND dead > 0 AND number < ? ORDER BY number DESC LIMIT ?",
    )?;
    let rows = statement.query_map(params![hook, before, limit], |row| {
        Ok(DeadLetter {
            number: row.get(0)?,
            id: EventId(row.get(1)?).to_string(),
            topic: match Kind::from_number(row.get(2)?) {
                Kind::Event => "event.received",
                Kind::Rejected => "beacon.rejected",
                Kind::Entered => "segment.entered",
                Kind::Left => "segment.left",
            },
            made: Timestamp(row.get(3)?),
            dead: Timestamp(row.get(4)?),
            tries: row.get(5)?,
            why: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
        })
    })?;
    rows.collect()
}

/// Has what was given up wait again, as if it had not been tried: one, or all of a webhook. Says how many.
pub(super) fn resend(
    connection: &Connection,
    hook: u32,
    number: Option<i64>,
    now: Timestamp,
) -> Result<usize, rusqlite::Error> {
    connection.execute(
        "UPDATE deliveries SET dead = 0, tries = 0, due = ?3 WHERE hook = ?1 AND dead > 0 AND (?2 IS NULL OR number = ?2)",
        params![hook, number, now.0],
    )
}

/// Deletes everything of a webhook.
pub(super) fn remove(connection: &Connection, hook: u32) -> Result<(), rusqlite::Error> {
    for sql in [
        "DELETE FROM members WHERE watch IN (SELECT number FROM watches WHERE hook = ?)",
        "DELETE FROM watches WHERE hook = ?",
        "DELETE FROM deliveries WHERE hook = ?",
        "DELETE FROM hooks WHERE hook = ?",
    ] {
        connection.prepare_cached(sql)?.execute([hook])?;
    }
    Ok(())
}

/// Deletes what was given up too long ago, or lies below the newest.
pub(super) fn expire(
    connection: &Connection,
    hook: u32,
    now: Timestamp,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "DELETE FROM deliveries WHERE hook = ?1 AND dead > 0 AND (dead < ?2 OR number <= coalesce(
                 (SELECT number FROM deliveries WHERE hook = ?1 AND dead > 0 ORDER BY number DESC LIMIT 1 OFFSET ?3), 0))",
        )?
        .execute(params![hook, now.plus(-DEAD_KEPT_MS).0, DEAD_KEPT])?;
    Ok(())
}
