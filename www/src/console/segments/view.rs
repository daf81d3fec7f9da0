//! The builder's parts as the page shows them: lists to choose from, and what is to be said of each.

use beaconry_model::consent::{Channel, ConsentType};
use beaconry_model::segment::{Condition, Period, Test};
use beaconry_model::value::Kind;
use beaconry_store::remarks;

use super::choices::{Choices, Opt};
use super::draft::{AttributeDraft, ConsentDraft, Draft, EventDraft, MOST_TESTS, Part, What};
use super::operator::{Shape, TestDraft, example, shape, suiting};
use crate::console::draft::Errors;

/// One part as it is shown.
pub(super) struct View {
    pub(super) at: usize,
    pub(super) depth: usize,
    /// What its inputs are called after: `condition 2`, `group 1`.
    pub(super) called: String,
    pub(super) nots: [Opt; 2],
    pub(super) body: Body,
    pub(super) fresh: bool,
    /// Groups that end behind this part, the innermost first.
    pub(super) ends: Vec<(usize, String)>,
}

pub(super) enum Body {
    Group { joins: Vec<Opt> },
    Event(EventView),
    Attribute { attributes: Vec<Opt>, test: TestView },
    Consent { channels: Vec<Opt>, topics: Vec<Opt>, said: Vec<Opt> },
}

pub(super) struct EventView {
    pub(super) events: Vec<Opt>,
    pub(super) versions: Vec<Opt>,
    pub(super) least: String,
    pub(super) most: String,
    pub(super) periods: Vec<Opt>,
    pub(super) period: String,
    pub(super) days: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) tests: Vec<(Vec<Opt>, TestView)>,
    pub(super) more_tests: bool,
}

impl EventView {
    /// Whether versions were chosen, so that they are shown open.
    pub(super) fn some_versions(&self) -> bool {
        self.versions.iter().any(|version| version.chosen)
    }
}

pub(super) struct TestView {
    /// What the names of its inputs end with.
    pub(super) place: String,
    pub(super) ops: Vec<Opt>,
    pub(super) value: String,
    pub(super) scalar: String,
    pub(super) shape: Shape,
    pub(super) example: &'static str,
}

impl TestView {
    fn of(draft: &TestDraft, place: String, kind: Option<Kind>) -> TestView {
        let ops = suiting(kind, &draft.op).into_iter();
        TestView {
            place,
            ops: ops.map(|(word, label)| Opt::new(word, label, word == draft.op)).collect(),
            value: draft.value.clone(),
            scalar: draft.scalar.clone(),
            shape: shape(&draft.op, kind),
            example: example(&draft.op, kind),
        }
    }

    pub(super) fn is(&self, value: &str) -> bool {
        self.value == value
    }
}

/// All parts of a draft as they are shown.
pub(super) fn views(draft: &Draft, choices: &Choices) -> Vec<View> {
    let (mut conditions, mut groups) = (0, 0);
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut views: Vec<View> = Vec::with_capacity(draft.0.len());
    for (at, part) in draft.0.iter().enumerate() {
        let called = if part.is_group() {
            groups += 1;
            format!("group {groups}")
        } else {
            conditions += 1;
            format!("condition {conditions}")
        };
        if part.is_group() {
            open.push((at, called.clone()));
        }
        let mut ends = Vec::new();
        while open.last().is_some_and(|(group, _)| draft.end(*group) == at + 1) {
            ends.extend(open.pop());
        }
        views.push(View {
            at,
            depth: part.depth,
            called,
            nots: nots(part),
            body: body(at, part, choices),
            fresh: part.fresh,
            ends,
        });
    }
    views
}

fn nots(part: &Part) -> [Opt; 2] {
    let (holds, not) = match part.what {
        What::Event(_) => ("happened", "did not happen"),
        What::Attribute(_) => ("holds", "does not hold"),
        _ => ("was given", "was not given"),
    };
    [Opt::new("", holds, !part.not), Opt::new("not", not, part.not)]
}

fn body(at: usize, part: &Part, choices: &Choices) -> Body {
    match &part.what {
        What::Group(join) => Body::Group { joins: joins(join) },
        What::Event(event) => Body::Event(event_view(at, event, choices)),
        What::Attribute(AttributeDraft { attribute, test }) => Body::Attribute {
            attributes: choices.attributes(attribute),
            test: TestView::of(test, at.to_string(), choices.kind_of_attribute(attribute)),
        },
        What::Consent(consent) => consent_view(consent, choices),
    }
}

fn joins(join: &str) -> Vec<Opt> {
    let labels = [
        ("all", "all of these hold"),
        ("any", "at least one of these holds"),
        ("none", "none of these holds"),
        ("not-all", "not all of these hold"),
    ];
    labels.into_iter().map(|(word, label)| Opt::new(word, label, word == join)).collect()
}

fn event_view(at: usize, event: &EventDraft, choices: &Choices) -> EventView {
    let periods =
        [("ever", "at any time"), ("last", "in the last days"), ("between", "between two times")];
    let test = |(number, (field, test)): (usize, &(String, TestDraft))| {
        let kind = choices.kind_of_field(&event.event, field, &event.versions);
        let view = TestView::of(test, format!("{at}-{number}"), kind);
        (choices.fields(&event.event, field), view)
    };
    EventView {
        events: choices.events(&event.event),
        versions: choices.versions(&event.event, &event.versions),
        least: event.least.clone(),
        most: event.most.clone(),
        periods: periods
            .into_iter()
            .map(|(word, label)| Opt::new(word, label, word == event.period))
            .collect(),
        period: event.period.clone(),
        days: event.days.clone(),
        from: event.from.clone(),
        to: event.to.clone(),
        tests: event.tests.iter().enumerate().map(test).collect(),
        more_tests: event.tests.len() < MOST_TESTS,
    }
}

