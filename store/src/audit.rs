//! Who changed what, when, from what to what. Definitions have their entries in the registry, people in their own database,
//! each written in the transaction of the change; they are read as one.

use std::fmt;
use std::iter::Peekable;
use std::str::FromStr;
use std::vec::IntoIter;

use rusqlite::{Connection, params};
use serde::Serialize;

use beaconry_model::time::Timestamp;

use crate::error::StoreError;
use crate::folder::Folder;
use crate::schema::{Database, KEYS, PEOPLE, REGISTRY};

/// What makes the log quick to filter.
pub(crate) const INDEXES: &str = "
        CREATE INDEX audit_by_actor ON audit (actor);
        CREATE INDEX audit_by_action ON audit (action);
        CREATE INDEX audit_by_thing ON audit (thing);
    ";

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: a person's address, the command line, the server itself.
    pub actor: String,
    /// What was done, as a stable word: `event.edit`, `tracking.enable`.
    pub action: String,
    /// To what: a discriminator, a section's id, a person's address.
    pub thing: String,
    /// What it was before, as JSON; `None` for what is new.
    pub before: Option<String>,
    /// What it was after, as JSON.
    pub after: Option<String>,
}

/// Every word for what was done. Whoever shows the log has a sentence for each.
pub const ACTIONS: [&str; 47] = [
    "section.create",
    "section.change",
    "section.secret",
    "event.create",
    "event.edit",
    "event.apply",
    "event.hide",
    "tracking.enable",
    "tracking.disable",
    "tracking.regenerate",
    "tracking.publish",
    "tracking.set",
    "tracking.stale",
    "tracking.settle",
    "tracking.unschedule",
    "tracking.seen",
    "quarantine.replay",
    "share.create",
    "share.end",
    "attribute.create",
    "attribute.change",
    "consent_list.create",
    "consent_list.change",
    "segment.create",
    "segment.change",
    "segment.delete",
    "profile.erase",
    "profile.lock",
    "person.add",
    "person.invite",
    "person.withdraw",
    "person.rename",
    "person.role",
    "person.remove",
    "person.reset",
    "person.password",
    "person.login",
    "person.logout",
    "person.logout.everywhere",
    "login.failed",
    "webhook.create",
    "webhook.delete",
    "webhook.resend",
    "key.create",
    "key.revoke",
    "token.create",
    "token.revoke",
];

pub(crate) fn record(connection: &Connection, entry: &AuditEntry) -> Result<(), StoreError> {
    debug_assert!(ACTIONS.contains(&entry.action.as_str()), "not among ACTIONS: {}", entry.action);
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

/// Which entries are asked for; all where nothing is said.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only what they did.
    pub actor: Option<String>,
    /// Only what was done by this word.
    pub action: Option<String>,
    /// Only what was done to one of these, or to what has this text in its name.
    pub thing: Option<(String, Vec<String>)>,
}

/// The databases that have an audit of their own; people read them as one log.
const AUDITED: [&Database; 3] = [&REGISTRY, &PEOPLE, &KEYS];

/// Where a page of the log ends, so that the next one goes on there: the number of the last entry of each database. As text,
/// for addresses: `<registry's>.<people's>.<keys'>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPlace([i64; AUDITED.len()]);

impl fmt::Display for AuditPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [registry, people, keys] = self.0;
        write!(f, "{registry}.{people}.{keys}")
    }
}

impl FromStr for AuditPlace {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<AuditPlace, Self::Err> {
        let mut numbers = text.splitn(AUDITED.len(), '.');
        let mut place = [0; AUDITED.len()];
        for number in &mut place {
            *number = numbers.next().unwrap_or_default().parse()?;
        }
        Ok(AuditPlace(place))
    }
}

/// The log of one data folder, opened to read.
#[derive(Debug)]
pub struct AuditLog {
    databases: Vec<Connection>,
}

