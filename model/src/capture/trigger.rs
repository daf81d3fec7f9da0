//! Triggers: what a visitor does that makes an event.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{MAX_CONDITIONS, check_setting};
use crate::error::Invalid;

/// The longest time an element must be seen or a page be open, in seconds.
pub const MAX_SECONDS: u32 = 3_600;

/// One action that makes an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// The action.
    pub on: Action,
    /// The pages it counts on: those that meet any of these conditions; all pages where there are none.
    #[serde(default, rename = "url", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<UrlCondition>,
    /// Of a submitted form: what shows that it was taken. Without it, a form counts that the page itself did not cancel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<Success>,
}

/// What a visitor does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Opens a page, or moves to another within a page that is one application.
    PageView,
    /// Clicks an element that matches this CSS selector, or something inside it.
    Click(String),
    /// Submits a valid form that matches this CSS selector.
    Submit(String),
    /// Sees an element; each counts once a page view.
    ElementSeen(Seen),
    /// Scrolls until this many percent of the page's height have been on screen, once a page view.
    ScrollDepth(u8),
    /// Has the page open and on screen for this many seconds, once a page view.
    TimeOnPage(u32),
    /// Does something that makes the page push an item with this `event` to `dataLayer`.
    DataLayer(String),
    /// Does something that makes the page dispatch a DOM event of this name.
    CustomEvent(String),
}

/// When an element counts as seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The CSS selector.
    pub selector: String,
    /// How much of the element's area is on screen, in percent.
    #[serde(default = "half")]
    pub share: u8,
    /// For how long without a break, in seconds.
    #[serde(default = "one")]
    pub seconds: u32,
}

fn half() -> u8 {
    50
}

fn one() -> u32 {
    1
}

/// What shows within half an hour that a form was taken, on the same page or on the next ones of the tab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Success {
    /// An element that matches this CSS selector is on the page and takes up room.
    Element(String),
    /// The page's URL meets this condition.
    Url(UrlCondition),
}

/// A condition on the page's URL without its fragment, unless that is a route (`#/…`, `#!…`). A pattern that begins with
/// `/` is held against what follows the origin, any other against the whole URL.
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

impl Trigger {
    /// The action on any page.
    pub fn new(on: Action) -> Trigger {
        Trigger { on, urls: Vec::new(), success: None }
    }

    pub(super) fn check(&self, thing: &str) -> Result<(), Invalid> {
        self.on.check(thing)?;
        if let Some(success) = &self.success {
            success.check(&format!("{thing}: success"), &self.on)?;
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

impl Action {
    fn check(&self, thing: &str) -> Result<(), Invalid> {
        match self {
            Action::PageView => Ok(()),
            Action::Click(text)
            | Action::Submit(text)
            | Action::DataLayer(text)
            | Action::CustomEvent(text) => check_setting(thing, text),
            Action::ElementSeen(seen) => {
                check_setting(thing, &seen.selector)?;
                percent(&format!("{thing}: share"), seen.share)?;
                let thing = format!("{thing}: seconds");
                within(&thing, seen.seconds, 0, MAX_SECONDS, "0 to 3600 seconds")
            }
            Action::ScrollDepth(depth) => percent(&format!("{thing}: scroll_depth"), *depth),
            Action::TimeOnPage(time) => {
                let thing = format!("{thing}: time_on_page");
                within(&thing, *time, 1, MAX_SECONDS, "1 to 3600 seconds")
            }
        }
    }
}

fn percent(thing: &str, percent: u8) -> Result<(), Invalid> {
    within(thing, percent.into(), 1, 100, "1 to 100 percent")
}

fn within(
    thing: &str,
    number: u32,
    least: u32,
    most: u32,
    expected: &'static str,
) -> Result<(), Invalid> {
    if (least..=most).contains(&number) {
        return Ok(());
    }
    Err(Invalid::new(thing, expected, number.to_string()))
}

impl Success {
    fn check(&self, thing: &str, on: &Action) -> Result<(), Invalid> {
        if !matches!(on, Action::Submit(_)) {
            return Err(Invalid::new(thing, "only with the action submit", "another action"));
        }
        match self {
            Success::Element(selector) => check_setting(thing, selector),
            Success::Url(condition) => check_setting(thing, condition.pattern()),
        }
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
