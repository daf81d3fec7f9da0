//! How a value is tested, as a form holds it: a comparison by its word, and what it is compared with as text.

use beaconry_model::error::Invalid;
use beaconry_model::segment::{Scalar, Test};
use beaconry_model::value::Kind;

/// Each comparison's word and what people read.
const ALL: [(&str, &str); 13] = [
    ("equals", "is"),
    ("differs", "is not"),
    ("one_of", "is one of"),
    ("contains", "contains"),
    ("starts_with", "begins with"),
    ("above", "is above"),
    ("at_least", "is at least"),
    ("below", "is below"),
    ("at_most", "is at most"),
    ("before", "is before"),
    ("after", "is after"),
    ("exists", "is there"),
    ("absent", "is not there"),
];

/// What a comparison asks for beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Nothing,
    Line,
    Lines,
    Truth,
}

/// A test as it was typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TestDraft {
    pub(super) op: String,
    /// Several are one a line.
    pub(super) value: String,
    /// What type the value has where the field does not say: `number`, `bool` or `text`.
    pub(super) scalar: String,
}

/// The comparisons that suit a type, each with its label; all of them where the type is not known. `with` is one more.
pub(super) fn suiting(kind: Option<Kind>, with: &str) -> Vec<(&'static str, &'static str)> {
    let words: &[&str] = match kind {
        None => &[],
        Some(Kind::Text) => {
            &["equals", "differs", "one_of", "contains", "starts_with", "exists", "absent"]
        }
        Some(Kind::Bool) => &["equals", "differs", "exists", "absent"],
        Some(Kind::Date | Kind::Timestamp) => {
            &["equals", "differs", "one_of", "before", "after", "exists", "absent"]
        }
        Some(Kind::Number | Kind::Decimal) => &[
            "equals", "differs", "one_of", "above", "at_least", "below", "at_most", "exists",
            "absent",
        ],
    };
    let fits = |word: &str| words.is_empty() || words.contains(&word) || word == with;
    ALL.into_iter().filter(|(word, _)| fits(word)).collect()
}

/// What is asked for beside a comparison.
pub(super) fn shape(op: &str, kind: Option<Kind>) -> Shape {
    match op {
        "exists" | "absent" => Shape::Nothing,
        "one_of" => Shape::Lines,
        "equals" | "differs" if kind == Some(Kind::Bool) => Shape::Truth,
        _ => Shape::Line,
    }
}

/// What a value looks like, as an example.
pub(super) fn example(op: &str, kind: Option<Kind>) -> &'static str {
    match (op, kind) {
        ("before" | "after", Some(Kind::Timestamp)) | (_, Some(Kind::Timestamp)) => {
            "2026-03-01T12:00:00Z"
        }
        ("before" | "after", _) | (_, Some(Kind::Date)) => "2026-03-01",
        ("above" | "below" | "at_least" | "at_most", _)
        | (_, Some(Kind::Number | Kind::Decimal)) => "100",
        _ => "",
    }
}

impl TestDraft {
    /// A test as it is; `None` where a form cannot hold it.
    pub(super) fn of(test: &Test) -> Option<TestDraft> {
        let made = |op: &str, value: String| TestDraft { op: op.into(), value, ..Self::default() };
        let one = |op: &str, scalar: &Scalar| {
            let scalar_word = word_of(scalar).to_owned();
            Some(TestDraft { scalar: scalar_word, ..made(op, text_of(scalar)?) })
        };
        match test {
            Test::Exists(true) => Some(made("exists", String::new())),
            Test::Exists(false) => Some(made("absent", String::new())),
            Test::Equals(scalar) => one("equals", scalar),
            Test::Differs(scalar) => one("differs", scalar),
            Test::OneOf(scalars) => {
                let lines: Option<Vec<String>> = scalars.iter().map(text_of).collect();
                let scalar = scalars.first().map(word_of).unwrap_or_default().to_owned();
                Some(TestDraft { scalar, ..made("one_of", lines?.join("\n")) })
            }
            Test::Contains(text) => Some(made("contains", line(text)?)),
            Test::StartsWith(text) => Some(made("starts_with", line(text)?)),
            Test::Above(number) => Some(made("above", number.to_string())),
            Test::Below(number) => Some(made("below", number.to_string())),
            Test::AtLeast(number) => Some(made("at_least", number.to_string())),
            Test::AtMost(number) => Some(made("at_most", number.to_string())),
            Test::Before(text) => Some(made("before", line(text)?)),
            Test::After(text) => Some(made("after", line(text)?)),
        }
    }

