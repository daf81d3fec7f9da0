//! Definitions about people on disk: attributes, consent lists, segments, and the secrets that sections sign tokens with.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use beaconry_model::attribute::Attribute;
use beaconry_model::consent::ConsentList;
use beaconry_model::error::Refusal;
use beaconry_model::names::SectionId;
use beaconry_model::segment::Segment;
use beaconry_model::time::{DAY_MS, Timestamp};

use super::{Registry, json};
use crate::audit::{self, AuditEntry};
use crate::error::StoreError;
use crate::keyed::Keyed;
use crate::snapshot::parse;

/// How long a secret is still taken after another one was made, in milliseconds: as long as a token may live.
const OVERLAP_MS: i64 = DAY_MS;

/// The name of the setting that holds the secret of keyed hashes: of people who are locked, of events that are erased or posted.
const LOCK_KEY: &str = "profiles.lock_key";

/// A table of definitions: how it is called, and what its rows are.
struct Table {
    name: &'static str,
    what: &'static str,
    action: &'static str,
}

const ATTRIBUTES: Table = Table { name: "attributes", what: "attribute", action: "attribute" };
const LISTS: Table = Table { name: "consent_lists", what: "consent-list", action: "consent_list" };
const SEGMENTS: Table = Table { name: "segments", what: "segment", action: "segment" };

impl Registry {
    /// Adds an attribute to its section.
    pub fn add_attribute(
        &mut self,
        attribute: &Attribute,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let section = attribute.section.as_ref().map_or("", SectionId::as_str);
        self.add(&ATTRIBUTES, &attribute.discriminator, section, attribute, actor, now)
    }

    /// Changes an attribute.
    pub fn change_attribute(
        &mut self,
        discriminator: &str,
        actor: &str,
        now: Timestamp,
        change: impl FnOnce(&mut Attribute) -> Result<(), Refusal>,
    ) -> Result<Attribute, StoreError> {
        self.change(&ATTRIBUTES, discriminator, actor, now, change)
    }

    /// Adds a consent list to its section.
    pub fn add_consent_list(
        &mut self,
        list: &ConsentList,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.add(&LISTS, &list.discriminator, list.section.as_str(), list, actor, now)
    }

    /// Changes a consent list.
    pub fn change_consent_list(
        &mut self,
        discriminator: &str,
        actor: &str,
        now: Timestamp,
        change: impl FnOnce(&mut ConsentList) -> Result<(), Refusal>,
    ) -> Result<ConsentList, StoreError> {
        self.change(&LISTS, discriminator, actor, now, change)
    }

    /// Adds a segment to its section.
    pub fn add_segment(
        &mut self,
        segment: &Segment,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.add(&SEGMENTS, &segment.discriminator, segment.section.as_str(), segment, actor, now)
    }

    /// Changes a segment's name or condition.
    pub fn change_segment(
        &mut self,
        discriminator: &str,
        actor: &str,
        now: Timestamp,
        change: impl FnOnce(&mut Segment) -> Result<(), Refusal>,
    ) -> Result<Segment, StoreError> {
        self.change(&SEGMENTS, discriminator, actor, now, change)
    }

    /// Deletes a segment.
    pub fn delete_segment(
        &mut self,
        discriminator: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = doc(&transaction, &SEGMENTS, discriminator)?;
        transaction.execute("DELETE FROM segments WHERE discriminator = ?", [discriminator])?;
        record(&transaction, &SEGMENTS, "delete", discriminator, actor, now, (Some(before), None))?;
        Ok(transaction.commit()?)
    }

