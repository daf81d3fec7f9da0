//! What a field of a stored event is to hold.

use serde_json::Value;

use beaconry_model::time::Timestamp;

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) enum Op {
    Is,
    Contains,
    AtLeast,
    AtMost,
}

impl Op {
    pub(super) const ALL: [Op; 4] = [Op::Is, Op::Contains, Op::AtLeast, Op::AtMost];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Op::Is => "is",
            Op::Contains => "contains",
            Op::AtLeast => "at-least",
            Op::AtMost => "at-most",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Op::Is => "is",
            Op::Contains => "contains",
            Op::AtLeast => "is at least",
            Op::AtMost => "is at most",
        }
    }

    /// The way this word names; `is` where it names none.
    pub(super) fn of(word: &str) -> Op {
        Op::ALL.into_iter().find(|op| op.word() == word).unwrap_or(Op::Is)
    }
}

/// A condition on one field: numbers are compared as numbers, time stamps as moments, texts as they are written; what text
/// contains, without regard to upper and lower case.
#[derive(Clone, Debug)]
pub(in crate::console) struct Condition {
    field: String,
    /// `"field":`, which data that has the field holds somewhere.
    mark: String,
    op: Op,
    text: String,
    lower: String,
    number: Option<f64>,
    moment: Option<Timestamp>,
}

impl Condition {
    pub(super) fn new(field: &str, op: Op, value: &str) -> Condition {
        Condition {
            field: field.to_owned(),
            mark: format!("\"{field}\":"),
            op,
            text: value.to_owned(),
            lower: value.to_lowercase(),
            number: value.trim().parse().ok(),
            moment: value.trim().parse().ok(),
        }
    }

    /// Whether an event's data, a JSON object, fits.
    pub(super) fn fits(&self, data: &str) -> bool {
        // Most events are told without reading all of it.
        if !data.contains(&self.mark) {
            return false;
        }
        let Ok(Value::Object(members)) = serde_json::from_str(data) else { return false };
        match members.get(&self.field) {
            Some(Value::String(text)) => self.fits_text(text),
            Some(Value::Number(number)) => {
                number.as_f64().is_some_and(|number| self.fits_number(number, &number.to_string()))
            }
            Some(Value::Bool(truth)) => self.text.eq_ignore_ascii_case(&truth.to_string()),
            _ => false,
        }
    }

    fn fits_text(&self, text: &str) -> bool {
        let moments = self.moment.zip(text.parse::<Timestamp>().ok());
        match (self.op, moments) {
            (Op::Contains, _) => text.to_lowercase().contains(&self.lower),
            (Op::Is, Some((wanted, is))) => is == wanted,
            (Op::Is, None) => text == self.text,
            (Op::AtLeast, Some((wanted, is))) => is >= wanted,
            (Op::AtLeast, None) => text >= self.text.as_str(),
            (Op::AtMost, Some((wanted, is))) => is <= wanted,
            (Op::AtMost, None) => text <= self.text.as_str(),
        }
    }

    fn fits_number(&self, is: f64, written: &str) -> bool {
        match (self.op, self.number) {
            (Op::Contains, _) => written.contains(&self.text),
            (Op::Is, Some(wanted)) => is == wanted,
            (Op::AtLeast, Some(wanted)) => is >= wanted,
            (Op::AtMost, Some(wanted)) => is <= wanted,
            (_, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_by_what_they_are() {
        let data = r#"{"source":"Website","n":12,"d":1.5,"sure":true,"day":"2026-03-01","at":"2026-03-01T12:00:00+01:00","note":"A \"n\": 7"}"#;
        let table = [
            ("source", "is", "Website", true),
            ("source", "is", "website", false),
            ("source", "contains", "WEB", true),
            ("n", "is", "12", true),
            ("n", "is", "12.0", true),
            ("n", "is", "1", false),
            ("n", "contains", "1", true),
            ("n", "at-least", "9", true),
            ("n", "at-most", "9", false),
            ("n", "at-least", "many", false),
            ("d", "is", "1.5", true),
            ("sure", "is", "TRUE", true),
            ("sure", "is", "false", false),
            ("day", "at-least", "2026-02-28", true),
            ("day", "at-most", "2026-02-28", false),
            ("at", "is", "2026-03-01T11:00:00Z", true),
            ("at", "at-least", "2026-03-01T11:30:00Z", false),
            ("gone", "is", "", false),
            ("note", "contains", "\"n\": 7", true),
        ];
        for (field, op, value, fits) in table {
            let condition = Condition::new(field, Op::of(op), value);
            assert_eq!(condition.fits(data), fits, "{field} {op} {value}");
        }
    }
}
