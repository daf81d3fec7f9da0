//! Definitions on disk: each change is one transaction with its audit entry.

mod apply;
mod define;
mod people;

use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};

use beaconry_model::error::Refusal;
use beaconry_model::event::Event;
use beaconry_model::section::Section;
use beaconry_model::time::Timestamp;

use crate::audit::{self, AuditEntry, AuditFilter};
use crate::condition::Condition;
use crate::error::StoreError;
use crate::folder::Folder;
use crate::jobs::Job;
use crate::published::{self, PublishedFile};
use crate::schema::REGISTRY;
use crate::snapshot::{EventNo, Snapshot, parse};
use crate::write_back::Writable;

pub use apply::{Plan, Planned};

/// The registry of one data folder. Several processes may have it open.
#[derive(Debug)]
pub struct Registry {
    connection: Writable,
}

impl Registry {
    /// Opens the folder's registry, and makes it where it is missing.
    pub fn open(folder: &Folder) -> Result<Registry, StoreError> {
        Ok(Registry { connection: REGISTRY.open(folder)? })
    }

    /// The same for a store that runs, which stops where the disk fails at writing back.
    pub(crate) fn open_for(
        folder: &Folder,
        condition: &Arc<Condition>,
    ) -> Result<Registry, StoreError> {
        Ok(Registry { connection: REGISTRY.open_for(folder, condition)? })
    }

    /// A transaction that writes, for what has a file of its own.
    pub(crate) fn writing(&mut self) -> Result<rusqlite::Transaction<'_>, StoreError> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    /// The connection, to read what has a file of its own.
    pub(crate) fn reading(&self) -> &Connection {
        &self.connection
    }

