//! Sessions: who is in, since when, and for how long.

use rusqlite::{OptionalExtension, Transaction, params};

use beaconry_model::time::{DAY_MS, Timestamp};

use super::{PERSON, People, Person, PersonNo, person};
use crate::audit::{self, AuditEntry};
use crate::error::StoreError;
use crate::token::{self, Token};

/// How long a session lasts in which nothing is asked for, in milliseconds.
pub const IDLE_MS: i64 = DAY_MS / 2;
/// How long a session lasts at the most, in milliseconds.
pub const LONGEST_MS: i64 = 7 * DAY_MS;
/// How old the noted time of the last request may be, in milliseconds: most requests then write nothing.
const NOTED_MS: i64 = 5 * 60 * 1000;
/// Failed log-ins of one account within this time are one entry of the audit log, in milliseconds.
const COUNTED_MS: i64 = 60 * 60 * 1000;

impl People {
    /// Lets a person in; the token is their browser's to keep, and is never on disk.
    pub fn start_session(&self, number: PersonNo, now: Timestamp) -> Result<Token, StoreError> {
        self.change(|transaction| {
            let person = super::by_number(transaction, number)?;
            transaction.execute(
                "DELETE FROM sessions WHERE seen <= ? OR created <= ?",
                params![now.0 - IDLE_MS, now.0 - LONGEST_MS],
            )?;
            let token = start(transaction, number, now)?;
            note_coming(transaction, &person, "person.login", now)?;
            Ok(token)
        })
    }

    /// Who is in with this token, if its session has not ended.
    pub fn session(&self, token: &str, now: Timestamp) -> Result<Option<Person>, StoreError> {
        let hash = token::hash(token);
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {PERSON}, sessions.seen FROM sessions JOIN people ON people.number = sessions.person
             WHERE hash = ? AND seen > ? AND sessions.created > ?"
        ))?;
        let alive = params![hash, now.0 - IDLE_MS, now.0 - LONGEST_MS];
        let found = statement.query_row(alive, |row| Ok((person(row)?, row.get::<_, i64>(6)?)));
        let Some((person, seen)) = found.optional()? else { return Ok(None) };
        if now.0 - seen > NOTED_MS {
            connection
                .prepare_cached("UPDATE sessions SET seen = ? WHERE hash = ?")?
                .execute(params![now.0, hash])?;
        }
        Ok(Some(person))
    }

    /// Whether the session of a token has not ended. Asking is no sign of life.
    pub fn is_in(&self, token: &str, now: Timestamp) -> Result<bool, StoreError> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("SELECT 1 FROM sessions WHERE hash = ? AND seen > ? AND created > ?")?;
        Ok(statement.exists(params![token::hash(token), now.0 - IDLE_MS, now.0 - LONGEST_MS])?)
    }

    /// How many sessions of a person have not ended.
    pub fn sessions(&self, number: PersonNo, now: Timestamp) -> Result<u64, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT count(*) FROM sessions WHERE person = ? AND seen > ? AND created > ?",
        )?;
        let alive = params![number.0, now.0 - IDLE_MS, now.0 - LONGEST_MS];
        Ok(statement.query_row(alive, |row| row.get(0))?)
    }

    /// Ends the session of a token.
    pub fn end_session(&self, token: &str, who: &Person, now: Timestamp) -> Result<(), StoreError> {
        self.change(|transaction| {
            transaction.execute("DELETE FROM sessions WHERE hash = ?", [token::hash(token)])?;
            note_coming(transaction, who, "person.logout", now)
        })
    }

    /// Ends every session of a person.
    pub fn end_sessions(&self, who: &Person, now: Timestamp) -> Result<(), StoreError> {
        self.change(|transaction| {
            transaction.execute("DELETE FROM sessions WHERE person = ?", [who.number.0])?;
            note_coming(transaction, who, "person.logout.everywhere", now)
        })
    }

    /// Counts a log-in that failed. What was typed is not kept: it may be a password in the wrong place.
    pub fn note_failed(&self, person: Option<&Person>, now: Timestamp) -> Result<(), StoreError> {
        let thing = person.map_or("an unknown account", |person| person.email.as_str());
        self.change(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT number, after ->> 'failed' FROM audit
                 WHERE thing = ? AND action = 'login.failed' AND at > ? ORDER BY number DESC LIMIT 1",
            )?;
            let lately = statement.query_row(params![thing, now.0 - COUNTED_MS], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, u64>(1)?))
            });
            let after = |failed: u64| serde_json::json!({ "failed": failed, "last": now }).to_string();
            if let Some((number, failed)) = lately.optional()? {
                transaction
                    .prepare_cached("UPDATE audit SET after = ? WHERE number = ?")?
                    .execute(params![after(failed + 1), number])?;
                return Ok(());
            }
            audit::record(
                transaction,
                &AuditEntry {
                    at: now,
                    actor: "somebody".to_owned(),
                    action: "login.failed".to_owned(),
                    thing: thing.to_owned(),
                    before: None,
                    after: Some(after(1)),
                },
            )
        })
    }
}

/// Somebody comes or goes; nothing of them changes.
fn note_coming(
    transaction: &Transaction<'_>,
    who: &Person,
    action: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (actor, thing) = (who.email.clone(), who.email.clone());
    let action = action.to_owned();
    let entry = AuditEntry { at: now, actor, action, thing, before: None, after: None };
    audit::record(transaction, &entry)
}

fn start(
    transaction: &Transaction<'_>,
    number: PersonNo,
    now: Timestamp,
) -> Result<Token, StoreError> {
    let token = Token::new()?;
    transaction.execute(
        "INSERT INTO sessions (hash, person, created, seen) VALUES (?, ?, ?, ?)",
        params![token.hash(), number.0, now.0, now.0],
    )?;
    Ok(token)
}