    /// The test, where its value suits the comparison and the field's type.
    pub(super) fn checked(&self, thing: &str, kind: Option<Kind>) -> Result<Test, Invalid> {
        let value = self.value.trim();
        let missing = || Invalid::new(thing, "a value to compare with", "none");
        if value.is_empty() && !matches!(self.op.as_str(), "exists" | "absent") {
            return Err(missing());
        }
        let scalar = |text: &str| self.scalar(thing, kind, text);
        let text = || value.to_owned();
        let number = || number(thing, value);
        Ok(match self.op.as_str() {
            "exists" => Test::Exists(true),
            "absent" => Test::Exists(false),
            "equals" => Test::Equals(scalar(value)?),
            "differs" => Test::Differs(scalar(value)?),
            "one_of" => {
                let lines = value.lines().map(str::trim).filter(|line| !line.is_empty());
                Test::OneOf(lines.map(scalar).collect::<Result<_, _>>()?)
            }
            "contains" => Test::Contains(text()),
            "starts_with" => Test::StartsWith(text()),
            "above" => Test::Above(number()?),
            "below" => Test::Below(number()?),
            "at_least" => Test::AtLeast(number()?),
            "at_most" => Test::AtMost(number()?),
            "before" => Test::Before(text()),
            "after" => Test::After(text()),
            _ => return Err(Invalid::new(thing, "one of the listed comparisons", "another")),
        })
    }

    /// A value of the field's type, or, where that is not known, of the type it had.
    fn scalar(&self, thing: &str, kind: Option<Kind>, text: &str) -> Result<Scalar, Invalid> {
        let word = match kind {
            Some(Kind::Number | Kind::Decimal) => "number",
            Some(Kind::Bool) => "bool",
            Some(_) => "text",
            None => self.scalar.as_str(),
        };
        match word {
            "number" => number(thing, text).map(Scalar::Number),
            "bool" => match text.to_lowercase().as_str() {
                "true" => Ok(Scalar::Bool(true)),
                "false" => Ok(Scalar::Bool(false)),
                _ => Err(Invalid::new(thing, "true or false", format!("\"{text}\""))),
            },
            _ => Ok(Scalar::Text(text.to_owned())),
        }
    }
}

fn number(thing: &str, text: &str) -> Result<f64, Invalid> {
    let read = text.parse().ok().filter(|number: &f64| number.is_finite());
    read.ok_or_else(|| Invalid::new(thing, "a number like 100 or 12.5", format!("\"{text}\"")))
}

fn word_of(scalar: &Scalar) -> &'static str {
    match scalar {
        Scalar::Bool(_) => "bool",
        Scalar::Number(_) => "number",
        Scalar::Text(_) => "text",
    }
}

fn text_of(scalar: &Scalar) -> Option<String> {
    match scalar {
        Scalar::Bool(truth) => Some(truth.to_string()),
        Scalar::Number(number) => Some(number.to_string()),
        Scalar::Text(text) => line(text),
    }
}

/// Text as an input holds it: one line, with nothing at its ends that trimming takes away.
fn line(text: &str) -> Option<String> {
    let fits = !text.chars().any(char::is_control) && text.trim() == text && !text.is_empty();
    fits.then(|| text.to_owned())
}
