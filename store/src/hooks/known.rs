//! Webhooks' definitions: on disk in the registry, in memory in the snapshot.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, params};

use beaconry_model::names::{Discriminator, SectionId};
use beaconry_model::segment::Segment;
use beaconry_model::time::Timestamp;
use beaconry_model::webhook::{Topic, Webhook};

use super::payload;
use crate::audit::{self, AuditEntry};
use crate::error::StoreError;
use crate::profiles;
use crate::registry::Registry;
use crate::snapshot::{Snapshot, parse};

/// The registry's table of webhooks. Secrets lie beside the documents, so that the audit never has one.
pub(crate) const MIGRATION: &str = "
        CREATE TABLE webhooks (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            discriminator TEXT NOT NULL UNIQUE,
            section TEXT NOT NULL,
            doc TEXT NOT NULL,
            secret TEXT NOT NULL
        ) STRICT;
    ";

/// What a webhook's posts are signed with. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct HookSecret(String);

impl HookSecret {
    pub(crate) fn new() -> Result<HookSecret, StoreError> {
        let random: [u8; 32] = crate::random::bytes()?;
        let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(HookSecret(format!("whsec_{hex}")))
    }

    /// The secret itself, whose bytes are the key of the signature.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookSecret(…)")
    }
}

/// A webhook with the number that deliveries carry. Never given twice.
#[derive(Clone, Debug)]
pub struct KnownWebhook {
    /// Its number in this data folder.
    pub number: u32,
    /// Its definition.
    pub hook: Webhook,
    /// What its posts are signed with.
    pub secret: HookSecret,
}

pub(crate) fn load(connection: &Connection) -> Result<Vec<KnownWebhook>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, discriminator, doc, secret FROM webhooks ORDER BY number",
    )?;
    let mut rows = statement.query([])?;
    let mut known = Vec::new();
    while let Some(row) = rows.next()? {
        known.push(KnownWebhook {
            number: row.get(0)?,
            hook: parse(&row.get::<_, String>(1)?, &row.get::<_, String>(2)?)?,
            secret: HookSecret(row.get(3)?),
        });
    }
    Ok(known)
}

impl Snapshot {
    /// The webhook with this discriminator.
    pub fn webhook(&self, discriminator: &str) -> Result<&KnownWebhook, StoreError> {
        let found = self.webhooks().iter().find(|known| known.hook.discriminator == discriminator);
        let name = || discriminator.to_owned();
        found.ok_or_else(|| StoreError::NotFound { what: "webhook", name: name() })
    }

    /// The webhooks that name this event, or watch a segment that does: they hear of it no more once it is hidden.
    pub fn webhooks_naming(&self, event: &Discriminator) -> Vec<&KnownWebhook> {
        let segments = self.audience().segments_naming(event);
        let names = |topic: &Topic| {
            topic.event() == Some(event)
                || segments.iter().any(|named| topic.segment() == Some(&named.discriminator))
        };
        self.webhooks().iter().filter(|known| known.hook.topics.iter().any(names)).collect()
    }

    /// The segment of this section with this discriminator.
    pub(super) fn segment_of(&self, section: &SectionId, discriminator: &str) -> Option<&Segment> {
        let mut all = self.audience().segments().iter();
        all.find(|segment| segment.discriminator == discriminator && segment.section == *section)
    }
}

/// What is wrong with each topic of a webhook: nothing of it is posted, be it that it is not there or that nobody could be told.
pub fn hook_remarks(snapshot: &Snapshot, hook: &Webhook) -> Vec<String> {
    hook.topics.iter().filter_map(|topic| remark(snapshot, hook, topic)).collect()
}

fn remark(snapshot: &Snapshot, hook: &Webhook, topic: &Topic) -> Option<String> {
    match (topic.event(), topic.segment()) {
        (Some(named), _) => event_remark(snapshot, hook, topic, named),
        (None, Some(named)) => segment_remark(snapshot, hook, named),
        (None, None) => None,
    }
}

fn event_remark(
    snapshot: &Snapshot,
    hook: &Webhook,
    topic: &Topic,
    named: &Discriminator,
) -> Option<String> {
    let known = snapshot.event(named.as_str()).ok();
    let known = known.filter(|known| *known.event.section() == hook.section);
    let Some(known) = known.filter(|known| known.event.hidden_at().is_none()) else {
        return Some(format!("event: {named} is hidden or not in this section"));
    };
    let event = &known.event;
    if let Topic::Event { versions, .. } = topic
        && let Some(absent) = versions.iter().find(|of| event.versions().get(**of).is_none())
    {
        return Some(format!("event: \"{}\" has no version {absent}", event.slug()));
    }
    let unreadable = payload::readable(hook, event).is_empty();
    unreadable.then(|| format!("event: none of its keyspaces may read \"{}\"", event.slug()))
}

fn segment_remark(snapshot: &Snapshot, hook: &Webhook, named: &str) -> Option<String> {
    let Some(segment) = snapshot.segment_of(&hook.section, named) else {
        return Some(format!("segment: {named} is not in this section"));
    };
    let remarks = profiles::remarks(snapshot, &segment.section, &segment.condition);
    if let Some(broken) = remarks.iter().find(|remark| remark.breaks()) {
        return Some(format!("segment: \"{}\": {broken}", segment.name));
    }
    let unreadable = payload::readable_segment(snapshot, hook, segment).is_empty();
    unreadable.then(|| {
        format!("segment: none of its keyspaces may read the events of \"{}\"", segment.name)
    })
}

impl Registry {
    pub(crate) fn add_webhook(
        &mut self,
        hook: &Webhook,
        secret: &HookSecret,
        actor: &str,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let transaction = self.writing()?;
        let doc = serde_json::to_string(hook).unwrap_or_default();
        transaction.execute(
            "INSERT INTO webhooks (discriminator, section, doc, secret) VALUES (?, ?, ?, ?)",
            params![hook.discriminator, hook.section.as_str(), doc, secret.0],
        )?;
        let number = u32::try_from(transaction.last_insert_rowid()).unwrap_or(u32::MAX);
        note(&transaction, "webhook.create", &hook.discriminator, actor, now, (None, Some(doc)))?;
        transaction.commit()?;
        Ok(number)
    }

    pub(crate) fn delete_webhook(
        &mut self,
        discriminator: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let transaction = self.writing()?;
        let doc: Option<String> = transaction
            .query_row("SELECT doc FROM webhooks WHERE discriminator = ?", [discriminator], |row| {
                row.get(0)
            })
            .optional()?;
        let Some(doc) = doc else {
            return Err(StoreError::NotFound { what: "webhook", name: discriminator.to_owned() });
        };
        transaction.execute("DELETE FROM webhooks WHERE discriminator = ?", [discriminator])?;
        note(&transaction, "webhook.delete", discriminator, actor, now, (Some(doc), None))?;
        Ok(transaction.commit()?)
    }
}

fn note(
    connection: &Connection,
    action: &str,
    thing: &str,
    actor: &str,
    at: Timestamp,
    (before, after): (Option<String>, Option<String>),
) -> Result<(), StoreError> {
    let (actor, action, thing) = (actor.to_owned(), action.to_owned(), thing.to_owned());
    audit::record(connection, &AuditEntry { at, actor, action, thing, before, after })
}
