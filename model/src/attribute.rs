//! Attributes: what is known of a person, typed like a field, in numbered versions.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::check::Violation;
use crate::data::{FieldError, check_value};
use crate::error::{Invalid, Refusal};
use crate::fields::{Field, Limits};
use crate::json::{Member, Reader, read};
use crate::names::{FieldName, Name, SectionId, Slug, VersionId, letters};
use crate::time::Timestamp;
use crate::value::Kind;

/// The name under which an attribute's one field is kept. Nobody sees it.
const VALUE: &str = "value";
/// The longest text of an attribute, in characters.
const MAX_TEXT: u32 = 4_000;

/// One version of an attribute: a type and limits. Never changed once made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeVersion {
    /// Opaque and unique.
    pub id: VersionId,
    /// 1, 2, 3 …
    pub number: u32,
    /// The type and limits of its value.
    pub field: Field,
    /// When it was saved.
    pub saved_at: Timestamp,
}

/// An attribute with all its versions. Unlike an event's, a new version is current at once: nothing is pasted that could
/// still use the one before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its address for good: `com.beaconry.attributes.custom-<slug>-<10 of a-z0-9>`, or a default one's.
    pub discriminator: String,
    /// The section it belongs to; `None` for a default one, which every section has.
    pub section: Option<SectionId>,
    /// What people call it.
    pub name: Name,
    /// Its versions, oldest first; at least one.
    pub versions: Vec<AttributeVersion>,
}

/// The default attributes: number in the store, last part of the address, name, type.
const DEFAULTS: [(u32, &str, &str, Kind); 10] = [
    (1, "email", "Email", Kind::Text),
    (2, "mobile", "Mobile", Kind::Text),
    (3, "crm-id", "CRM id", Kind::Text),
    (4, "first-name", "First name", Kind::Text),
    (5, "last-name", "Last name", Kind::Text),
    (6, "birthday", "Birthday", Kind::Date),
    (7, "city", "City", Kind::Text),
    (8, "postal-code", "Postal code", Kind::Text),
    (9, "country", "Country", Kind::Text),
    (10, "language", "Language", Kind::Text),
];

/// Attributes that every section has, each with its number. Their versions' ids are the same on every server.
pub fn defaults() -> Vec<(u32, Attribute)> {
    DEFAULTS
        .into_iter()
        .map(|(number, slug, name, kind)| {
            let Ok(name) = Name::try_from(name.to_owned()) else {
                unreachable!("ready-made names are valid")
            };
            let mut id = *b"beaconry default";
            id[15] = number as u8;
            let version = AttributeVersion {
                id: VersionId::new(id),
                number: 1,
                field: Field::ready(VALUE, kind, false),
                saved_at: Timestamp(0),
            };
            let discriminator = format!("com.beaconry.attributes.{slug}");
            (number, Attribute { discriminator, section: None, name, versions: vec![version] })
        })
        .collect()
}

/// The first number of attributes that people define; smaller ones are default ones'.
pub const FIRST_CUSTOM: u32 = 1_000;

impl Attribute {
    /// A new attribute of a section; `random` makes its address and its version's id unique.
    pub fn create(
        section: SectionId,
        name: Name,
        kind: Kind,
        limits: Limits,
        random: ([u8; 10], [u8; 16]),
        now: Timestamp,
    ) -> Result<Attribute, Invalid> {
        let slug = Slug::of(&name)?;
        let discriminator = format!("com.beaconry.attributes.custom-{slug}-{}", letters(&random.0));
        let field = Field::new(value_name(), kind, false, limits)?;
        let version =
            AttributeVersion { id: VersionId::new(random.1), number: 1, field, saved_at: now };
        Ok(Attribute { discriminator, section: Some(section), name, versions: vec![version] })
    }

    /// Changes type or limits: the next version, current at once. What profiles hold stays as it came.
    pub fn edit(
        &mut self,
        kind: Kind,
        limits: Limits,
        random: [u8; 16],
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let field = Field::new(value_name(), kind, false, limits)?;
        let number = self.current().number;
        if self.current().field == field {
            return Err(Refusal::Unchanged { version: number });
        }
        let saved_at = now.max(self.current().saved_at);
        self.versions.push(AttributeVersion {
            id: VersionId::new(random),
            number: number + 1,
            field,
            saved_at,
        });
        Ok(())
    }

    /// The newest version.
    pub fn current(&self) -> &AttributeVersion {
        &self.versions[self.versions.len() - 1]
    }

    /// The version with this id.
    pub fn version(&self, id: &str) -> Option<&AttributeVersion> {
        self.versions.iter().find(|version| version.id.as_str() == id)
    }

    /// Since when this version is deprecated; `None` where it is not.
    pub fn deprecated_at(&self, version: &AttributeVersion) -> Option<Timestamp> {
        self.versions.get(version.number as usize).map(|next| next.saved_at)
    }

    /// Holds a value (JSON text) against the current version and writes it anew; `None` for `null`.
    pub fn check(&self, json: &str) -> Result<Option<String>, FieldError> {
        let field = &self.current().field;
        let wrong = |code, expected: String, got: String| FieldError {
            field: self.discriminator.clone(),
            code,
            expected,
            got,
        };
        let member = read(json, Reader::member)
            .map_err(|error| wrong(Violation::WrongType, "JSON".to_owned(), error.to_string()))?;
        if let Member::Text(text) = &member
            && text.chars().count() > MAX_TEXT as usize
        {
            let got = format!("{} characters", text.chars().count());
            return Err(wrong(Violation::TooLong, format!("at most {MAX_TEXT} characters"), got));
        }
        check_value(field, &member)
            .map_err(|error| FieldError { field: self.discriminator.clone(), ..error })
    }
}

fn value_name() -> FieldName {
    match FieldName::try_from(VALUE.to_string()) {
        Ok(name) => name,
        Err(_) => unreachable!("a ready-made field name is valid"),
    }
}
