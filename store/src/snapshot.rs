//! All definitions at one moment, in memory, for those who read them a hundred thousand times a second.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;
use serde::Serialize;

use beaconry_model::event::Event;
use beaconry_model::names::SectionId;
use beaconry_model::section::Section;

use crate::audience::Audience;
use crate::error::StoreError;
use crate::hooks::{self, KnownWebhook};

/// An event's number in this data folder, as rows of the log carry it. Never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct EventNo(pub u32);

/// An event with its number and its section.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its number.
    pub number: EventNo,
    /// Its definition.
    pub event: Event,
    /// The section it belongs to.
    pub section: Arc<Section>,
}

/// All definitions at one moment. Cheap to share, never changed.
#[derive(Debug, Default)]
pub struct Snapshot {
    sections: Vec<Arc<Section>>,
    events: Vec<Arc<Known>>,
    by_key: HashMap<String, Arc<Known>>,
    /// By the id of each version: the event, and the version's number.
    by_version: HashMap<String, (Arc<Known>, u32)>,
    section_numbers: HashMap<SectionId, u32>,
    audience: Audience,
    webhooks: Vec<KnownWebhook>,
}

impl Snapshot {
    pub(crate) fn load(connection: &Connection) -> Result<Snapshot, StoreError> {
        let mut snapshot = Snapshot::default();
        let mut sections: HashMap<SectionId, Arc<Section>> = HashMap::new();
        let mut statement =
            connection.prepare_cached("SELECT id, doc, number FROM sections ORDER BY number")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let section: Arc<Section> =
                Arc::new(parse(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?)?);
            snapshot.section_numbers.insert(section.id.clone(), row.get(2)?);
            sections.insert(section.id.clone(), section.clone());
            snapshot.sections.push(section);
        }
        let mut statement = connection
            .prepare_cached("SELECT number, discriminator, doc FROM events ORDER BY number")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let discriminator: String = row.get(1)?;
            let event: Event = parse(&discriminator, &row.get::<_, String>(2)?)?;
            let section = sections.get(event.section()).cloned();
            let section = section.ok_or_else(|| StoreError::Damaged {
                what: format!("the section of {discriminator}"),
            })?;
            let known = Arc::new(Known { number: EventNo(row.get(0)?), event, section });
            snapshot.by_key.insert(known.event.key().to_string(), known.clone());
            for version in known.event.versions().iter() {
                let place = (known.clone(), version.number);
                snapshot.by_version.insert(version.id.to_string(), place);
            }
            snapshot.events.push(known);
        }
        snapshot.audience = Audience::load(connection)?;
        snapshot.webhooks = hooks::load(connection)?;
        Ok(snapshot)
    }

    /// Every section, in the order they were made.
    pub fn sections(&self) -> &[Arc<Section>] {
        &self.sections
    }

    /// The section with this id or this name.
    pub fn section(&self, words: &str) -> Result<&Arc<Section>, StoreError> {
        let fits = |section: &&Arc<Section>| {
            section.id.as_str() == words || section.name.as_str() == words
        };
        let not_found = || StoreError::NotFound { what: "section", name: words.to_owned() };
        self.sections.iter().find(fits).ok_or_else(not_found)
    }

    /// Every event, hidden ones too, in the order they were made.
    pub fn all_events(&self) -> &[Arc<Known>] {
        &self.events
    }

    /// Every event people can see.
    pub fn visible_events(&self) -> impl Iterator<Item = &Arc<Known>> {
        self.events.iter().filter(|known| known.event.hidden_at().is_none())
    }

    /// The event whose beacons carry this key.
    pub fn by_key(&self, key: &str) -> Option<&Arc<Known>> {
        self.by_key.get(key)
    }

    /// The event that has a version with this id, and the version's number.
    pub fn by_version(&self, id: &str) -> Option<(&Arc<Known>, u32)> {
        self.by_version.get(id).map(|(known, version)| (known, *version))
    }

    /// The number of a section, as profiles carry it.
    pub(crate) fn section_number(&self, id: &SectionId) -> Option<u32> {
        self.section_numbers.get(id).copied()
    }

    /// The section with this number.
    pub(crate) fn section_by_number(&self, number: u32) -> Option<&Arc<Section>> {
        self.sections.iter().find(|section| self.section_number(&section.id) == Some(number))
    }

    /// Definitions about people: attributes, consent lists, segments.
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// Every webhook, in the order they were made.
    pub fn webhooks(&self) -> &[KnownWebhook] {
        &self.webhooks
    }

    /// The event with this number.
    pub fn by_number(&self, number: EventNo) -> Option<&Arc<Known>> {
        // Loaded in the order of their numbers.
        let found = self.events.binary_search_by_key(&number, |known| known.number);
        found.ok().map(|at| &self.events[at])
    }

    /// The event with this discriminator, or the one visible event with this slug.
    pub fn event(&self, words: &str) -> Result<&Arc<Known>, StoreError> {
        if let Some(known) =
            self.events.iter().find(|known| known.event.discriminator().as_str() == words)
        {
            return Ok(known);
        }
        let with_slug: Vec<_> =
            self.visible_events().filter(|known| known.event.slug().as_str() == words).collect();
        match with_slug.as_slice() {
            [known] => Ok(known),
            [] => Err(StoreError::NotFound { what: "event", name: words.to_owned() }),
            several => Err(StoreError::Ambiguous {
                slug: words.to_owned(),
                candidates: several
                    .iter()
                    .map(|known| known.event.discriminator().to_string())
                    .collect(),
            }),
        }
    }
}

pub(crate) fn parse<T: serde::de::DeserializeOwned>(
    name: &str,
    doc: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(doc).map_err(|error| StoreError::Damaged {
        what: format!("the definition of {name} ({error})"),
    })
}
