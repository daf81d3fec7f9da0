//! Definitions about people at one moment, in memory: attributes, consent lists, segments, and sections' secrets.

use std::collections::HashMap;
use std::fmt;

use rusqlite::Connection;

use beaconry_model::attribute::{self, Attribute, FIRST_CUSTOM};
use beaconry_model::consent::ConsentList;
use beaconry_model::names::{Discriminator, SectionId};
use beaconry_model::segment::{Leaf, Segment};
use beaconry_model::time::Timestamp;

use crate::error::StoreError;
use crate::snapshot::parse;

/// An attribute with the number that profiles carry.
#[derive(Clone, Debug)]
pub struct KnownAttribute {
    /// Its number in this data folder.
    pub number: u32,
    /// Its definition.
    pub attribute: Attribute,
}

/// What a section signs tokens with. Never printed.
#[derive(Clone)]
pub(crate) struct Secret {
    pub(crate) bytes: Vec<u8>,
    /// Until when it is taken; `None` for the newest.
    pub(crate) until: Option<Timestamp>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("until", &self.until).finish_non_exhaustive()
    }
}

/// Definitions about people.
#[derive(Debug, Default)]
pub struct Audience {
    attributes: Vec<KnownAttribute>,
    lists: Vec<ConsentList>,
    segments: Vec<Segment>,
    secrets: HashMap<SectionId, Vec<Secret>>,
}

impl Audience {
    pub(crate) fn load(connection: &Connection) -> Result<Audience, StoreError> {
        let defaults = attribute::defaults().into_iter();
        let mut attributes: Vec<KnownAttribute> =
            defaults.map(|(number, attribute)| KnownAttribute { number, attribute }).collect();
        let custom =
            docs(connection, "SELECT number, discriminator, doc FROM attributes ORDER BY number")?;
        for (number, attribute) in custom {
            attributes.push(KnownAttribute { number: FIRST_CUSTOM + number, attribute });
        }
        let values = |(_, value)| value;
        let lists = docs(
            connection,
            "SELECT number, discriminator, doc FROM consent_lists ORDER BY number",
        )?;
        let segments =
            docs(connection, "SELECT number, discriminator, doc FROM segments ORDER BY number")?;
        Ok(Audience {
            attributes,
            lists: lists.into_iter().map(values).collect(),
            segments: segments.into_iter().map(|(_, segment)| segment).collect(),
            secrets: secrets(connection)?,
        })
    }

    /// The section's attributes: the default ones first.
    pub fn attributes<'a>(
        &'a self,
        section: &SectionId,
    ) -> impl Iterator<Item = &'a KnownAttribute> {
        self.attributes
            .iter()
            .filter(move |known| known.attribute.section.as_ref().is_none_or(|of| of == section))
    }

    /// Every attribute.
    pub fn all_attributes(&self) -> &[KnownAttribute] {
        &self.attributes
    }

    /// The section's attribute with this discriminator or this name.
    pub fn attribute(&self, section: &SectionId, words: &str) -> Option<&KnownAttribute> {
        self.attributes(section).find(|known| {
            known.attribute.discriminator == words || known.attribute.name.as_str() == words
        })
    }

    /// The section's attribute that has a version with this id.
    pub fn attribute_by_version(&self, section: &SectionId, id: &str) -> Option<&KnownAttribute> {
        self.attributes(section).find(|known| known.attribute.version(id).is_some())
    }

    /// The section's consent lists.
    pub fn consent_lists<'a>(
        &'a self,
        section: &SectionId,
    ) -> impl Iterator<Item = &'a ConsentList> {
        self.lists.iter().filter(move |list| list.section == *section)
    }

    /// The section's consent list with this discriminator or this name.
    pub fn consent_list(&self, section: &SectionId, words: &str) -> Option<&ConsentList> {
        let mut lists = self.consent_lists(section);
        lists.find(|list| list.discriminator == words || list.name.as_str() == words)
    }

    /// Every segment.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The segment with this discriminator, or the one with this name.
    pub fn segment(&self, words: &str) -> Result<&Segment, StoreError> {
        let fits =
            |segment: &&Segment| segment.discriminator == words || segment.name.as_str() == words;
        let not_found = || StoreError::NotFound { what: "segment", name: words.to_owned() };
        self.segments.iter().find(fits).ok_or_else(not_found)
    }

    /// The segments that name this event: they break once it is hidden.
    pub fn segments_naming(&self, event: &Discriminator) -> Vec<&Segment> {
        let names =
            |leaf: &Leaf| matches!(leaf, Leaf::Event(condition) if condition.event == *event);
        self.segments
            .iter()
            .filter(|segment| segment.condition.leaves().iter().any(names))
            .collect()
    }

    /// The secrets that this section's tokens may be signed with at this moment.
    pub(crate) fn secrets(
        &self,
        section: &SectionId,
        now: Timestamp,
    ) -> impl Iterator<Item = &[u8]> {
        let all = self.secrets.get(section).map(Vec::as_slice).unwrap_or_default();
        let valid = all.iter().filter(move |secret| secret.until.is_none_or(|until| until > now));
        valid.map(|secret| secret.bytes.as_slice())
    }

    /// Whether the section has a secret at all.
    pub fn has_secret(&self, section: &SectionId) -> bool {
        self.secrets.contains_key(section)
    }
}

fn docs<T: serde::de::DeserializeOwned>(
    connection: &Connection,
    sql: &str,
) -> Result<Vec<(u32, T)>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut docs = Vec::new();
    while let Some(row) = rows.next()? {
        docs.push((row.get(0)?, parse(&row.get::<_, String>(1)?, &row.get::<_, String>(2)?)?));
    }
    Ok(docs)
}

fn secrets(connection: &Connection) -> Result<HashMap<SectionId, Vec<Secret>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT section, secret, until FROM section_secrets ORDER BY number DESC",
    )?;
    let mut rows = statement.query([])?;
    let mut secrets: HashMap<SectionId, Vec<Secret>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let secret =
            Secret { bytes: row.get(1)?, until: row.get::<_, Option<i64>>(2)?.map(Timestamp) };
        secrets.entry(SectionId::try_from(row.get::<_, String>(0)?)?).or_default().push(secret);
    }
    Ok(secrets)
}
