//! What became of what was posted: gone from the queue, tried again later, or given up.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use beaconry_model::time::Timestamp;

use crate::error::StoreError;

/// Failures of a receiver, one after the other, from which on it is left alone for a while.
const TOO_MANY: u32 = 4;
/// How often the first wait the longest rest is: a minute, where the first wait is a second.
const LONGEST_REST: i64 = 60;
/// The longest wait between two tries, in milliseconds: an hour.
const LONGEST_WAIT_MS: i64 = 3_600_000;

/// How what failed is tried again: after the first wait, then after twice as long each time, up to an hour; of each wait a
/// random part of up to a half is left out, so that not all come back at once.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The wait after the first try.
    pub first: Duration,
    /// How often it is tried before it is given up.
    pub tries: u32,
}

impl Default for Backoff {
    /// Twenty times in about nine hours.
    fn default() -> Backoff {
        Backoff { first: Duration::from_secs(1), tries: 20 }
    }
}

impl Backoff {
    fn first_ms(&self) -> i64 {
        i64::try_from(self.first.as_millis()).unwrap_or(LONGEST_WAIT_MS)
    }

    /// The wait after so many tries, in milliseconds; `random` is any number.
    fn wait_ms(&self, tries: u32, random: u16) -> i64 {
        let doubled = self.first_ms().saturating_mul(1 << tries.saturating_sub(1).min(40));
        let whole = doubled.min(LONGEST_WAIT_MS);
        whole - whole / 2 * i64::from(random) / i64::from(u16::MAX)
    }

    /// How long a receiver rests after so many failures one after the other, in milliseconds.
    fn rest_ms(&self, failures: u32) -> i64 {
        match failures.checked_sub(TOO_MANY) {
            None => 0,
            Some(over) => self.first_ms().saturating_mul(LONGEST_REST.min(1 << over.min(10))),
        }
    }
}

/// How a receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It took it.
    Delivered,
    /// It did not. Why is kept, so it must hold nothing of what was posted or answered.
    Failed {
        /// Why.
        why: String,
        /// How long the receiver asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// It wants nothing any more (410): nothing more is posted to it.
    Gone,
}

/// What became of one thing that was posted.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The webhook's number.
    pub hook: u32,
    /// The delivery's number.
    pub number: i64,
    /// How the receiver answered.
    pub tried: Tried,
}

/// Writes down outcomes, within the caller's transaction.
pub(super) fn settle(
    transaction: &Connection,
    outcomes: &[Outcome],
    backoff: Backoff,
    now: Timestamp,
) -> Result<(), StoreError> {
    for outcome in outcomes {
        match &outcome.tried {
            Tried::Delivered => delivered(transaction, outcome, now)?,
            Tried::Failed { why, retry_after } => {
                let again = failed(transaction, outcome, (why, *retry_after), backoff, now)?;
                note_failure(transaction, outcome.hook, (why, again), backoff, now)?;
            }
            Tried::Gone => gone(transaction, outcome, now)?,
        }
    }
    Ok(())
}

fn delivered(
    transaction: &Connection,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), rusqlite::Error> {
    transaction
        .prepare_cached("DELETE FROM deliveries WHERE number = ?")?
        .execute([outcome.number])?;
    let failures: Option<u32> = transaction
        .prepare_cached("SELECT failures FROM hooks WHERE hook = ?")?
        .query_row([outcome.hook], |row| row.get(0))
        .optional()?;
    transaction
        .prepare_cached(
            "UPDATE hooks SET delivered = delivered + 1, last = ?2, tried = ?2, why = NULL, failing = NULL,
                 failures = 0, rests = 0 WHERE hook = ?1",
        )?
        .execute(params![outcome.hook, now.0])?;
    // It was down, and is up again: what waits need wait no longer.
    if failures.is_some_and(|failures| failures >= TOO_MANY) {
        transaction
            .prepare_cached(
                "UPDATE deliveries SET due = ?2 WHERE hook = ?1 AND dead = 0 AND due > ?2",
            )?
            .execute(params![outcome.hook, now.0])?;
    }
    Ok(())
}

/// Puts a delivery back, or gives it up. Says whether it is given up.
fn failed(
    transaction: &Connection,
    outcome: &Outcome,
    (why, retry_after): (&str, Option<Duration>),
    backoff: Backoff,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let tries: Option<u32> = transaction
        .prepare_cached("SELECT tries FROM deliveries WHERE number = ? AND dead = 0")?
        .query_row([outcome.number], |row| row.get(0))
        .optional()?;
    // Its person was erased, or its webhook deleted, while it was on its way.
    let Some(tries) = tries.map(|tries| tries + 1) else { return Ok(false) };
    let dead = tries >= backoff.tries;
    let asked = retry_after.map_or(0, |wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
    let random = u16::from_le_bytes(crate::random::bytes()?);
    let wait = backoff.wait_ms(tries, random).max(asked.min(LONGEST_WAIT_MS));
    transaction
        .prepare_cached(
            "UPDATE deliveries SET tries = ?2, due = ?3, dead = ?4, why = ?5 WHERE number = ?1",
        )?
        .execute(params![
            outcome.number,
            tries,
            now.plus(wait).0,
            if dead { now.0 } else { 0 },
            why
        ])?;
    Ok(dead)
}

fn note_failure(
    transaction: &Connection,
    hook: u32,
    (why, given_up): (&str, bool),
    backoff: Backoff,
    now: Timestamp,
) -> Result<(), rusqlite::Error> {
    let failures: u32 = transaction
        .prepare_cached(
            "UPDATE hooks SET tried = ?2, why = ?3, failing = coalesce(failing, ?2), failures = failures + 1,
                 given_up = given_up + ?4 WHERE hook = ?1 RETURNING failures",
        )?
        .query_row(params![hook, now.0, why, given_up], |row| row.get(0))
        .optional()?
        .unwrap_or_default();
    let rests = now.plus(backoff.rest_ms(failures));
    transaction
        .prepare_cached("UPDATE hooks SET rests = ?2 WHERE hook = ?1")?
        .execute(params![hook, rests.0])?;
    Ok(())
}

fn gone(
    transaction: &Connection,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), rusqlite::Error> {
    transaction
        .prepare_cached("UPDATE hooks SET stopped = ?2, tried = ?2, why = ?3 WHERE hook = ?1")?
        .execute(params![outcome.hook, now.0, "it answered 410: it wants nothing any more"])?;
    transaction
        .prepare_cached("DELETE FROM deliveries WHERE hook = ? AND dead = 0")?
        .execute([outcome.hook])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_less_a_random_half() {
        let backoff = Backoff::default();
        for (tries, longest) in
            [(1, 1_000), (2, 2_000), (5, 16_000), (12, 2_048_000), (13, 3_600_000), (99, 3_600_000)]
        {
            assert_eq!(backoff.wait_ms(tries, 0), longest, "{tries}");
            assert_eq!(backoff.wait_ms(tries, u16::MAX), longest / 2, "{tries}");
        }
    }

    #[test]
    fn a_receiver_that_is_down_is_left_alone_for_a_minute_at_the_most() {
        let backoff = Backoff::default();
        for (failures, rest) in
            [(0, 0), (3, 0), (4, 1_000), (5, 2_000), (9, 32_000), (10, 60_000), (999, 60_000)]
        {
            assert_eq!(backoff.rest_ms(failures), rest, "{failures}");
        }
    }
}
