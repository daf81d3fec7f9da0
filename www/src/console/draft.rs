//! A definition as a form holds it while somebody writes it: every text as it was typed, with what is wrong beside it.

use std::collections::BTreeMap;

use beaconry_model::error::Invalid;
use beaconry_model::event::{Access, AllowedOperations, Description, Event};
use beaconry_model::fields::{Field, Fields, Limits, MAX_FIELDS, SOURCE};
use beaconry_model::names::{FieldName, Name, Slug};
use beaconry_model::retention::Retention;
use beaconry_model::value::Kind;

/// What a form sends: names and values in the order of the page.
pub(super) type Pairs = Vec<(String, String)>;

/// Messages by the place they are shown at: `name`, `description`, `retention`, `fields`, or `field-` and a row's number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Errors(BTreeMap<String, String>);

impl Errors {
    pub(super) fn one(slot: &str, message: &str) -> Errors {
        let mut errors = Errors::default();
        errors.put(slot, message);
        errors
    }

    /// Puts a message at a place, as a sentence.
    pub(super) fn put(&mut self, slot: &str, message: &str) {
        self.0.insert(slot.to_owned(), sentence(message));
    }

    /// Keeps a value, or notes at a place why there is none.
    pub(super) fn note<T>(&mut self, slot: &str, outcome: Result<T, Invalid>) -> Option<T> {
        outcome.map_err(|invalid| self.put(slot, &invalid.to_string())).ok()
    }

    /// The message at a place; blank where nothing is wrong.
    pub(super) fn at(&self, slot: &str) -> &str {
        self.0.get(slot).map_or("", String::as_str)
    }

    /// Forgets the messages at places that this is not true of.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|slot, _| keep(slot));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Everything a form for an event holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) retention: RetentionDraft,
    pub(super) fields: Vec<FieldDraft>,
    pub(super) allowed: AllowedOperations,
}

/// How long data is to be kept, as it was chosen; nothing is chosen at first.
#[derive(Clone, Debug, Default)]
pub(super) struct RetentionDraft {
    /// A retention's word, or `other` with a count and a unit beside it.
    pub(super) choice: String,
    pub(super) count: String,
    pub(super) unit: String,
}

/// One field as it was typed.
#[derive(Clone, Debug, Default)]
pub(super) struct FieldDraft {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) max_length: String,
    pub(super) min: String,
    pub(super) max: String,
    /// One a line.
    pub(super) allowed: String,
    /// Whether the row was just added or moved, and is where typing goes on.
    pub(super) fresh: bool,
}

/// What a button of the form asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Only say what is wrong.
    Check,
    Save,
    Add,
    Remove(usize),
    Up(usize),
    Down(usize),
}

impl Ask {
    pub(super) fn of(pairs: &Pairs) -> Ask {
        let word = value(pairs, "do");
        let numbered = |prefix: &str| word.strip_prefix(prefix).and_then(|at| at.parse().ok());
        match word {
            "save" | "save-only" | "save-code" => Ask::Save,
            "add" => Ask::Add,
            _ => numbered("remove-")
                .map(Ask::Remove)
                .or_else(|| numbered("up-").map(Ask::Up))
                .or_else(|| numbered("down-").map(Ask::Down))
                .unwrap_or(Ask::Check),
        }
    }
}

pub(super) fn value<'a>(pairs: &'a Pairs, name: &str) -> &'a str {
    pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

pub(super) fn ticked(pairs: &Pairs, name: &str) -> bool {
    pairs.iter().any(|(key, _)| key == name)
}

impl Draft {
    /// What a new event opens with.
    pub(super) fn with_fields(name: &str, fields: &[Field]) -> Draft {
        Draft {
            name: name.to_owned(),
            fields: fields.iter().map(FieldDraft::of).collect(),
            ..Draft::default()
        }
    }

    /// An event as it is.
    pub(super) fn of(event: &Event) -> Draft {
        Draft {
            description: event.description().as_str().to_owned(),
            allowed: event.allowed(),
            ..Draft::with_fields(event.name().as_str(), event.versions().last().fields.as_slice())
        }
    }

    /// What a form sent.
    pub(super) fn read(pairs: &Pairs) -> Draft {
        let access = |word: &str| Access {
            read: ticked(pairs, &format!("read-{word}")),
            write: ticked(pairs, &format!("write-{word}")),
        };
        let rows = (0..=MAX_FIELDS).filter(|at| ticked(pairs, &format!("name-{at}")));
        Draft {
            name: value(pairs, "name").trim().to_owned(),
            description: value(pairs, "description").trim().replace("\r\n", "\n"),
            retention: RetentionDraft {
                choice: value(pairs, "retention").to_owned(),
                count: value(pairs, "retention-count").trim().to_owned(),
                unit: value(pairs, "retention-unit").to_owned(),
            },
            fields: rows.map(|at| FieldDraft::read(pairs, at)).collect(),
            allowed: AllowedOperations {
                email: access("email"),
                mobile: access("mobile"),
                crm_id: access("crm-id"),
            },
        }
    }

