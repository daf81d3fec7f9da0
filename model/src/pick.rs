//! Point and click: what somebody picked on their own page as a trigger or as a field's source, and what it is worth.
//!
//! It comes back from a page, so it is a proposal that is checked like everything from outside, and saved only by people.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::capture::{Capture, Mapping, Trigger};
use crate::data::{FieldError, check_data};
use crate::error::Invalid;
use crate::fields::{Field, Fields, SOURCE};
use crate::json::{Member, Members};
use crate::names::quoted;

/// The longest address of a page that a pick names, in characters.
pub const MAX_PAGE: usize = 2_000;
/// The longest text that a pick says it read, in characters: enough to recognise it by.
pub const MAX_READ: usize = 200;

/// One thing that was picked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pick {
    /// The address of the page it was picked on.
    pub page: String,
    /// What it is to be.
    pub what: Picked,
    /// What the source held at that moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Read>,
}

/// What a picked thing is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Picked {
    /// What makes an event.
    Trigger(Trigger),
    /// Where a field gets its value.
    Field(Mapping),
}

/// What a source held, as the browser has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Read {
    /// A truth, as `dataLayer` and JSON-LD hold it.
    Bool(bool),
    /// A number, as number inputs, `dataLayer` and JSON-LD hold it.
    Number(f64),
    /// Text.
    Text(String),
}

impl Pick {
    /// Checks it against the fields that the next snippet will carry.
    pub fn check(&self, fields: &Fields) -> Result<(), Invalid> {
        let web = ["http://", "https://"].iter().any(|scheme| self.page.starts_with(scheme));
        if !web || self.page.chars().count() > MAX_PAGE || self.page.chars().any(char::is_control) {
            let expected = "the address of a web page, at most 2000 characters";
            return Err(Invalid::new("page of a pick", expected, quoted(&self.page)));
        }
        if let Some(Read::Text(text)) = &self.read
            && text.chars().count() > MAX_READ
        {
            let got = format!("{} characters", text.chars().count());
            return Err(Invalid::new("text that a pick read", "at most 200 characters", got));
        }
        self.what.settings().check(fields)
    }
}

impl Picked {
    /// The pick as settings that hold nothing else.
    fn settings(&self) -> Capture {
        match self {
            Picked::Trigger(trigger) => {
                Capture { triggers: vec![trigger.clone()], ..Capture::default() }
            }
            Picked::Field(mapping) => {
                Capture { mappings: vec![mapping.clone()], ..Capture::default() }
            }
        }
    }
}

/// What a field makes of what its mapping read: the value, nothing where the source is blank, or why it does not fit. The
/// conversion and the check are those that every event goes through.
pub fn worth(
    field: &Field,
    mapping: &Mapping,
    read: Option<&Read>,
) -> Result<Option<serde_json::Value>, FieldError> {
    let Ok(fields) = Fields::with_source(vec![field.clone()]) else { return Ok(None) };
    let name = field.name().as_str();
    let member = match read {
        None => Member::Null,
        Some(Read::Bool(truth)) => Member::Bool(*truth),
        Some(Read::Number(number)) => Member::Num(*number),
        Some(Read::Text(text)) => Member::Text(Cow::Borrowed(text)),
    };
    let mut members: Vec<(Cow<str>, Member)> = vec![(Cow::Borrowed(name), member)];
    if name != SOURCE {
        // Every event has it; here it only stands for the rest of the event.
        members.push((Cow::Borrowed(SOURCE), Member::Text(Cow::Borrowed(SOURCE))));
    }
    let settings = Picked::Field(mapping.clone()).settings();
    match check_data(&fields, &Members(members), Some(&settings)) {
        Ok(data) => {
            let object: Option<serde_json::Value> = serde_json::from_str(data.as_str()).ok();
            Ok(object.and_then(|object| object.get(name).cloned()))
        }
        Err(errors) => match errors.into_iter().find(|error| error.field == name) {
            Some(error) => Err(error),
            None => Ok(None),
        },
    }
}

/// A value as people read it: text without quotes.
pub fn shown(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToString::to_string)
}