fn consent_view(consent: &ConsentDraft, choices: &Choices) -> Body {
    let (list, topic) = super::choices::unpair(&consent.topic);
    let label = |said: ConsentType| match said {
        ConsentType::OptIn => "yes",
        ConsentType::ConfirmedOptIn => "yes, and confirmed",
        ConsentType::OptOut => "no",
    };
    let channels = Channel::ALL.into_iter();
    let said = ConsentType::ALL.into_iter();
    Body::Consent {
        channels: channels
            .map(|one| Opt::new(one.word(), one.word(), one.word() == consent.channel))
            .collect(),
        topics: choices.topics(&list, &topic),
        said: said
            .map(|one| {
                let chosen = consent.said.iter().any(|word| word == one.word());
                Opt::new(one.word(), label(one), chosen)
            })
            .collect(),
    }
}

/// What is to be said of each part beside its mistakes: what it names that is hidden, gone or absent. By the part's number.
pub(super) fn warnings(draft: &Draft, choices: &Choices) -> Vec<Vec<String>> {
    let said = |part: &Part| {
        if part.is_group() {
            return Vec::new();
        }
        // A part by itself, so that what is said stands beside it. Its values need not be right yet.
        let lone = Draft(vec![
            Part::new(0, What::Group("all".to_owned())),
            Part { depth: 1, what: named(&part.what), ..part.clone() },
        ]);
        let Some(condition) = lone.checked(choices, &mut Errors::default()) else {
            return Vec::new();
        };
        let remarks = remarks(&choices.snapshot, &choices.section, &condition);
        remarks.iter().map(|remark| sentence(&remark.to_string())).collect()
    };
    draft.0.iter().map(said).collect()
}

/// The part with values that are right for certain: what it names stays.
fn named(what: &What) -> What {
    let there = || TestDraft { op: "exists".to_owned(), ..TestDraft::default() };
    match what {
        What::Event(event) => What::Event(EventDraft {
            least: String::new(),
            most: String::new(),
            period: String::new(),
            tests: event
                .tests
                .iter()
                .filter(|(field, _)| !field.is_empty())
                .map(|(field, _)| (field.clone(), there()))
                .collect(),
            ..event.clone()
        }),
        What::Attribute(attribute) => {
            What::Attribute(AttributeDraft { test: there(), ..attribute.clone() })
        }
        other => other.clone(),
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// A condition in a few words, for lists.
pub(super) fn in_words(condition: &Condition, choices: &Choices) -> String {
    let join = |parts: &[Condition], word: &str| match parts {
        [] if word == " and " => "everybody".to_owned(),
        [] => "nobody".to_owned(),
        parts => {
            let texts: Vec<_> = parts
                .iter()
                .map(|part| match part {
                    Condition::All(inner) | Condition::Any(inner) if inner.len() > 1 => {
                        format!("({})", in_words(part, choices))
                    }
                    part => in_words(part, choices),
                })
                .collect();
            texts.join(word)
        }
    };
    match condition {
        Condition::All(parts) => join(parts, " and "),
        Condition::Any(parts) => join(parts, " or "),
        Condition::Not(part) => format!("not ({})", in_words(part, choices)),
        Condition::Event(event) => {
            let name = named_by(&choices.events(event.event.as_str()), event.event.as_str());
            let times = match (event.at_least, event.at_most) {
                (1, None) => String::new(),
                (least, None) => format!(" at least {least} times"),
                (0, Some(most)) => format!(" at most {most} times"),
                (least, Some(most)) => format!(" {least} to {most} times"),
            };
            let period = match event.period {
                Period::Ever => String::new(),
                Period::LastDays(days) => format!(" in the last {days} days"),
                Period::Between { .. } => " in a period".to_owned(),
            };
            let fields: Vec<_> =
                event.fields.iter().map(|test| tested(test.field.as_str(), &test.test)).collect();
            let fields = match fields.is_empty() {
                true => String::new(),
                false => format!(", {}", fields.join(", ")),
            };
            format!("{name}{times}{period}{fields}")
        }
        Condition::Attribute(attribute) => {
            let options = choices.attributes(&attribute.attribute);
            tested(&named_by(&options, &attribute.attribute), &attribute.test)
        }
        Condition::Consent(consent) => {
            let topic = super::choices::pair(&consent.list, &consent.topic);
            let said: Vec<_> = consent.said.iter().map(|said| said.word()).collect();
            let topic = named_by(&choices.topics(&consent.list, &consent.topic), &topic);
            format!("{topic} {}", said.join(" or "))
        }
    }
}

/// What is tested with its comparison and value, shortened.
fn tested(thing: &str, test: &Test) -> String {
    const LONGEST: usize = 40;
    let Some(draft) = TestDraft::of(test) else { return thing.to_owned() };
    let all = suiting(None, "");
    let label = all.iter().find(|(word, _)| *word == draft.op).map_or("", |(_, label)| label);
    let value = draft.value.replace('\n', " or ");
    let short: String = value.chars().take(LONGEST).collect();
    let more = if short.len() < value.len() { "…" } else { "" };
    format!("{thing} {label} {short}{more}").trim_end().to_owned()
}

fn named_by(options: &[Opt], value: &str) -> String {
    let found = options.iter().find(|option| option.value == value);
    found.map_or_else(|| value.to_owned(), |option| option.label.clone())
}
