//! From the builder's form to a condition, with what is wrong beside the part it is of.

use beaconry_model::consent::{Channel, ConsentType};
use beaconry_model::error::Invalid;
use beaconry_model::names::{Discriminator, FieldName};
use beaconry_model::segment::{
    AttributeCondition, Condition, ConsentCondition, EventCondition, FieldTest, Period,
};
use beaconry_model::time::Timestamp;

use super::choices::{Choices, unpair};
use super::draft::{AttributeDraft, ConsentDraft, Draft, EventDraft, What};
use crate::console::data::moment;
use crate::console::draft::Errors;

impl Draft {
    /// The condition; what is wrong is noted beside the part it is of (`part-` and its number, with `-` and the test's).
    pub(super) fn checked(&self, choices: &Choices, errors: &mut Errors) -> Option<Condition> {
        let before = errors.len();
        let mut at = 0;
        let condition = self.part(&mut at, choices, errors);
        let condition = condition.filter(|_| errors.len() == before)?;
        errors.note("condition", condition.check().map(|()| condition))
    }

    fn part(&self, at: &mut usize, choices: &Choices, errors: &mut Errors) -> Option<Condition> {
        let (here, part) = (*at, &self.0[*at]);
        *at += 1;
        let slot = format!("part-{here}");
        let leaf = match &part.what {
            What::Group(join) => return self.group(here, join, at, choices, errors),
            What::Event(event) => event.checked(&slot, choices, errors).map(Condition::Event),
            What::Attribute(attribute) => {
                errors.note(&slot, attribute.checked(choices)).map(Condition::Attribute)
            }
            What::Consent(consent) => errors.note(&slot, consent.checked()).map(Condition::Consent),
        }?;
        Some(if part.not { Condition::Not(Box::new(leaf)) } else { leaf })
    }

    fn group(
        &self,
        here: usize,
        join: &str,
        at: &mut usize,
        choices: &Choices,
        errors: &mut Errors,
    ) -> Option<Condition> {
        let (mut parts, end) = (Vec::new(), self.end(here));
        while *at < end {
            parts.extend(self.part(at, choices, errors));
        }
        Some(match join {
            "any" => Condition::Any(parts),
            "none" => Condition::Not(Box::new(Condition::Any(parts))),
            "not-all" => Condition::Not(Box::new(Condition::All(parts))),
            _ => Condition::All(parts),
        })
    }
}

impl EventDraft {
    fn checked(
        &self,
        slot: &str,
        choices: &Choices,
        errors: &mut Errors,
    ) -> Option<EventCondition> {
        let mut tests = Vec::new();
        for (at, (field, test)) in self.tests.iter().enumerate() {
            let read = || {
                if field.is_empty() {
                    return Err(Invalid::new("field", "one of the list", "none"));
                }
                let kind = choices.kind_of_field(&self.event, field, &self.versions);
                let test = test.checked(field, kind)?;
                Ok(FieldTest { field: FieldName::try_from(field.clone())?, test })
            };
            tests.extend(errors.note(&format!("{slot}-{at}"), read()));
        }
        let condition = errors.note(slot, self.condition(tests))?;
        let checked = Condition::Event(condition.clone()).check();
        errors.note(slot, checked)?;
        Some(condition)
    }

    fn condition(&self, fields: Vec<FieldTest>) -> Result<EventCondition, Invalid> {
        if self.event.is_empty() {
            return Err(Invalid::new("event", "one of the list", "none"));
        }
        let count = |text: &str, thing: &str| match text {
            "" => Ok(None),
            text => text
                .parse::<u32>()
                .map(Some)
                .map_err(|_| Invalid::new(thing, "a whole number like 2", format!("\"{text}\""))),
        };
        let period = match self.period.as_str() {
            "last" => Period::LastDays(
                count(&self.days, "days")?
                    .ok_or_else(|| Invalid::new("days", "a whole number like 30", "none"))?,
            ),
            "between" => {
                Period::Between { from: bound("from", &self.from)?, to: bound("to", &self.to)? }
            }
            _ => Period::Ever,
        };
        Ok(EventCondition {
            event: Discriminator::try_from(self.event.clone())?,
            versions: self.versions.clone(),
            at_least: count(&self.least, "at least")?.unwrap_or(1),
            at_most: count(&self.most, "at most")?,
            period,
            fields,
        })
    }
}

fn bound(name: &str, text: &str) -> Result<Option<Timestamp>, Invalid> {
    moment(name, text).map_err(|_| {
        Invalid::new(name, "a time like 2026-03-01T12:00, in UTC", format!("\"{text}\""))
    })
}

impl AttributeDraft {
    fn checked(&self, choices: &Choices) -> Result<AttributeCondition, Invalid> {
        if self.attribute.is_empty() {
            return Err(Invalid::new("attribute", "one of the list", "none"));
        }
        let kind = choices.kind_of_attribute(&self.attribute);
        let test = self.test.checked("value", kind)?;
        let condition = AttributeCondition { attribute: self.attribute.clone(), test };
        Condition::Attribute(condition.clone()).check()?;
        Ok(condition)
    }
}

impl ConsentDraft {
    fn checked(&self) -> Result<ConsentCondition, Invalid> {
        let (list, topic) = unpair(&self.topic);
        if list.is_empty() {
            return Err(Invalid::new("topic", "one of the list", "none"));
        }
        let said = self.said.iter().map(|word| ConsentType::try_from(word.clone()));
        let said: Vec<_> = said.collect::<Result<_, _>>()?;
        if said.is_empty() {
            return Err(Invalid::new("answer", "at least one of the three", "none"));
        }
        Ok(ConsentCondition {
            channel: Channel::try_from(self.channel.clone())?,
            list,
            topic,
            said,
        })
    }
}
