//! No-code capture: which actions on a page make an event, and where each field's value comes from.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::convert::{DateOrder, Decimals};
use crate::error::Invalid;
use crate::fields::{Fields, SOURCE};
use crate::names::{FieldName, quoted};

/// The most triggers an event can have.
pub const MAX_TRIGGERS: usize = 20;
/// The most URL conditions a trigger can have.
pub const MAX_CONDITIONS: usize = 20;
/// The longest selector, pattern, name or constant, in characters.
pub const MAX_SETTING: usize = 500;

/// What the snippet does besides `track()`: the tracking settings of an event, pinned with its snippet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// The actions that make an event. None: only `track()` does.
    #[serde(default, rename = "trigger", skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    /// Where fields get their values. A field that is not named gets one only from `track()`.
    #[serde(default, rename = "field", skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<Mapping>,
}

/// One action that makes an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// The action.
    pub on: Action,
    /// The pages it counts on: those that meet any of these conditions; all pages where there are none.
    #[serde(default, rename = "url", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<UrlCondition>,
}

/// What a visitor does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Opens a page.
    PageView,
    /// Clicks an element that matches this CSS selector, or something inside it.
    Click(String),
    /// Submits a form that matches this CSS selector.
    Submit(String),
}

/// A condition on the page's URL without its fragment. A pattern that begins with `/` is held against path and query,
/// any other against the whole URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UrlCondition {
    /// The same, letter for letter.
    Exact(String),
    /// It begins so.
    Prefix(String),
    /// It holds this somewhere.
    Contains(String),
    /// It fits this whole pattern, in which `*` stands for any text, also none.
    Wildcard(String),
}

/// Where one field gets its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The field.
    pub name: FieldName,
    /// Where its value comes from. A source that is not there, or blank, leaves the field without a value.
    pub from: Source,
    /// Which sign parts whole from decimals in numbers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub decimals: Decimals,
    /// In which order dates are written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dates: DateOrder,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A place on the page that holds a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Always this text.
    Constant(String),
    /// The URL's query parameter of this name.
    UrlParam(String),
    /// The text of the element that matches this selector, the nearest to the action first.
    Text(String),
    /// The value of the input that matches this selector.
    Value(String),
    /// An attribute of the element that matches the selector.
    Attribute {
        /// The CSS selector.
        selector: String,
        /// The attribute's name.
        name: String,
    },
    /// The input of this name in the submitted form.
    FormInput(String),
}

impl Capture {
    /// Checks everything against the fields the snippet will carry, so that what is wrong is said before it is pinned.
    pub fn check(&self, fields: &Fields) -> Result<(), Invalid> {
        if self.triggers.len() > MAX_TRIGGERS {
            return Err(Invalid::new("triggers", "at most 20", self.triggers.len().to_string()));
        }
        for (trigger, number) in self.triggers.iter().zip(1..) {
            trigger.check(&format!("trigger {number}"))?;
        }
        for (at, mapping) in self.mappings.iter().enumerate() {
            let thing = format!("mapping of field \"{}\"", mapping.name);
            if self.mappings[..at].iter().any(|before| before.name == mapping.name) {
                return Err(Invalid::new(thing, "one mapping a field", "a second one"));
            }
            if fields.get(mapping.name.as_str()).is_none() {
                return Err(Invalid::new(thing, "a field of the event", "no field of that name"));
            }
            mapping.from.check(&thing)?;
        }
        Ok(())
    }

    /// The settings as a snippet with these fields carries them: mappings of fields that are gone left out, and `source`
    /// filled with the constant `Website` where nothing else is said.
    pub fn for_fields(&self, fields: &Fields) -> Capture {
        let mut capture = self.clone();
        capture.mappings.retain(|mapping| fields.get(mapping.name.as_str()).is_some());
        if self.mapping(SOURCE).is_none()
            && let Some(source) = fields.get(SOURCE)
        {
            capture.mappings.insert(0, Mapping::constant(source.name().clone(), "Website"));
        }
        capture
    }

    /// Where this field gets its value.
    pub fn mapping(&self, field: &str) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.name.as_str() == field)
    }
}

impl Mapping {
    /// A mapping to a constant.
    pub fn constant(name: FieldName, text: &str) -> Mapping {
        let from = Source::Constant(text.to_string());
        Mapping { name, from, decimals: Decimals::default(), dates: DateOrder::default() }
    }
}

impl Trigger {
    fn check(&self, thing: &str) -> Result<(), Invalid> {
        match &self.on {
            Action::PageView => {}
            Action::Click(selector) | Action::Submit(selector) => check_setting(thing, selector)?,
        }
        if self.urls.len() > MAX_CONDITIONS {
            return Err(Invalid::new(
                format!("{thing}: url"),
                "at most 20 conditions",
                self.urls.len().to_string(),
            ));
        }
        self.urls
            .iter()
            .try_for_each(|condition| check_setting(&format!("{thing}: url"), condition.pattern()))
    }
}

impl UrlCondition {
    /// The text the URL is held against.
    pub fn pattern(&self) -> &str {
        match self {
            UrlCondition::Exact(text)
            | UrlCondition::Prefix(text)
            | UrlCondition::Contains(text)
            | UrlCondition::Wildcard(text) => text,
        }
    }
}

impl Source {
    fn check(&self, thing: &str) -> Result<(), Invalid> {
        match self {
            Source::Constant(text)
            | Source::UrlParam(text)
            | Source::Text(text)
            | Source::Value(text)
            | Source::FormInput(text) => check_setting(thing, text),
            Source::Attribute { selector, name } => {
                check_setting(thing, selector)?;
                check_setting(thing, name)
            }
        }
    }
}

fn check_setting(thing: &str, text: &str) -> Result<(), Invalid> {
    if text.trim().is_empty()
        || text.chars().count() > MAX_SETTING
        || text.chars().any(char::is_control)
    {
        return Err(Invalid::new(
            thing,
            "1 to 500 characters, none of them a control character",
            quoted(text),
        ));
    }
    Ok(())
}