    /// All definitions as they are now.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Snapshot::load(&self.connection)
    }

    /// A number that changes whenever somebody else's connection changes the registry.
    pub(crate) fn data_version(&self) -> Result<i64, StoreError> {
        Ok(self.connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// Adds a section.
    pub fn add_section(
        &mut self,
        section: &Section,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let doc = json(section);
        transaction.execute(
            "INSERT INTO sections (id, doc) VALUES (?, ?)",
            params![section.id.as_str(), doc],
        )?;
        audit::record(
            &transaction,
            &AuditEntry {
                at: now,
                actor: actor.to_owned(),
                action: "section.create".to_owned(),
                thing: section.id.to_string(),
                before: None,
                after: Some(doc),
            },
        )?;
        Ok(transaction.commit()?)
    }

    /// Changes a section's settings.
    pub fn change_section(
        &mut self,
        section: &Section,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let id = section.id.as_str();
        let before: Option<String> = transaction
            .query_row("SELECT doc FROM sections WHERE id = ?", [id], |row| row.get(0))
            .optional()?;
        let before =
            before.ok_or_else(|| StoreError::NotFound { what: "section", name: id.to_owned() })?;
        let doc = json(section);
        transaction.execute("UPDATE sections SET doc = ? WHERE id = ?", params![doc, id])?;
        audit::record(
            &transaction,
            &AuditEntry {
                at: now,
                actor: actor.to_owned(),
                action: "section.change".to_owned(),
                thing: id.to_owned(),
                before: Some(before),
                after: Some(doc),
            },
        )?;
        Ok(transaction.commit()?)
    }

    /// Adds an event. Its slug must be free among the section's visible events.
    pub fn add_event(
        &mut self,
        event: &Event,
        actor: &str,
        now: Timestamp,
    ) -> Result<EventNo, StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let doc = json(event);
        let added = transaction.execute(
            "INSERT INTO events (discriminator, key, section, slug, hidden, doc) VALUES (?, ?, ?, ?, 0, ?)",
            params![
                event.discriminator().as_str(),
                event.key().as_str(),
                event.section().as_str(),
                event.slug().as_str(),
                doc
            ],
        );
        added.map_err(|error| slug_taken(error, event))?;
        let number = EventNo(u32::try_from(transaction.last_insert_rowid()).unwrap_or(u32::MAX));
        audit::record(
            &transaction,
            &AuditEntry {
                at: now,
                actor: actor.to_owned(),
                action: "event.create".to_owned(),
                thing: event.discriminator().to_string(),
                before: None,
                after: Some(doc),
            },
        )?;
        transaction.commit()?;
        Ok(number)
    }

    /// Changes an event: loads it, lets `change` decide, and saves it with an audit entry; all in one transaction. An event
    /// that `change` leaves as it was is not saved, and nothing is noted.
    pub fn change_event<T>(
        &mut self,
        number: EventNo,
        actor: &str,
        action: &str,
        now: Timestamp,
        change: impl FnOnce(&mut Event) -> Result<T, Refusal>,
    ) -> Result<(Event, T), StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before: String = transaction.query_row(
            "SELECT doc FROM events WHERE number = ?",
            [number.0],
            |row| row.get(0),
        )?;
        let mut event: Event = parse("an event", &before)?;
        let outcome = change(&mut event)?;
        let doc = json(&event);
        if doc == before {
            return Ok((event, outcome));
        }
        let saved = transaction.execute(
            "UPDATE events SET slug = ?, hidden = ?, doc = ? WHERE number = ?",
            params![event.slug().as_str(), event.hidden_at().is_some(), doc, number.0],
        );
        saved.map_err(|error| slug_taken(error, &event))?;
        audit::record(
            &transaction,
            &AuditEntry {
                at: now,
                actor: actor.to_owned(),
                action: action.to_owned(),
                thing: event.discriminator().to_string(),
                before: Some(before),
                after: Some(doc),
            },
        )?;
        transaction.commit()?;
        Ok((event, outcome))
    }

    /// Notes in the audit log what was done to something else than a definition.
    pub fn note(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        audit::record(&self.connection, entry)
    }

    /// The newest changes to definitions first.
    pub fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let all = AuditFilter::default();
        let newest = audit::fitting(&self.connection, &all, i64::MAX, limit as usize)?;
        Ok(newest.into_iter().map(|(_, entry)| entry).collect())
    }

    /// Keeps files for ever. Those that are there already stay as they are.
    pub fn publish(&mut self, files: &[PublishedFile], now: Timestamp) -> Result<(), StoreError> {
        if published::all_there(&self.connection, files)? {
            return Ok(());
        }
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        published::publish(&transaction, files, now)?;
        Ok(transaction.commit()?)
    }

    /// The published file at this path.
    pub fn published(&self, path: &str) -> Result<Option<PublishedFile>, StoreError> {
        published::find(&self.connection, path)
    }

    /// A setting of the data folder.
    pub fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT value FROM settings WHERE name = ?")?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }

    /// Keeps a setting of the data folder.
    pub fn set_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            params![name, value],
        )?;
        Ok(())
    }

    /// Leaves work for the running server, and gives it a number to ask by.
    pub(crate) fn ask(&mut self, job: &Job, now: Timestamp) -> Result<i64, StoreError> {
        self.connection
            .execute("INSERT INTO jobs (at, job) VALUES (?, ?)", params![now.0, json(job)])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Work nobody has done yet.
    pub(crate) fn open_jobs(&self) -> Result<Vec<(i64, Job)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT number, job FROM jobs WHERE result IS NULL ORDER BY number")?;
        let mut rows = statement.query([])?;
        let mut jobs = Vec::new();
        while let Some(row) = rows.next()? {
            jobs.push((row.get(0)?, parse("a job", &row.get::<_, String>(1)?)?));
        }
        Ok(jobs)
    }

    /// How far a job has come, as its row says, and what became of it, once it is done.
    pub(crate) fn job(&self, number: i64) -> Result<(String, Option<String>), StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT job, result FROM jobs WHERE number = ?")?;
        Ok(statement.query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// Writes another job where one was.
    pub(crate) fn change_job(&mut self, number: i64, job: &Job) -> Result<(), StoreError> {
        self.connection
            .execute("UPDATE jobs SET job = ? WHERE number = ?", params![json(job), number])?;
        Ok(())
    }

    /// Says what became of a job.
    pub(crate) fn finish_job(
        &mut self,
        number: i64,
        result: &impl serde::Serialize,
    ) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE jobs SET result = ? WHERE number = ?",
            params![json(result), number],
        )?;
        Ok(())
    }

    /// Takes back a job that nobody has done, or whose answer was read.
    pub(crate) fn drop_job(&mut self, number: i64) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM jobs WHERE number = ?", [number])?;
        Ok(())
    }
}

/// The model's documents hold only text, numbers and lists, which JSON can always say.
fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn slug_taken(error: rusqlite::Error, event: &Event) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => {
            Refusal::SlugTaken { slug: event.slug().to_string() }.into()
        }
        _ => error.into(),
    }
}