    /// Does what a button asks of the rows.
    pub(super) fn arrange(&mut self, ask: Ask) {
        let count = self.fields.len();
        match ask {
            Ask::Add if count < MAX_FIELDS => {
                let kind = Kind::Text.word().to_owned();
                self.fields.push(FieldDraft { kind, fresh: true, ..FieldDraft::default() });
            }
            Ask::Remove(at) if at < count && !self.fields[at].is_source() => {
                self.fields.remove(at);
            }
            Ask::Up(at) if at > 0 && at < count => {
                self.fields[at].fresh = true;
                self.fields.swap(at, at - 1);
            }
            Ask::Down(at) if at + 1 < count => {
                self.fields[at].fresh = true;
                self.fields.swap(at, at + 1);
            }
            _ => {}
        }
    }

    pub(super) fn checked_name(&self, errors: &mut Errors) -> Option<Name> {
        let name = Name::try_from(self.name.clone());
        errors.note("name", name.and_then(|name| Slug::of(&name).map(|_| name)))
    }

    pub(super) fn checked_description(&self, errors: &mut Errors) -> Option<Description> {
        errors.note("description", Description::try_from(self.description.clone()))
    }

    pub(super) fn checked_retention(&self, errors: &mut Errors) -> Option<Retention> {
        let RetentionDraft { choice, count, unit } = &self.retention;
        let word = match choice.as_str() {
            "" => {
                let what =
                    "Choose how long events are kept. It is for good, so nothing is chosen for you";
                errors.put("retention", what);
                return None;
            }
            "other" => format!("{count}{unit}"),
            word => word.to_owned(),
        };
        errors.note("retention", Retention::try_from(word))
    }

    pub(super) fn checked_fields(&self, errors: &mut Errors) -> Option<Fields> {
        let mut fields = Vec::with_capacity(self.fields.len());
        for (at, draft) in self.fields.iter().enumerate() {
            let slot = format!("field-{at}");
            let twice = self.fields[..at].iter().any(|before| before.name == draft.name);
            if twice && !draft.name.is_empty() {
                let what =
                    format!("There is a field \"{}\" above; each name comes once", draft.name);
                errors.put(&slot, &what);
            } else {
                fields.extend(errors.note(&slot, draft.checked()));
            }
        }
        if fields.len() < self.fields.len() {
            return None;
        }
        errors.note("fields", Fields::with_source(fields))
    }

    /// What is wrong so far. What is not filled in yet is no mistake while somebody still writes.
    pub(super) fn mistakes_so_far(&self, with_retention: bool) -> Errors {
        let mut errors = Errors::default();
        self.checked_name(&mut errors);
        self.checked_description(&mut errors);
        self.checked_fields(&mut errors);
        if with_retention {
            self.checked_retention(&mut errors);
        }
        errors.0.retain(|slot, _| !self.is_blank(slot));
        errors
    }

    /// Each identifier: its word, what people call it, and what outside systems may do by it.
    pub(super) fn identifiers(&self) -> [(&'static str, &'static str, Access); 3] {
        let AllowedOperations { email, mobile, crm_id } = self.allowed;
        [
            ("email", "Email address", email),
            ("mobile", "Mobile number", mobile),
            ("crm-id", "CRM id", crm_id),
        ]
    }

    fn is_blank(&self, slot: &str) -> bool {
        match slot.strip_prefix("field-") {
            Some(at) => {
                let row = at.parse().ok().and_then(|at: usize| self.fields.get(at));
                row.is_some_and(|row| row.name.is_empty())
            }
            None if slot == "retention" => self.retention.count.is_empty(),
            None => slot == "name" && self.name.is_empty(),
        }
    }
}

impl RetentionDraft {
    pub(super) fn is(&self, choice: &str) -> bool {
        self.choice == choice
    }

    pub(super) fn counts_in(&self, unit: &str) -> bool {
        self.unit == unit
    }
}

impl FieldDraft {
    fn of(field: &Field) -> FieldDraft {
        let limits = field.limits();
        let number = |bound: Option<f64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        FieldDraft {
            name: field.name().to_string(),
            kind: field.kind().word().to_owned(),
            required: field.required(),
            max_length: limits.max_length.map(|length| length.to_string()).unwrap_or_default(),
            min: number(limits.min),
            max: number(limits.max),
            allowed: limits.allowed.join("\n"),
            fresh: false,
        }
    }