    /// Gives a section a new secret to sign tokens with. Earlier ones are taken for another day, or not at all any more.
    /// The audit says that it was done, and nothing of the secret.
    pub fn add_section_secret(
        &mut self,
        section: &SectionId,
        secret: &[u8],
        at_once: bool,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let until = if at_once { now } else { now.plus(OVERLAP_MS) };
        transaction.execute(
            "UPDATE section_secrets SET until = ?2 WHERE section = ?1 AND coalesce(until, ?2) >= ?2",
            params![section.as_str(), until.0],
        )?;
        transaction.execute("DELETE FROM section_secrets WHERE until <= ?", [now.0])?;
        transaction.execute(
            "INSERT INTO section_secrets (section, secret, made) VALUES (?, ?, ?)",
            params![section.as_str(), secret, now.0],
        )?;
        audit::record(
            &transaction,
            &AuditEntry {
                at: now,
                actor: actor.to_owned(),
                action: "section.secret".to_owned(),
                thing: section.to_string(),
                before: None,
                after: None,
            },
        )?;
        Ok(transaction.commit()?)
    }

    /// Notes in the audit that a profile was erased, without saying whose.
    pub(crate) fn note_erased(
        &mut self,
        lock: bool,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        audit::record(
            &self.connection,
            &AuditEntry {
                at: now,
                actor: actor.to_owned(),
                action: if lock { "profile.lock" } else { "profile.erase" }.to_owned(),
                thing: "a profile".to_owned(),
                before: None,
                after: None,
            },
        )
    }

    /// What hashes with the folder's secret, which is made where it is missing.
    pub(crate) fn keyed(&mut self) -> Result<Keyed, StoreError> {
        let random: [u8; 32] = crate::random::bytes()?;
        let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        self.connection.execute(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO NOTHING",
            params![LOCK_KEY, hex],
        )?;
        Ok(Keyed::new(self.setting(LOCK_KEY)?.unwrap_or_default().as_bytes()))
    }

    /// That secret, where there is one.
    pub(crate) fn known_lock_key(registry: &Connection) -> Result<Option<String>, StoreError> {
        let mut statement = registry.prepare("SELECT value FROM settings WHERE name = ?")?;
        Ok(statement.query_row([LOCK_KEY], |row| row.get(0)).optional()?)
    }

    /// Takes the secret of another folder, where this one has none yet.
    pub(crate) fn keep_lock_key(&mut self, key: &str) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO NOTHING",
            params![LOCK_KEY, key],
        )?;
        Ok(())
    }

    fn add(
        &mut self,
        table: &Table,
        discriminator: &str,
        section: &str,
        value: &impl Serialize,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let doc = json(value);
        transaction.execute(
            &format!("INSERT INTO {} (discriminator, section, doc) VALUES (?, ?, ?)", table.name),
            params![discriminator, section, doc],
        )?;
        record(&transaction, table, "create", discriminator, actor, now, (None, Some(doc)))?;
        Ok(transaction.commit()?)
    }

    fn change<T: Serialize + DeserializeOwned>(
        &mut self,
        table: &Table,
        discriminator: &str,
        actor: &str,
        now: Timestamp,
        change: impl FnOnce(&mut T) -> Result<(), Refusal>,
    ) -> Result<T, StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = doc(&transaction, table, discriminator)?;
        let mut value: T = parse(discriminator, &before)?;
        change(&mut value)?;
        let after = json(&value);
        transaction.execute(
            &format!("UPDATE {} SET doc = ? WHERE discriminator = ?", table.name),
            params![after, discriminator],
        )?;
        record(
            &transaction,
            table,
            "change",
            discriminator,
            actor,
            now,
            (Some(before), Some(after)),
        )?;
        transaction.commit()?;
        Ok(value)
    }
}

fn doc(connection: &Connection, table: &Table, discriminator: &str) -> Result<String, StoreError> {
    let found = connection
        .query_row(
            &format!("SELECT doc FROM {} WHERE discriminator = ?", table.name),
            [discriminator],
            |row| row.get(0),
        )
        .optional()?;
    found.ok_or_else(|| StoreError::NotFound { what: table.what, name: discriminator.to_owned() })
}

fn record(
    connection: &Connection,
    table: &Table,
    action: &str,
    thing: &str,
    actor: &str,
    now: Timestamp,
    (before, after): (Option<String>, Option<String>),
) -> Result<(), StoreError> {
    audit::record(
        connection,
        &AuditEntry {
            at: now,
            actor: actor.to_owned(),
            action: format!("{}.{action}", table.action),
            thing: thing.to_owned(),
            before,
            after,
        },
    )
}