impl AuditLog {
    /// Opens it, and makes the databases where they are missing.
    pub fn open(folder: &Folder) -> Result<AuditLog, StoreError> {
        let read = |database: &Database| {
            if !folder.file(database.name).exists() {
                database.open(folder)?;
            }
            database.open_to_read(folder)
        };
        Ok(AuditLog { databases: AUDITED.into_iter().map(read).collect::<Result<_, _>>()? })
    }

    /// The newest entries that fit and come before a place, and where to go on; `None` where there are no more.
    pub fn page(
        &self,
        filter: &AuditFilter,
        before: Option<AuditPlace>,
        limit: usize,
    ) -> Result<(Vec<AuditEntry>, Option<AuditPlace>), StoreError> {
        let mut place = before.unwrap_or(AuditPlace([i64::MAX; AUDITED.len()]));
        let mut heads = Vec::with_capacity(AUDITED.len());
        for (connection, before) in self.databases.iter().zip(place.0) {
            heads.push(fitting(connection, filter, before, limit + 1)?.into_iter().peekable());
        }
        let mut entries = Vec::new();
        // Each database's entries stay in their order, whatever its clock said, so that none is passed over.
        while let Some(newest) = newest(&mut heads) {
            if entries.len() == limit {
                return Ok((entries, Some(place)));
            }
            if let Some((number, entry)) = heads[newest].next() {
                place.0[newest] = number;
                entries.push(entry);
            }
        }
        Ok((entries, None))
    }

    /// Everybody who did something, and every word for what was done, in order.
    pub fn words(&self) -> Result<(Vec<String>, Vec<String>), StoreError> {
        Ok((self.distinct("actor")?, self.distinct("action")?))
    }

    fn distinct(&self, column: &str) -> Result<Vec<String>, StoreError> {
        let mut words = Vec::new();
        for connection in &self.databases {
            let mut statement =
                connection.prepare_cached(&format!("SELECT DISTINCT {column} FROM audit"))?;
            let rows = statement.query_map([], |row| row.get(0))?;
            words.extend(rows.collect::<Result<Vec<String>, _>>()?);
        }
        words.sort_unstable();
        words.dedup();
        Ok(words)
    }
}

/// Which of the lists begins with the newest entry; `None` where all are at their end.
fn newest(heads: &mut [Peekable<IntoIter<(i64, AuditEntry)>>]) -> Option<usize> {
    let firsts = heads.iter_mut().map(|head| head.peek().map(|(_, entry)| entry.at)).enumerate();
    // Of the same moment, the first list's: its entries are the ones people look for.
    firsts.rev().max_by_key(|(_, at)| *at).filter(|(_, at)| at.is_some()).map(|(list, _)| list)
}

/// Entries of one database below a number, newest first.
pub(crate) fn fitting(
    connection: &Connection,
    filter: &AuditFilter,
    before: i64,
    limit: usize,
) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
    let mut conditions = vec!["number < ?1"];
    if filter.actor.is_some() {
        conditions.push("actor = ?2");
    }
    if filter.action.is_some() {
        conditions.push("action = ?3");
    }
    let (text, things) = filter.thing.clone().unwrap_or_default();
    if filter.thing.is_some() {
        // Looked for in the index, whose rows are short.
        conditions.push(
            "number IN (SELECT number FROM audit WHERE instr(lower(thing), ?4) OR thing IN (SELECT value FROM json_each(?5)))",
        );
    }
    let mut statement = connection.prepare_cached(&format!(
        "SELECT number, at, actor, action, thing, before, after FROM audit
         WHERE {} ORDER BY number DESC LIMIT ?6",
        conditions.join(" AND ")
    ))?;
    let (text, things) = (text.to_lowercase(), serde_json::json!(things).to_string());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = params![before, filter.actor, filter.action, text, things, limit];
    let rows = statement.query_map(values, |row| {
        let entry = AuditEntry {
            at: Timestamp(row.get(1)?),
            actor: row.get(2)?,
            action: row.get(3)?,
            thing: row.get(4)?,
            before: row.get(5)?,
            after: row.get(6)?,
        };
        Ok((row.get(0)?, entry))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
