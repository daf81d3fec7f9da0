//! From a condition to the builder's form, where the form can hold all of it.

use beaconry_model::segment::{Condition, EventCondition, FieldTest, Period};
use beaconry_model::time::Timestamp;

use super::choices::{Choices, pair};
use super::draft::{AttributeDraft, ConsentDraft, Draft, EventDraft, MOST, Part, What};
use super::operator::TestDraft;
use crate::console::draft::Errors;

impl Draft {
    /// A condition as a form; `None` where a form cannot show all of it as it is.
    pub(super) fn of(condition: &Condition, choices: &Choices) -> Option<Draft> {
        let mut draft = Draft(Vec::new());
        match group_of(condition) {
            Some(_) => draft.put(condition, 0)?,
            None => {
                draft = Draft::default();
                draft.put(condition, 1)?;
            }
        }
        // Whatever the form would change by itself is not shown as one.
        let again = draft.checked(choices, &mut Errors::default())?;
        let fits = draft.0.len() <= MOST && simplified(&again) == simplified(condition);
        fits.then_some(draft)
    }

    fn put(&mut self, condition: &Condition, depth: usize) -> Option<()> {
        if let Some((join, parts)) = group_of(condition) {
            self.0.push(Part::new(depth, What::Group(join.to_owned())));
            return parts.iter().try_for_each(|part| self.put(part, depth + 1));
        }
        let (not, leaf) = match condition {
            Condition::Not(inner) => (true, inner.as_ref()),
            leaf => (false, leaf),
        };
        let what = match leaf {
            Condition::Event(event) => What::Event(EventDraft::of(event)?),
            Condition::Attribute(attribute) => What::Attribute(AttributeDraft {
                attribute: attribute.attribute.clone(),
                test: TestDraft::of(&attribute.test)?,
            }),
            Condition::Consent(consent) => What::Consent(ConsentDraft {
                channel: consent.channel.word().to_owned(),
                topic: pair(&consent.list, &consent.topic),
                said: consent.said.iter().map(|said| said.word().to_owned()).collect(),
            }),
            _ => return None,
        };
        self.0.push(Part { not, ..Part::new(depth, what) });
        Some(())
    }
}

impl EventDraft {
    fn of(event: &EventCondition) -> Option<EventDraft> {
        let (mut days, mut bounds) = (String::new(), (String::new(), String::new()));
        let period = match event.period {
            Period::Ever => "ever",
            Period::LastDays(count) => {
                days = count.to_string();
                "last"
            }
            Period::Between { from, to } => {
                let text = |at: Option<Timestamp>| at.map(written).unwrap_or_default();
                bounds = (text(from), text(to));
                "between"
            }
        };
        let test = |test: &FieldTest| Some((test.field.to_string(), TestDraft::of(&test.test)?));
        Some(EventDraft {
            event: event.event.to_string(),
            versions: event.versions.clone(),
            least: event.at_least.to_string(),
            most: event.at_most.map(|most| most.to_string()).unwrap_or_default(),
            period: period.to_owned(),
            days,
            from: bounds.0,
            to: bounds.1,
            tests: event.fields.iter().map(test).collect::<Option<_>>()?,
        })
    }
}

/// A moment as an input of local times writes it, in UTC.
fn written(at: Timestamp) -> String {
    let text = at.to_string();
    let text = text.trim_end_matches('Z');
    let text = text.strip_suffix(".000").unwrap_or(text);
    text.strip_suffix(":00").unwrap_or(text).to_owned()
}

/// How a group is joined, and its parts; `None` of what is no group.
fn group_of(condition: &Condition) -> Option<(&'static str, &[Condition])> {
    match condition {
        Condition::All(parts) => Some(("all", parts)),
        Condition::Any(parts) => Some(("any", parts)),
        Condition::Not(inner) => match inner.as_ref() {
            Condition::All(parts) => Some(("not-all", parts)),
            Condition::Any(parts) => Some(("none", parts)),
            _ => None,
        },
        _ => None,
    }
}

/// The condition without groups of one.
fn simplified(condition: &Condition) -> Condition {
    match condition {
        Condition::All(parts) | Condition::Any(parts) if parts.len() == 1 => simplified(&parts[0]),
        Condition::All(parts) => Condition::All(parts.iter().map(simplified).collect()),
        Condition::Any(parts) => Condition::Any(parts.iter().map(simplified).collect()),
        Condition::Not(inner) => Condition::Not(Box::new(simplified(inner))),
        leaf => leaf.clone(),
    }
}
