//! An event's data held against the fields of its version, and written anew from what was checked.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::capture::Capture;
use crate::check::{Violation, check};
use crate::convert::{Convert, Converted, ROOM, convert};
use crate::fields::{Field, Fields, MAX_FIELDS};
use crate::json::{Member, Members};
use crate::names::quoted;
use crate::value::{Kind, Value};

/// What is wrong with one field of an event's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// The stable code.
    pub code: Violation,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
}

/// Data that fits the fields of its version: a JSON object, members in the order of the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedData(String);

impl CheckedData {
    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The JSON text, to keep.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Checks data against fields. With `raw`, the data came from a page whose browser could not check: text that a mapping
/// read is converted first, by the same rules the browser would have used.
pub fn check_data(
    fields: &Fields,
    members: &Members,
    raw: Option<&Capture>,
) -> Result<CheckedData, Vec<FieldError>> {
    let mut errors = unexpected(fields, members);
    let mut json = String::with_capacity(128);
    for field in fields {
        let came = members.0.iter().find(|(name, _)| name == field.name().as_str());
        let came = came.map_or(&Member::Null, |(_, value)| value);
        let converted = raw.and_then(|capture| converted(field, came, capture));
        let value = converted.as_ref().unwrap_or(came);
        match checked(field, value) {
            Ok(()) => push_member(&mut json, field, value),
            Err(code) => errors.push(FieldError {
                field: field.name().to_string(),
                code,
                expected: expected(field, code),
                got: got(came),
            }),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    json.push_str(if json.is_empty() { "{}" } else { "}" });
    Ok(CheckedData(json))
}

/// Checks one value against a field, and writes it anew as JSON; `None` where there is no value.
pub(crate) fn check_value(field: &Field, member: &Member) -> Result<Option<String>, FieldError> {
    match checked(field, member) {
        Ok(()) if matches!(member, Member::Null) => Ok(None),
        Ok(()) => {
            let mut json = String::new();
            push_value(&mut json, field, member);
            Ok(Some(json))
        }
        Err(code) => Err(FieldError {
            field: field.name().to_string(),
            code,
            expected: expected(field, code),
            got: got(member),
        }),
    }
}

/// Members that no field takes, or that came before.
fn unexpected(fields: &Fields, members: &Members) -> Vec<FieldError> {
    let error = |field: &str, expected: &str, got: String| FieldError {
        field: field.to_owned(),
        code: Violation::UnexpectedField,
        expected: expected.to_owned(),
        got,
    };
    if members.0.len() > MAX_FIELDS {
        let got = format!("{} values", members.0.len());
        return vec![error("data", "at most 100 values", got)];
    }
    let mut errors = Vec::new();
    for (at, (name, value)) in members.0.iter().enumerate() {
        if fields.get(name).is_none() {
            errors.push(error(name, "no field of this name", got(value)));
        } else if members.0[..at].iter().any(|(before, _)| before == name) {
            errors.push(error(name, "one value", "a second one".to_owned()));
        }
    }
    errors
}

fn checked(field: &Field, member: &Member) -> Result<(), Violation> {
    let value = match member {
        Member::Text(text) => Some(Value::Text(text.as_bytes())),
        Member::Bool(truth) => Some(Value::Bool(*truth)),
        Member::Num(number) => Some(Value::Num(*number)),
        Member::Null => None,
        Member::List | Member::Object => Some(Value::Other),
    };
    check(&field.rule(), value)
}

/// Writes a value that fits its field, where there is one.
fn push_member(json: &mut String, field: &Field, value: &Member) {
    if matches!(value, Member::Null) {
        return;
    }
    json.push(if json.is_empty() { '{' } else { ',' });
    // A field's name is ASCII letters and digits, so it needs no escapes.
    json.push('"');
    json.push_str(field.name().as_str());
    json.push_str("\":");
    push_value(json, field, value);
}

fn push_value(json: &mut String, field: &Field, value: &Member) {
    match value {
        Member::Bool(truth) => json.push_str(if *truth { "true" } else { "false" }),
        Member::Num(number) if field.kind() == Kind::Number => {
            let _ = write!(json, "{}", *number as i64);
        }
        Member::Num(number) => {
            if let Some(number) = serde_json::Number::from_f64(*number) {
                let _ = write!(json, "{number}");
            }
        }
        Member::Text(text) => push_text(json, text),
        Member::Null | Member::List | Member::Object => json.push_str("null"),
    }
}

fn push_text(json: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        json.push('"');
        json.push_str(text);
        json.push('"');
    } else {
        json.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// What people read after "expected".
pub fn expected(field: &Field, code: Violation) -> String {
    let limits = field.limits();
    match code {
        Violation::TooLong => {
            format!("at most {} characters", limits.max_length.unwrap_or_default())
        }
        Violation::NotAllowed => format!("one of {}", limits.allowed.join(", ")),
        Violation::OutOfRange => match (limits.min, limits.max) {
            (Some(min), Some(max)) => format!("a number from {min} to {max}"),
            (Some(min), None) => format!("a number of at least {min}"),
            (_, max) => format!("a number of at most {}", max.unwrap_or_default()),
        },
        Violation::UnexpectedField => "no field of this name".to_owned(),
        Violation::MissingField | Violation::WrongType => match field.kind() {
            Kind::Text => "text",
            Kind::Bool => "true or false",
            Kind::Date => "a date like 2026-03-01",
            Kind::Timestamp => "a time stamp like 2026-03-01T12:00:00Z",
            Kind::Number => "an integer of at most 9007199254740991 either way",
            Kind::Decimal => "a finite number",
        }
        .to_owned(),
    }
}

fn got(member: &Member) -> String {
    match member {
        Member::Text(text) => format!("the text {}", quoted(text)),
        Member::Bool(truth) => truth.to_string(),
        Member::Num(number) => format!("the number {number}"),
        Member::Null => "nothing".to_owned(),
        Member::List => "a list".to_owned(),
        Member::Object => "an object".to_owned(),
    }
}

/// What a mapping read on the page, converted to the field's type as the browser would have; `None` where there is
/// nothing to convert. What cannot be converted stays text, which the check then calls the wrong type.
fn converted<'a>(field: &Field, member: &Member, capture: &Capture) -> Option<Member<'a>> {
    let (Member::Text(text), Some(mapping)) = (member, capture.mapping(field.name().as_str()))
    else {
        return None;
    };
    let how = Convert { decimals: mapping.decimals, dates: mapping.dates };
    let mut buffer = vec![0; text.len() + ROOM];
    buffer[..text.len()].copy_from_slice(text.as_bytes());
    let converted = convert(field.kind(), how, &mut buffer, text.len());
    let read = |start: usize, end: usize| core::str::from_utf8(buffer.get(start..end)?).ok();
    match converted {
        Converted::Absent => Some(Member::Null),
        Converted::Text(start, end) => Some(Member::Text(read(start, end)?.to_owned().into())),
        Converted::Bool(truth) => Some(Member::Bool(truth)),
        Converted::Number(start, end) => Some(Member::Num(read(start, end)?.parse().ok()?)),
        Converted::Unreadable => None,
    }
}