    fn read(pairs: &Pairs, at: usize) -> FieldDraft {
        let text = |name: &str| value(pairs, &format!("{name}-{at}")).trim().to_owned();
        FieldDraft {
            name: text("name"),
            kind: text("type"),
            required: ticked(pairs, &format!("required-{at}")),
            max_length: text("longest"),
            min: text("lowest"),
            max: text("highest"),
            allowed: text("allowed").replace("\r\n", "\n"),
            fresh: false,
        }
    }

    pub(super) fn is_source(&self) -> bool {
        self.name == SOURCE
    }

    pub(super) fn is_text(&self) -> bool {
        self.kind == Kind::Text.word()
    }

    pub(super) fn is_number(&self) -> bool {
        self.kind == Kind::Number.word() || self.kind == Kind::Decimal.word()
    }

    /// Whether a limit of texts is set, so that they are shown open.
    pub(super) fn has_text_limits(&self) -> bool {
        !self.max_length.is_empty() || !self.allowed.is_empty()
    }

    /// The same of numbers.
    pub(super) fn has_number_limits(&self) -> bool {
        !self.min.is_empty() || !self.max.is_empty()
    }

    /// The field. Limits that a type does not have are left behind when the type changes.
    fn checked(&self) -> Result<Field, Invalid> {
        let name = FieldName::try_from(self.name.clone())?;
        let kind = Kind::from_word(&self.kind)
            .ok_or_else(|| Invalid::new("type", "one of the list", format!("\"{}\"", self.kind)))?;
        let mut limits = Limits::default();
        if self.is_text() {
            limits.max_length = number(&self.max_length, "longest text")?;
            let lines = self.allowed.lines().map(str::trim).filter(|line| !line.is_empty());
            limits.allowed = lines.map(str::to_owned).collect();
        }
        if self.is_number() {
            limits.min = number(&self.min, "lowest")?;
            limits.max = number(&self.max, "highest")?;
        }
        Field::new(name, kind, self.required || self.is_source(), limits)
    }
}

pub(super) fn number<T: std::str::FromStr>(text: &str, thing: &str) -> Result<Option<T>, Invalid> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |_| Invalid::new(thing, "a number like 100", format!("\"{text}\""));
    text.parse().map(Some).map_err(wrong)
}

/// A message as a sentence.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if message.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &[(&str, &str)]) -> Pairs {
        text.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn rows_are_added_moved_and_removed_but_source_stays() {
        let mut draft = Draft::read(&pairs(&[
            ("name-0", "source"),
            ("type-0", "text"),
            ("name-1", "a"),
            ("type-1", "text"),
            ("name-2", "b"),
            ("type-2", "number"),
        ]));
        let names =
            |draft: &Draft| draft.fields.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
        draft.arrange(Ask::Up(2));
        assert_eq!(
            (names(&draft), draft.fields[1].fresh),
            (vec!["source".into(), "b".into(), "a".into()], true)
        );
        draft.arrange(Ask::Remove(0));
        draft.arrange(Ask::Remove(2));
        draft.arrange(Ask::Down(7));
        assert_eq!(names(&draft), ["source", "b"]);
        draft.arrange(Ask::Add);
        assert_eq!((draft.fields.len(), draft.fields[2].fresh), (3, true));
    }

    #[test]
    fn mistakes_stand_beside_their_row_and_blanks_are_none_yet() {
        let draft = Draft::read(&pairs(&[
            ("name", ""),
            ("name-0", "source"),
            ("type-0", "text"),
            ("name-1", "Order"),
            ("type-1", "text"),
            ("name-2", ""),
            ("type-2", "text"),
            ("name-3", "price"),
            ("type-3", "decimal"),
            ("lowest-3", "cheap"),
            ("name-4", "price"),
            ("type-4", "decimal"),
        ]));
        let errors = draft.mistakes_so_far(true);
        assert_eq!(errors.0.keys().collect::<Vec<_>>(), ["field-1", "field-3", "field-4"]);
        assert_eq!(errors.at("field-3"), "Lowest: expected a number like 100, got \"cheap\".");
        let mut all = Errors::default();
        assert!(draft.checked_fields(&mut all).is_none() && !all.at("field-2").is_empty());
        assert!(
            draft.checked_retention(&mut all).is_none()
                && all.at("retention").starts_with("Choose")
        );
    }

    #[test]
    fn limits_of_another_type_are_left_behind() {
        let draft = Draft::read(&pairs(&[
            ("name-0", "score"),
            ("type-0", "number"),
            ("longest-0", "9"),
            ("lowest-0", "1"),
        ]));
        let fields = draft.checked_fields(&mut Errors::default()).unwrap();
        let limits = fields.get("score").unwrap().limits();
        assert_eq!((limits.max_length, limits.min), (None, Some(1.0)));
    }
}
