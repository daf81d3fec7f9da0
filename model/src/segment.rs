//! Segments: conditions on events, attributes and consents, joined by and, or and not.

mod value;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::consent::{Channel, ConsentType};
use crate::error::Invalid;
use crate::event::Event;
use crate::names::{Discriminator, FieldName, Name, SectionId, Slug, letters};
use crate::time::{DAY_MS, Timestamp};

pub use value::{Scalar, Test};

/// How deep conditions may lie in each other.
const MAX_DEPTH: usize = 8;
/// How many conditions a segment may have in all.
const MAX_CONDITIONS: usize = 50;
/// How many tests of fields one condition on an event may have.
const MAX_TESTS: usize = 20;

/// What a profile must be like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// All of these hold; true of none.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// Something happened.
    Event(EventCondition),
    /// Something is known.
    Attribute(AttributeCondition),
    /// Something was agreed to.
    Consent(ConsentCondition),
}

/// An event happened, so often, in a period, with these values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventCondition {
    /// The event.
    pub event: Discriminator,
    /// Only under these versions; under any where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<u32>,
    /// How often at the least: once, where it is not said.
    #[serde(default = "once")]
    pub at_least: u32,
    /// How often at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u32>,
    /// When.
    #[serde(default)]
    pub period: Period,
    /// With which values: all of these hold of the same occurrence.
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldTest>,
}

fn once() -> u32 {
    1
}

/// A period of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Ever.
    #[default]
    Ever,
    /// Within this many times 24 hours before now.
    LastDays(u32),
    /// From a moment on, and before another.
    Between {
        /// The first moment, itself in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
        /// The moment it ends, itself not in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Timestamp>,
    },
}

impl Period {
    /// The first moment and the one after the last, as seen from now.
    pub fn bounds(self, now: Timestamp) -> (Timestamp, Timestamp) {
        const FIRST: Timestamp = Timestamp(i64::MIN);
        const LAST: Timestamp = Timestamp(i64::MAX);
        match self {
            Period::Ever => (FIRST, LAST),
            Period::LastDays(days) => (now.plus(-i64::from(days) * DAY_MS), LAST),
            Period::Between { from, to } => (from.unwrap_or(FIRST), to.unwrap_or(LAST)),
        }
    }
}

/// A test of one field's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldTest {
    /// The field.
    pub field: FieldName,
    /// What must hold of it.
    #[serde(flatten)]
    pub test: Test,
}

/// An attribute's value passes a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeCondition {
    /// The attribute's discriminator.
    pub attribute: String,
    /// What must hold of its value.
    #[serde(flatten)]
    pub test: Test,
}

/// An address of the profile said something about a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentCondition {
    /// The channel.
    pub channel: Channel,
    /// The consent list's discriminator.
    pub list: String,
    /// The topic's discriminator.
    pub topic: String,
    /// What was said last: one of these.
    #[serde(rename = "is")]
    pub said: Vec<ConsentType>,
}

/// A named condition of one section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Its address for good: `com.beaconry.segments.<slug>-<10 of a-z0-9>`.
    pub discriminator: String,
    /// The section whose events, attributes and consents it looks at.
    pub section: SectionId,
    /// What people call it.
    pub name: Name,
    /// What a profile must be like.
    pub condition: Condition,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Segment {
    /// A new segment; `random` makes its address unique.
    pub fn create(
        section: SectionId,
        name: Name,
        condition: Condition,
        random: [u8; 10],
        now: Timestamp,
    ) -> Result<Segment, Invalid> {
        condition.check()?;
        let discriminator =
            format!("com.beaconry.segments.{}-{}", Slug::of(&name)?, letters(&random));
        Ok(Segment { discriminator, section, name, condition, created_at: now })
    }
}

