//! Value sources: where a field's value comes from, and how the page writes it.

use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use super::{check_setting, is_default};
use crate::convert::{DateOrder, Decimals};
use crate::error::Invalid;
use crate::names::{FieldName, quoted};

/// The last segment of a path that can be asked for.
pub const MAX_SEGMENT: u8 = 50;

/// Where one field gets its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The field.
    pub name: FieldName,
    /// Where its value comes from. A source that is not there, or blank, leaves the field without a value.
    pub from: Source,
    /// Of an element: the first on the page, instead of the nearest to the action.
    #[serde(default, skip_serializing_if = "is_default")]
    pub anywhere: bool,
    /// Which sign parts whole from decimals in numbers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub decimals: Decimals,
    /// In which order dates are written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dates: DateOrder,
}

/// A place on the page that holds a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Always this text.
    Constant(String),
    /// The URL's query parameter of this name.
    UrlParam(String),
    /// The part of the URL's path between two slashes, counted from 1.
    PathSegment(u8),
    /// The text of the element that matches this selector.
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
    /// The attribute `data-…` of the element that has it; the name without `data-`.
    Data(String),
    /// The content of the meta tag with this `name` or `property`.
    Meta(String),
    /// A value in the page's JSON-LD.
    JsonLd(JsonLd),
    /// A value in `dataLayer`: of the item that was the trigger, else of the newest that has it. Keys are parted by dots.
    DataLayer(String),
    /// A value in the `detail` of the DOM event that was the trigger. Keys are parted by dots.
    EventDetail(String),
    /// The input of this name in the submitted form.
    FormInput(String),
    /// The page's title.
    Title,
    /// The page's URL, as conditions see it.
    Url,
    /// The address of the page that led here, where the browser says it.
    Referrer,
}

/// A value in the page's JSON-LD.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonLd {
    /// Keys and places in lists, parted by dots (`offers.0.price`). A key that meets a list goes on in its first item.
    pub path: String,
    /// The `@type` of the item, where there are several.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl Mapping {
    /// A mapping to a source, everything else as it is where nobody says otherwise.
    pub fn new(name: FieldName, from: Source) -> Mapping {
        Mapping {
            name,
            from,
            anywhere: false,
            decimals: Decimals::default(),
            dates: DateOrder::default(),
        }
    }

    pub(super) fn check(&self, thing: &str) -> Result<(), Invalid> {
        self.from.check(thing)?;
        if self.anywhere && !self.from.is_an_element() {
            return Err(Invalid::new(
                thing,
                "anywhere only with text, value, attribute or data",
                "another source",
            ));
        }
        Ok(())
    }
}

impl Source {
    fn is_an_element(&self) -> bool {
        matches!(
            self,
            Source::Text(_) | Source::Value(_) | Source::Attribute { .. } | Source::Data(_)
        )
    }

    fn check(&self, thing: &str) -> Result<(), Invalid> {
        match self {
            Source::Title | Source::Url | Source::Referrer => Ok(()),
            Source::Constant(text)
            | Source::UrlParam(text)
            | Source::Text(text)
            | Source::Value(text)
            | Source::Meta(text)
            | Source::FormInput(text) => check_setting(thing, text),
            Source::Attribute { selector, name } => {
                check_setting(thing, selector)?;
                check_setting(thing, name)
            }
            Source::Data(name) => check_data_name(thing, name),
            Source::DataLayer(path) | Source::EventDetail(path) => check_path(thing, path),
            Source::JsonLd(JsonLd { path, kind }) => {
                check_path(thing, path)?;
                kind.as_deref().map_or(Ok(()), |kind| check_setting(thing, kind))
            }
            Source::PathSegment(1..=MAX_SEGMENT) => Ok(()),
            Source::PathSegment(segment) => {
                Err(Invalid::new(thing, "a path segment from 1 to 50", segment.to_string()))
            }
        }
    }
}

/// It becomes part of a selector, so it is one that needs no escaping.
fn check_data_name(thing: &str, name: &str) -> Result<(), Invalid> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.starts_with("data-") || name.len() > 100 || !name.bytes().all(plain)
    {
        return Err(Invalid::new(
            thing,
            "the name behind \"data-\": 1 to 100 of a-z, 0-9 and -",
            quoted(name),
        ));
    }
    Ok(())
}

fn check_path(thing: &str, path: &str) -> Result<(), Invalid> {
    check_setting(thing, path)?;
    if path.split('.').any(str::is_empty) {
        return Err(Invalid::new(
            thing,
            "keys parted by single dots, like ecommerce.value",
            quoted(path),
        ));
    }
    Ok(())
}
