//! Whether one value fits one field: the rule that browser and server share.

use crate::calendar::{is_date, is_timestamp};
use crate::value::{Kind, Value};

/// The largest integer that JavaScript holds exactly: 2^53 - 1 (ECMA-262, `Number.MAX_SAFE_INTEGER`).
pub const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// What one field asks of its value.
#[derive(Clone, Copy, Debug)]
pub struct Rule<'a> {
    /// The field's type.
    pub kind: Kind,
    /// Whether the value may be absent.
    pub required: bool,
    /// The longest text, in Unicode code points.
    pub max_chars: Option<u32>,
    /// The lowest number, itself allowed.
    pub low: Option<f64>,
    /// The highest number, itself allowed.
    pub high: Option<f64>,
    /// The only texts allowed, one a line.
    pub allowed: Option<&'a [u8]>,
}

/// Why a value does not fit its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "alloc",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[repr(u8)]
pub enum Violation {
    /// A required field has no value.
    MissingField = 1,
    /// The event has no field of this name.
    UnexpectedField = 2,
    /// The value is not of the field's type.
    WrongType = 3,
    /// The text is longer than the field allows.
    TooLong = 4,
    /// The text is not among the allowed ones.
    NotAllowed = 5,
    /// The number is below the lowest or above the highest allowed.
    OutOfRange = 6,
}

impl Violation {
    /// The stable code that errors carry.
    pub const fn code(self) -> &'static str {
        match self {
            Violation::MissingField => "missing_field",
            Violation::UnexpectedField => "unexpected_field",
            Violation::WrongType => "wrong_type",
            Violation::TooLong => "too_long",
            Violation::NotAllowed => "not_allowed",
            Violation::OutOfRange => "out_of_range",
        }
    }
}

/// Checks one value against its field. `None` stands for an absent value and for `null`.
pub fn check(rule: &Rule, value: Option<Value>) -> Result<(), Violation> {
    let Some(value) = value else {
        return if rule.required { Err(Violation::MissingField) } else { Ok(()) };
    };
    match (rule.kind, value) {
        (Kind::Text, Value::Text(text)) => check_text(rule, text),
        (Kind::Bool, Value::Bool(_)) => Ok(()),
        (Kind::Date, Value::Text(text)) if is_date(text) => Ok(()),
        (Kind::Timestamp, Value::Text(text)) if is_timestamp(text) => Ok(()),
        (Kind::Number, Value::Num(number)) if is_safe_integer(number) => check_range(rule, number),
        (Kind::Decimal, Value::Num(number)) if number.is_finite() => check_range(rule, number),
        _ => Err(Violation::WrongType),
    }
}

fn check_text(rule: &Rule, text: &[u8]) -> Result<(), Violation> {
    if rule.max_chars.is_some_and(|max| code_points(text) > max) {
        return Err(Violation::TooLong);
    }
    match rule.allowed {
        Some(allowed) if !allowed.split(|byte| *byte == b'\n').any(|one| one == text) => {
            Err(Violation::NotAllowed)
        }
        _ => Ok(()),
    }
}

fn check_range(rule: &Rule, number: f64) -> Result<(), Violation> {
    if rule.low.is_some_and(|low| number < low) || rule.high.is_some_and(|high| number > high) {
        return Err(Violation::OutOfRange);
    }
    Ok(())
}

/// Comparing with the truncated integer keeps the check free of float routines that `core` does not have.
fn is_safe_integer(number: f64) -> bool {
    (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER).contains(&number) && (number as i64) as f64 == number
}

/// Every byte of UTF-8 but a continuation byte begins a code point.
fn code_points(text: &[u8]) -> u32 {
    text.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u32
}
