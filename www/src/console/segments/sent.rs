//! What the builder's form sends, read into a draft.

use std::collections::HashMap;

use super::draft::{AttributeDraft, ConsentDraft, Draft, EventDraft, MOST, MOST_TESTS, Part, What};
use super::operator::TestDraft;
use crate::console::draft::Pairs;

/// Names and values of a form, to be looked up.
struct Sent<'a>(HashMap<&'a str, Vec<&'a str>>);

impl<'a> Sent<'a> {
    fn of(pairs: &'a Pairs) -> Sent<'a> {
        let mut sent: HashMap<&str, Vec<&str>> = HashMap::new();
        for (name, value) in pairs {
            sent.entry(name).or_default().push(value);
        }
        Sent(sent)
    }

    fn all(&self, name: &str) -> &[&'a str] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    fn one(&self, name: &str) -> Option<&'a str> {
        self.all(name).first().copied()
    }

    fn text(&self, name: &str) -> String {
        self.one(name).unwrap_or_default().trim().replace("\r\n", "\n")
    }

    fn test(&self, at: &str) -> TestDraft {
        let text = |name: &str| self.text(&format!("{name}-{at}"));
        TestDraft { op: text("op"), value: text("value"), scalar: text("scalar") }
    }

    fn event(&self, at: usize) -> EventDraft {
        let text = |name: &str| self.text(&format!("{name}-{at}"));
        let versions = self.all(&format!("versions-{at}")).iter();
        let tests = (0..MOST_TESTS).map_while(|test| {
            let place = format!("{at}-{test}");
            let field = self.one(&format!("field-{place}"))?;
            Some((field.to_owned(), self.test(&place)))
        });
        EventDraft {
            event: text("event"),
            versions: versions.filter_map(|number| number.parse().ok()).collect(),
            least: text("least"),
            most: text("most"),
            period: text("period"),
            days: text("days"),
            from: text("from"),
            to: text("to"),
            tests: tests.collect(),
        }
    }

    fn part(&self, at: usize) -> Option<Part> {
        let text = |name: &str| self.text(&format!("{name}-{at}"));
        let what = match self.one(&format!("part-{at}"))? {
            "event" => What::Event(self.event(at)),
            "attribute" => What::Attribute(AttributeDraft {
                attribute: text("attribute"),
                test: self.test(&at.to_string()),
            }),
            "consent" => What::Consent(ConsentDraft {
                channel: text("channel"),
                topic: text("topic"),
                said: self.all(&format!("said-{at}")).iter().map(|&said| said.into()).collect(),
            }),
            _ => What::Group(text("join")),
        };
        let depth = text("depth").parse().unwrap_or(1);
        Some(Part { depth, not: text("not") == "not", what, fresh: false })
    }
}

impl Draft {
    /// What a form sent. Depths that make no tree are bent until they do.
    pub(super) fn read(pairs: &Pairs) -> Draft {
        let sent = Sent::of(pairs);
        let mut parts: Vec<Part> = (0..MOST).map_while(|at| sent.part(at)).collect();
        if parts.first().is_none_or(|first| !first.is_group()) {
            return Draft::default();
        }
        parts[0].depth = 0;
        for at in 1..parts.len() {
            let before = &parts[at - 1];
            let deepest = before.depth + usize::from(before.is_group());
            parts[at].depth = parts[at].depth.clamp(1, deepest.max(1));
        }
        Draft(parts)
    }
}
