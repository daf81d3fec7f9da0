//! A segment's condition as a form holds it while somebody builds it: its parts in the order of the page, each with how deep
//! it lies, and every text as it was typed.

use beaconry_model::consent::{Channel, ConsentType};

use super::operator::TestDraft;

/// The most parts of a form; a segment has at most as many conditions.
pub(super) const MOST: usize = 50;
/// The most tests of fields in one condition.
pub(super) const MOST_TESTS: usize = 20;

/// One part: a group, or a condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    /// How deep it lies; only the first part, a group that holds all others, has 0.
    pub(super) depth: usize,
    /// Whether the condition must not hold. A group has its own words for that.
    pub(super) not: bool,
    pub(super) what: What,
    /// Whether it was just added.
    pub(super) fresh: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// How its parts are joined: `all`, `any`, `none` or `not-all`.
    Group(String),
    Event(EventDraft),
    Attribute(AttributeDraft),
    Consent(ConsentDraft),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct EventDraft {
    pub(super) event: String,
    pub(super) versions: Vec<u32>,
    pub(super) least: String,
    pub(super) most: String,
    /// `ever`, `last` or `between`.
    pub(super) period: String,
    pub(super) days: String,
    pub(super) from: String,
    pub(super) to: String,
    /// Each tested field with its test.
    pub(super) tests: Vec<(String, TestDraft)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct AttributeDraft {
    pub(super) attribute: String,
    pub(super) test: TestDraft,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ConsentDraft {
    pub(super) channel: String,
    /// List and topic.
    pub(super) topic: String,
    pub(super) said: Vec<String>,
}

/// All parts. The first is the group that holds the others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draft(pub(super) Vec<Part>);

impl Default for Draft {
    fn default() -> Draft {
        Draft(vec![Part::new(0, What::Group("all".to_owned()))])
    }
}

impl Part {
    pub(super) fn new(depth: usize, what: What) -> Part {
        Part { depth, not: false, what, fresh: false }
    }

    pub(super) fn is_group(&self) -> bool {
        matches!(self.what, What::Group(_))
    }
}

impl Draft {
    /// Whether this place of the form is not filled in yet.
    pub(super) fn is_blank(&self, slot: &str) -> bool {
        let mut numbers = slot.split('-').skip(1).map(|number| number.parse::<usize>().ok());
        let part = numbers.next().flatten().and_then(|at| self.0.get(at));
        match (part.map(|part| &part.what), numbers.next().flatten()) {
            (Some(What::Event(event)), Some(test)) => event
                .tests
                .get(test)
                .is_some_and(|(field, test)| field.is_empty() || test.value.is_empty()),
            (Some(What::Event(event)), None) => {
                event.event.is_empty() || event.period == "last" && event.days.is_empty()
            }
            (Some(What::Attribute(known)), _) => {
                known.attribute.is_empty() || known.test.value.is_empty()
            }
            (Some(What::Consent(consent)), _) => consent.topic.is_empty(),
            _ => false,
        }
    }

    /// Where the parts end that lie in this one.
    pub(super) fn end(&self, at: usize) -> usize {
        let depth = self.0[at].depth;
        let inside = self.0[at + 1..].iter().take_while(|part| part.depth > depth);
        at + 1 + inside.count()
    }

    /// Does what a button asks of the parts.
    pub(super) fn arrange(&mut self, word: &str) {
        let mut words = word.split('-');
        let (ask, what) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut numbers = words.map_while(|number| number.parse::<usize>().ok());
        let Some(at) = numbers.next().filter(|at| *at < self.0.len()) else { return };
        match (ask, what, numbers.next()) {
            ("add", "test", _) => {
                if let What::Event(event) = &mut self.0[at].what
                    && event.tests.len() < MOST_TESTS
                {
                    let test = TestDraft { op: "equals".into(), ..TestDraft::default() };
                    event.tests.push((String::new(), test));
                }
            }
            ("remove", "test", Some(test)) => {
                if let What::Event(event) = &mut self.0[at].what
                    && test < event.tests.len()
                {
                    event.tests.remove(test);
                }
            }
            ("remove", "part", _) if at > 0 => {
                self.0.drain(at..self.end(at));
            }
            ("add", kind, _) if self.0[at].is_group() && self.0.len() < MOST => {
                let Some(what) = What::fresh(kind) else { return };
                let part = Part { fresh: true, ..Part::new(self.0[at].depth + 1, what) };
                self.0.insert(self.end(at), part);
            }
            _ => {}
        }
    }
}

impl What {
    /// What an added part begins with.
    fn fresh(kind: &str) -> Option<What> {
        Some(match kind {
            "group" => What::Group("any".to_owned()),
            "event" => What::Event(EventDraft {
                least: "1".to_owned(),
                period: "ever".to_owned(),
                ..EventDraft::default()
            }),
            "attribute" => What::Attribute(AttributeDraft {
                test: TestDraft { op: "equals".to_owned(), ..TestDraft::default() },
                ..AttributeDraft::default()
            }),
            "consent" => What::Consent(ConsentDraft {
                channel: Channel::Email.word().to_owned(),
                said: [ConsentType::OptIn, ConsentType::ConfirmedOptIn]
                    .map(|said| said.word().to_owned())
                    .into(),
                ..ConsentDraft::default()
            }),
            _ => return None,
        })
    }
}
