//! Tests of one value, of a field or an attribute.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::FieldTest;
use crate::calendar::{parse_date, parse_timestamp};
use crate::error::Invalid;
use crate::json::{Member, Members, Reader, read};
use crate::names::quoted;
use crate::time::DAY_MS;

/// The most values of one list, and the longest text in characters.
const MAX_VALUES: usize = 200;
const MAX_TEXT: usize = 1_000;

/// A value to compare with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Text, a date or a time stamp.
    Text(String),
}

/// What must hold of a value. A value of another type passes none of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// There is one (true), or none (false).
    Exists(bool),
    /// It is this.
    Equals(Scalar),
    /// It is another. Absent is another too.
    Differs(Scalar),
    /// It is one of these.
    OneOf(Vec<Scalar>),
    /// Text with this in it, in upper or lower case.
    Contains(String),
    /// Text that begins with this.
    StartsWith(String),
    /// A number greater than this.
    Above(f64),
    /// A number smaller than this.
    Below(f64),
    /// A number that is this or greater.
    AtLeast(f64),
    /// A number that is this or smaller.
    AtMost(f64),
    /// A date or time stamp before this one.
    Before(String),
    /// A date or time stamp after this one.
    After(String),
}

impl Test {
    pub(super) fn check(&self, thing: &str) -> Result<(), Invalid> {
        let wrong = |expected, got: &str| Err(Invalid::new(thing, expected, quoted(got)));
        match self {
            Test::OneOf(values) if values.is_empty() || values.len() > MAX_VALUES => {
                wrong("1 to 200 values", "another number of them")
            }
            Test::Contains(text) | Test::StartsWith(text)
                if text.is_empty() || text.chars().count() > MAX_TEXT =>
            {
                wrong("1 to 1,000 characters", text)
            }
            Test::Before(moment) | Test::After(moment) if moment_of(moment).is_none() => {
                wrong("a date like 2026-03-01 or a time stamp like 2026-03-01T12:00:00Z", moment)
            }
            _ => Ok(()),
        }
    }

    /// Whether it holds of a value, as JSON; `None` where there is none.
    pub fn holds(&self, json: Option<&str>) -> bool {
        let member = json.and_then(|json| read(json, Reader::member).ok());
        self.holds_of(member.as_ref())
    }

    fn holds_of(&self, value: Option<&Member>) -> bool {
        let Some(value) = value.filter(|value| !matches!(value, Member::Null)) else {
            return matches!(self, Test::Exists(false) | Test::Differs(_));
        };
        let number =
            |test: &dyn Fn(f64) -> bool| matches!(value, Member::Num(number) if test(*number));
        let text = |test: &dyn Fn(&str) -> bool| matches!(value, Member::Text(text) if test(text));
        let moment = |test: &dyn Fn(i64) -> bool| text(&|text| moment_of(text).is_some_and(test));
        match self {
            Test::Exists(there) => *there,
            Test::Equals(wanted) => same(value, wanted),
            Test::Differs(other) => !same(value, other),
            Test::OneOf(wanted) => wanted.iter().any(|wanted| same(value, wanted)),
            Test::Contains(part) => {
                text(&|text| text.to_lowercase().contains(&part.to_lowercase()))
            }
            Test::StartsWith(start) => text(&|text| text.starts_with(start.as_str())),
            Test::Above(bound) => number(&|number| number > *bound),
            Test::Below(bound) => number(&|number| number < *bound),
            Test::AtLeast(bound) => number(&|number| number >= *bound),
            Test::AtMost(bound) => number(&|number| number <= *bound),
            Test::Before(bound) => {
                moment(&|moment| moment_of(bound).is_some_and(|bound| moment < bound))
            }
            Test::After(bound) => {
                moment(&|moment| moment_of(bound).is_some_and(|bound| moment > bound))
            }
        }
    }
}

/// Whether every test holds of an event's data.
pub(super) fn all_hold(tests: &[FieldTest], data: &str) -> bool {
    let Ok(Members(members)) = read(data, Reader::members) else { return false };
    tests.iter().all(|test| {
        let found = members.iter().find(|(name, _)| name == test.field.as_str());
        test.test.holds_of(found.map(|(_, value)| value))
    })
}

fn same(value: &Member, wanted: &Scalar) -> bool {
    match (value, wanted) {
        (Member::Bool(value), Scalar::Bool(wanted)) => value == wanted,
        (Member::Num(value), Scalar::Number(wanted)) => value == wanted,
        (Member::Text(value), Scalar::Text(wanted)) => value == wanted,
        _ => false,
    }
}

/// Milliseconds since 1970; of a date, of its first moment in UTC.
fn moment_of(text: &str) -> Option<i64> {
    let day = parse_date(text.as_bytes()).map(|day| i64::from(day) * DAY_MS);
    day.or_else(|| parse_timestamp(text.as_bytes()))
}
