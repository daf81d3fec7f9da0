//! No-code capture: which actions on a page make an event, where each field's value comes from, and whether a visitor is
//! to be asked first.

mod place;
mod source;
mod trigger;

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::error::Invalid;
use crate::fields::{Fields, SOURCE};
use crate::names::quoted;

pub use self::place::Place;
pub use self::source::{JsonLd, MAX_SEGMENT, Mapping, Source};
pub use self::trigger::{Action, MAX_SECONDS, Seen, Success, Trigger, UrlCondition};

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
    /// Whether a visitor is to be asked first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub consent: Consent,
    /// Whether every event from this snippet is a trial that counts nowhere.
    #[serde(default, skip_serializing_if = "is_default")]
    pub test: bool,
    /// The actions that make an event. None: only `track()` does.
    #[serde(default, rename = "trigger", skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    /// Where fields get their values. A field that is not named gets one only from `track()`.
    #[serde(default, rename = "field", skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<Mapping>,
}

/// What happens before the page calls `beaconry.consent(true)`. Until then nothing is stored, set or sent, unless consent is
/// not required.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Events go at once, until `beaconry.consent(false)`.
    #[default]
    NotRequired,
    /// Events are held in the page's memory, and go once there is consent; they end with the page.
    Hold,
    /// Events are dropped.
    Drop,
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
            mapping.check(&thing)?;
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
            let website = Source::Constant("Website".to_string());
            capture.mappings.insert(0, Mapping::new(source.name().clone(), website));
        }
        capture
    }

    /// Where this field gets its value.
    pub fn mapping(&self, field: &str) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.name.as_str() == field)
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
