//! Links that show somebody without an account the code to paste of one event, and end by themselves.

use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};

use beaconry_model::time::{DAY_MS, Timestamp};

use crate::audit::{self, AuditEntry};
use crate::error::StoreError;
use crate::registry::Registry;
use crate::snapshot::{EventNo, Known};

/// How long a link shows its event, in milliseconds: 7 days.
pub const SHARED_MS: i64 = 7 * DAY_MS;

/// Of a link only a hash of its token is kept, so that nobody who reads the database can use it.
pub(crate) const MIGRATION: &str = "
        CREATE TABLE shares (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            hash BLOB NOT NULL UNIQUE,
            event INTEGER NOT NULL,
            actor TEXT NOT NULL,
            at INTEGER NOT NULL,
            until INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX shares_by_event ON shares (event, until);
    ";

/// A link that is out.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// Its number, to end it by.
    pub number: i64,
    /// The event it shows.
    pub event: EventNo,
    /// Who made it.
    pub actor: String,
    /// When it was made.
    pub at: Timestamp,
    /// When it ends.
    pub until: Timestamp,
}

impl Registry {
    /// Makes a link to an event's code; gives its token, which nobody can be told again. Links that have ended go.
    pub fn share(
        &mut self,
        known: &Known,
        actor: &str,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let random: [u8; 32] = crate::random::bytes()
            .map_err(|error| StoreError::Folder { path: "random bytes".into(), error })?;
        let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let transaction = self.writing()?;
        transaction.execute("DELETE FROM shares WHERE until <= ?", [now.0])?;
        let (event, until) = (known.number, now.plus(SHARED_MS));
        transaction.execute(
            "INSERT INTO shares (hash, event, actor, at, until) VALUES (?, ?, ?, ?, ?)",
            params![hash(&token), event.0, actor, now.0, until.0],
        )?;
        let number = transaction.last_insert_rowid();
        let share = Share { number, event, actor: actor.to_owned(), at: now, until };
        let made = (None, Some(shown(&share)));
        audit::record(&transaction, &entry(known, actor, "share.create", made, now))?;
        transaction.commit()?;
        Ok(token)
    }

    /// The link with this token, unless it has ended.
    pub fn shared(&self, token: &str, now: Timestamp) -> Result<Option<Share>, StoreError> {
        let mut statement = self.reading().prepare_cached(
            "SELECT number, event, actor, at, until FROM shares WHERE hash = ? AND until > ?",
        )?;
        Ok(statement.query_row(params![hash(token), now.0], read).optional()?)
    }

    /// The links to an event that are out, the newest first.
    pub fn shares(&self, event: EventNo, now: Timestamp) -> Result<Vec<Share>, StoreError> {
        let mut statement = self.reading().prepare_cached(
            "SELECT number, event, actor, at, until FROM shares WHERE event = ? AND until > ? ORDER BY number DESC",
        )?;
        Ok(statement.query_map(params![event.0, now.0], read)?.collect::<Result<_, _>>()?)
    }

    /// Ends a link to an event at once. One that has ended is no error.
    pub fn end_share(
        &mut self,
        known: &Known,
        number: i64,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let transaction = self.writing()?;
        let delete = "DELETE FROM shares WHERE number = ? AND event = ? RETURNING number, event, actor, at, until";
        let place = params![number, known.number.0];
        if let Some(share) = transaction.query_row(delete, place, read).optional()? {
            let ended = (Some(shown(&share)), None);
            audit::record(&transaction, &entry(known, actor, "share.end", ended, now))?;
        }
        Ok(transaction.commit()?)
    }
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

fn read(row: &rusqlite::Row) -> Result<Share, rusqlite::Error> {
    Ok(Share {
        number: row.get(0)?,
        event: EventNo(row.get(1)?),
        actor: row.get(2)?,
        at: Timestamp(row.get(3)?),
        until: Timestamp(row.get(4)?),
    })
}

/// What the audit log keeps of a link: which one, and never its token.
fn shown(share: &Share) -> String {
    let Share { number, actor, at, until, .. } = share;
    serde_json::json!({ "link": number, "made by": actor, "made": at, "ends": until }).to_string()
}

fn entry(
    known: &Known,
    actor: &str,
    action: &str,
    (before, after): (Option<String>, Option<String>),
    now: Timestamp,
) -> AuditEntry {
    AuditEntry {
        at: now,
        actor: actor.to_owned(),
        action: action.to_owned(),
        thing: known.event.discriminator().to_string(),
        before,
        after,
    }
}
