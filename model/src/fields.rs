//! The typed fields of an event, and the limits a field may carry.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::check::Rule;
use crate::error::Invalid;
use crate::names::{FieldName, quoted};
use crate::value::Kind;

/// The most fields an event can have, `source` included.
pub const MAX_FIELDS: usize = 100;
/// The most values a field's list of allowed ones can have.
pub const MAX_ALLOWED: usize = 200;
/// The longest text that a length limit can ask for, in characters. An event's 16 KiB bound every text anyway.
pub const MAX_TEXT: u32 = 16_384;

/// The field on every event that says where its data came from.
pub const SOURCE: &str = "source";

/// One typed field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "FieldDoc", into = "FieldDoc")]
pub struct Field {
    name: FieldName,
    kind: Kind,
    required: bool,
    limits: Limits,
    /// The allowed values, one a line, as a [`Rule`] takes them.
    allowed_lines: String,
}

/// Limits a field may carry beyond its type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// The longest text, in Unicode code points. Text only.
    pub max_length: Option<u32>,
    /// The lowest number, itself allowed. Numbers only.
    pub min: Option<f64>,
    /// The highest number, itself allowed. Numbers only.
    pub max: Option<f64>,
    /// The only values allowed. Text only.
    pub allowed: Vec<String>,
}

/// How a field is written in TOML and JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldDoc {
    name: FieldName,
    #[serde(rename = "type")]
    kind: KindWord,
    #[serde(default)]
    required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_length: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allowed: Vec<String>,
}

/// A type as the command line and documents write it.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct KindWord(Kind);

impl TryFrom<String> for KindWord {
    type Error = Invalid;

    fn try_from(word: String) -> Result<KindWord, Invalid> {
        Kind::from_word(&word).map(KindWord).ok_or_else(|| {
            Invalid::new(
                "field type",
                "text, bool, date, timestamp, number or decimal",
                quoted(&word),
            )
        })
    }
}

impl From<KindWord> for String {
    fn from(word: KindWord) -> String {
        word.0.word().to_owned()
    }
}

impl Kind {
    /// The word in the command line and in documents.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Bool => "bool",
            Kind::Date => "date",
            Kind::Timestamp => "timestamp",
            Kind::Number => "number",
            Kind::Decimal => "decimal",
        }
    }

    /// What people read in the console.
    pub const fn label(self) -> &'static str {
        match self {
            Kind::Text => "Text",
            Kind::Bool => "True/False",
            Kind::Date => "Date",
            Kind::Timestamp => "Time stamp",
            Kind::Number => "Number",
            Kind::Decimal => "Number with decimals",
        }
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl Field {
    /// A field, where its limits suit its type.
    pub fn new(
        name: FieldName,
        kind: Kind,
        required: bool,
        limits: Limits,
    ) -> Result<Field, Invalid> {
        check_limits(&name, kind, &limits)?;
        let allowed_lines = limits.allowed.join("\n");
        Ok(Field { name, kind, required, limits, allowed_lines })
    }

    /// `source`, as it is on every event.
    pub fn source() -> Field {
        Field::ready(SOURCE, Kind::Text, true)
    }

    /// A field without limits whose name is known to be good.
    pub(crate) fn ready(name: &str, kind: Kind, required: bool) -> Field {
        let Ok(name) = FieldName::try_from(name.to_owned()) else {
            unreachable!("ready-made field names are valid")
        };
        Field { name, kind, required, limits: Limits::default(), allowed_lines: String::new() }
    }

    /// Reads the command line's `name:type` or `name:type:required`.
    pub fn parse(text: &str) -> Result<Field, Invalid> {
        let mut parts = text.split(':');
        let name = FieldName::try_from(parts.next().unwrap_or_default().to_owned())?;
        let kind = KindWord::try_from(parts.next().unwrap_or_default().to_owned())?.0;
        let required = match (parts.next(), parts.next()) {
            (None, None) => false,
            (Some("required"), None) => true,
            _ => {
                return Err(Invalid::new(
                    format!("field \"{name}\""),
                    "name:type or name:type:required",
                    quoted(text),
                ));
            }
        };
        Field::new(name, kind, required, Limits::default())
    }

    /// The field's name.
    pub fn name(&self) -> &FieldName {
        &self.name
    }

    /// The field's type.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether a value must be there.
    pub fn required(&self) -> bool {
        self.required
    }

    /// The limits beyond the type.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The allowed values, one a line; empty where any is allowed.
    pub fn allowed_lines(&self) -> &str {
        &self.allowed_lines
    }

    /// The rule for a value of this field.
    pub fn rule(&self) -> Rule<'_> {
        Rule {
            kind: self.kind,
            required: self.required,
            max_chars: self.limits.max_length,
            low: self.limits.min,
            high: self.limits.max,
            allowed: (!self.allowed_lines.is_empty()).then_some(self.allowed_lines.as_bytes()),
        }
    }
}

impl TryFrom<FieldDoc> for Field {
    type Error = Invalid;

    fn try_from(doc: FieldDoc) -> Result<Field, Invalid> {
        let limits =
            Limits { max_length: doc.max_length, min: doc.min, max: doc.max, allowed: doc.allowed };
        Field::new(doc.name, doc.kind.0, doc.required, limits)
    }
}