/// One of the conditions that a segment is joined from.
#[derive(Clone, Copy, Debug)]
pub enum Leaf<'a> {
    /// On events.
    Event(&'a EventCondition),
    /// On an attribute.
    Attribute(&'a AttributeCondition),
    /// On a consent.
    Consent(&'a ConsentCondition),
}

impl Condition {
    /// Whether it is within its bounds.
    pub fn check(&self) -> Result<(), Invalid> {
        let mut count = 0;
        self.check_at(1, &mut count)
    }

    fn check_at(&self, depth: usize, count: &mut usize) -> Result<(), Invalid> {
        *count += 1;
        if depth > MAX_DEPTH {
            return Err(Invalid::new("segment", "conditions at most 8 deep in each other", "more"));
        }
        if *count > MAX_CONDITIONS {
            return Err(Invalid::new("segment", "at most 50 conditions", "more"));
        }
        match self {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().try_for_each(|part| part.check_at(depth + 1, count))
            }
            Condition::Not(part) => part.check_at(depth + 1, count),
            Condition::Event(event) => event.check(),
            Condition::Attribute(attribute) => attribute.test.check(&attribute.attribute),
            Condition::Consent(consent) if consent.said.is_empty() => Err(Invalid::new(
                "consent",
                "\"is\" with at least one of opt-in, confirmed-opt-in, opt-out",
                "none",
            )),
            Condition::Consent(_) => Ok(()),
        }
    }

    /// Whether it holds, where `leaf` says so of each condition that it is joined from. Asks no more than it must.
    pub fn holds<E>(&self, leaf: &mut impl FnMut(Leaf) -> Result<bool, E>) -> Result<bool, E> {
        match self {
            Condition::All(parts) => {
                for part in parts {
                    if !part.holds(leaf)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Any(parts) => {
                for part in parts {
                    if part.holds(leaf)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Not(part) => Ok(!part.holds(leaf)?),
            Condition::Event(event) => leaf(Leaf::Event(event)),
            Condition::Attribute(attribute) => leaf(Leaf::Attribute(attribute)),
            Condition::Consent(consent) => leaf(Leaf::Consent(consent)),
        }
    }

    /// Has days be those of a calendar: `before` gives the moment so many of them ago.
    pub fn by_calendar(&mut self, before: &impl Fn(u32) -> Timestamp) {
        match self {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter_mut().for_each(|part| part.by_calendar(before));
            }
            Condition::Not(part) => part.by_calendar(before),
            Condition::Event(event) => {
                if let Period::LastDays(days) = event.period {
                    event.period = Period::Between { from: Some(before(days)), to: None };
                }
            }
            Condition::Attribute(_) | Condition::Consent(_) => {}
        }
    }

    /// Every condition that it is joined from.
    pub fn leaves(&self) -> Vec<Leaf<'_>> {
        match self {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().flat_map(Condition::leaves).collect()
            }
            Condition::Not(part) => part.leaves(),
            Condition::Event(event) => alloc::vec![Leaf::Event(event)],
            Condition::Attribute(attribute) => alloc::vec![Leaf::Attribute(attribute)],
            Condition::Consent(consent) => alloc::vec![Leaf::Consent(consent)],
        }
    }
}

impl EventCondition {
    fn check(&self) -> Result<(), Invalid> {
        if self.at_most.is_some_and(|most| most < self.at_least) {
            return Err(Invalid::new(
                "at_most",
                "at least at_least",
                format!("{:?}", self.at_most),
            ));
        }
        if self.at_least == 0 && self.at_most.is_none() {
            return Err(Invalid::new("at_least", "at least 1, or at_most beside it", "0"));
        }
        if self.fields.len() > MAX_TESTS {
            return Err(Invalid::new("where", "at most 20 tests", self.fields.len().to_string()));
        }
        self.fields.iter().try_for_each(|test| test.test.check(test.field.as_str()))
    }

    /// Whether an occurrence of the event counts: its version and its data (JSON as it is stored).
    pub fn counts(&self, version: u32, data: &str) -> bool {
        let chosen = self.versions.is_empty() || self.versions.contains(&version);
        chosen && (self.fields.is_empty() || value::all_hold(&self.fields, data))
    }

    /// Whether so many occurrences are right.
    pub fn enough(&self, count: u32) -> bool {
        count >= self.at_least && self.at_most.is_none_or(|most| count <= most)
    }

    /// The number of occurrences beyond which counting on changes nothing.
    pub fn stop_at(&self) -> u32 {
        self.at_most.map_or(self.at_least, |most| most.saturating_add(1))
    }
}

/// What people should know about a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Remark {
    /// It names an event that is hidden, or not there: it is broken, and is not evaluated.
    NoSuchEvent {
        /// The event's discriminator.
        event: String,
    },
    /// It names an attribute, consent list or topic that is not there: it is broken, and is not evaluated.
    NoSuchThing {
        /// What it is: `attribute`, `consent list` or `topic`.
        what: String,
        /// The discriminator.
        name: String,
    },
    /// It chooses a version that the event does not have.
    NoSuchVersion {
        /// The event's slug.
        event: String,
        /// The version's number.
        version: u32,
    },
    /// It tests a field that a version it looks at does not have, so that occurrences under it do not count.
    AbsentField {
        /// The event's slug.
        event: String,
        /// The field.
        field: String,
        /// The version's number.
        version: u32,
    },
}

impl Remark {
    /// Whether the segment cannot be evaluated.
    pub fn breaks(&self) -> bool {
        matches!(self, Remark::NoSuchEvent { .. } | Remark::NoSuchThing { .. })
    }
}

impl core::fmt::Display for Remark {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Remark::NoSuchEvent { event } => {
                write!(
                    f,
                    "{event} is hidden or not there, so the segment is broken and is not evaluated; take that condition out"
                )
            }
            Remark::NoSuchThing { what, name } => {
                write!(
                    f,
                    "the section has no {what} {name}, so the segment is broken and is not evaluated; take that condition out"
                )
            }
            Remark::NoSuchVersion { event, version } => {
                write!(f, "\"{event}\" has no version {version}")
            }
            Remark::AbsentField { event, field, version } => write!(
                f,
                "version {version} of \"{event}\" has no field \"{field}\", so what came under it does not count"
            ),
        }
    }
}

/// What is to be said of a condition on this event; `None` stands for one that is not there.
pub fn remarks_on_event(condition: &EventCondition, event: Option<&Event>) -> Vec<Remark> {
    let Some(event) = event.filter(|event| event.hidden_at().is_none()) else {
        return alloc::vec![Remark::NoSuchEvent { event: condition.event.to_string() }];
    };
    let slug = || event.slug().as_str().to_owned();
    let mut remarks = Vec::new();
    for number in &condition.versions {
        if event.versions().get(*number).is_none() {
            remarks.push(Remark::NoSuchVersion { event: slug(), version: *number });
        }
    }
    let looked_at = event.versions().iter().filter(|version| {
        condition.versions.is_empty() || condition.versions.contains(&version.number)
    });
    for version in looked_at {
        for test in &condition.fields {
            if version.fields.get(test.field.as_str()).is_none() {
                let field = test.field.to_string();
                remarks.push(Remark::AbsentField { event: slug(), field, version: version.number });
            }
        }
    }
    remarks
}
