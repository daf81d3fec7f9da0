//! Definitions about people as somebody asks for them: made with what keeps them apart from others, then saved.

use beaconry_model::attribute::Attribute;
use beaconry_model::consent::ConsentList;
use beaconry_model::fields::Limits;
use beaconry_model::names::{Name, SectionId};
use beaconry_model::time::Timestamp;
use beaconry_model::value::Kind;

use super::Registry;
use crate::error::StoreError;
use crate::random::bytes;

impl Registry {
    /// Makes an attribute of a section.
    pub fn create_attribute(
        &mut self,
        section: &SectionId,
        name: Name,
        (kind, limits): (Kind, Limits),
        actor: &str,
        now: Timestamp,
    ) -> Result<Attribute, StoreError> {
        let random = (bytes()?, bytes()?);
        let attribute = Attribute::create(section.clone(), name, kind, limits, random, now)?;
        self.add_attribute(&attribute, actor, now)?;
        Ok(attribute)
    }

    /// Gives an attribute another type or other limits.
    pub fn edit_attribute(
        &mut self,
        discriminator: &str,
        (kind, limits): (Kind, Limits),
        actor: &str,
        now: Timestamp,
    ) -> Result<Attribute, StoreError> {
        let random = bytes()?;
        self.change_attribute(discriminator, actor, now, |attribute| {
            attribute.edit(kind, limits, random, now)
        })
    }

    /// Makes a consent list of a section, with these topics.
    pub fn create_consent_list(
        &mut self,
        section: &SectionId,
        name: Name,
        topics: Vec<Name>,
        actor: &str,
        now: Timestamp,
    ) -> Result<ConsentList, StoreError> {
        let mut list = ConsentList::create(section.clone(), name, bytes()?, now)?;
        for topic in topics {
            list.add_topic(topic, bytes()?)?;
        }
        self.add_consent_list(&list, actor, now)?;
        Ok(list)
    }

    /// Adds topics to a consent list.
    pub fn add_topics(
        &mut self,
        discriminator: &str,
        topics: Vec<Name>,
        actor: &str,
        now: Timestamp,
    ) -> Result<ConsentList, StoreError> {
        let named = topics.into_iter().map(|name| Ok((name, bytes()?)));
        let named = named.collect::<Result<Vec<(Name, [u8; 10])>, StoreError>>()?;
        self.change_consent_list(discriminator, actor, now, |list| {
            for (name, random) in named {
                list.add_topic(name, random)?;
            }
            Ok(())
        })
    }

    /// Makes a new secret for a section to sign tokens with, and gives it this once: text, so that a back end needs no
    /// decoding, because its bytes are the key.
    pub fn make_section_secret(
        &mut self,
        section: &SectionId,
        at_once: bool,
        actor: &str,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let random: [u8; 32] = bytes()?;
        let secret: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        self.add_section_secret(section, secret.as_bytes(), at_once, actor, now)?;
        Ok(secret)
    }
}