impl From<Field> for FieldDoc {
    fn from(field: Field) -> FieldDoc {
        let Limits { max_length, min, max, allowed } = field.limits;
        FieldDoc {
            name: field.name,
            kind: KindWord(field.kind),
            required: field.required,
            max_length,
            min,
            max,
            allowed,
        }
    }
}

fn check_limits(name: &FieldName, kind: Kind, limits: &Limits) -> Result<(), Invalid> {
    let wrong = |limit: &str, expected, got: String| {
        Err(Invalid::new(format!("{limit} of field \"{name}\""), expected, got))
    };
    let numeric = matches!(kind, Kind::Number | Kind::Decimal);
    if let Some(length) = limits.max_length {
        if kind != Kind::Text {
            return wrong(
                "max_length",
                "no such limit, because only text has a length",
                length.to_string(),
            );
        }
        if !(1..=MAX_TEXT).contains(&length) {
            return wrong("max_length", "1 to 16384 characters", length.to_string());
        }
    }
    for (word, bound) in [("min", limits.min), ("max", limits.max)] {
        match bound {
            Some(bound) if !numeric => {
                return wrong(
                    word,
                    "no such limit, because only numbers have a range",
                    bound.to_string(),
                );
            }
            Some(bound) if !bound.is_finite() => {
                return wrong(word, "a finite number", bound.to_string());
            }
            _ => {}
        }
    }
    if let (Some(min), Some(max)) = (limits.min, limits.max)
        && min > max
    {
        return wrong("min", "at most max", format!("min {min}, max {max}"));
    }
    check_allowed(name, kind, limits)
}

fn check_allowed(name: &FieldName, kind: Kind, limits: &Limits) -> Result<(), Invalid> {
    let thing = || format!("allowed values of field \"{name}\"");
    if limits.allowed.is_empty() {
        return Ok(());
    }
    if kind != Kind::Text {
        return Err(Invalid::new(
            thing(),
            "none, because only text has a list of allowed values",
            kind.word(),
        ));
    }
    if limits.allowed.len() > MAX_ALLOWED {
        return Err(Invalid::new(thing(), "at most 200", limits.allowed.len().to_string()));
    }
    let longest = limits.max_length.unwrap_or(200).min(200) as usize;
    for (at, value) in limits.allowed.iter().enumerate() {
        if value.is_empty()
            || value.chars().count() > longest
            || value.chars().any(char::is_control)
        {
            return Err(Invalid::new(
                thing(),
                "each 1 to 200 characters (at most max_length) without control characters",
                quoted(value),
            ));
        }
        if limits.allowed[..at].contains(value) {
            return Err(Invalid::new(thing(), "each value once", quoted(value)));
        }
    }
    Ok(())
}

/// All fields of one version: 1 to 100, names unique, `source` (Text, required) among them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Field>", into = "Vec<Field>")]
pub struct Fields(Vec<Field>);

impl Fields {
    /// The fields in the order people gave them, `source` put first where it is missing.
    pub fn with_source(mut fields: Vec<Field>) -> Result<Fields, Invalid> {
        if !fields.iter().any(|field| field.name.as_str() == SOURCE) {
            fields.insert(0, Field::source());
        }
        Fields::try_from(fields)
    }

    /// The fields with some removed and some added, for an edit from the command line.
    pub fn edited(&self, remove: &[FieldName], add: Vec<Field>) -> Result<Fields, Invalid> {
        if let Some(unknown) = remove.iter().find(|name| self.get(name.as_str()).is_none()) {
            return Err(Invalid::new(
                "field to remove",
                "a field of the event",
                quoted(unknown.as_str()),
            ));
        }
        let mut fields: Vec<Field> =
            self.0.iter().filter(|field| !remove.contains(&field.name)).cloned().collect();
        fields.extend(add);
        Fields::try_from(fields)
    }

    /// Each field, in order.
    pub fn iter(&self) -> core::slice::Iter<'_, Field> {
        self.0.iter()
    }

    /// Each field, in order, as a slice.
    pub fn as_slice(&self) -> &[Field] {
        &self.0
    }

    /// The field of this name.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|field| field.name.as_str() == name)
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = &'a Field;
    type IntoIter = core::slice::Iter<'a, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl TryFrom<Vec<Field>> for Fields {
    type Error = Invalid;

    fn try_from(fields: Vec<Field>) -> Result<Fields, Invalid> {
        if fields.len() > MAX_FIELDS {
            return Err(Invalid::new(
                "fields",
                "at most 100, source included",
                fields.len().to_string(),
            ));
        }
        for (at, field) in fields.iter().enumerate() {
            if fields[..at].iter().any(|before| before.name == field.name) {
                return Err(Invalid::new("fields", "each name once", quoted(field.name.as_str())));
            }
        }
        match fields.iter().find(|field| field.name.as_str() == SOURCE) {
            Some(Field { kind: Kind::Text, required: true, .. }) => Ok(Fields(fields)),
            Some(_) => {
                Err(Invalid::new("field \"source\"", "type text, required", "something else"))
            }
            None => Err(Invalid::new(
                "fields",
                "the field \"source\", which cannot be removed",
                "none of that name",
            )),
        }
    }
}

impl From<Fields> for Vec<Field> {
    fn from(fields: Fields) -> Vec<Field> {
        fields.0
    }
}
