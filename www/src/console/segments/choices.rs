//! What a section's segments can ask for: its events with their fields, its attributes, its consent lists with their topics.

use std::collections::BTreeSet;
use std::sync::Arc;

use beaconry_model::names::SectionId;
use beaconry_model::value::Kind;
use beaconry_store::{Known, Snapshot};

/// One of a list, for a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opt {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

impl Opt {
    pub(super) fn new(value: impl Into<String>, label: impl Into<String>, chosen: bool) -> Opt {
        Opt { value: value.into(), label: label.into(), chosen }
    }
}

/// What a section knows, at one moment.
pub(super) struct Choices {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) section: SectionId,
}

impl Choices {
    fn known(&self, event: &str) -> Option<&Arc<Known>> {
        self.snapshot.visible_events().find(|known| {
            known.event.section() == &self.section && known.event.discriminator().as_str() == event
        })
    }

    /// The visible events by name, and the chosen one where it is not among them.
    pub(super) fn events(&self, chosen: &str) -> Vec<Opt> {
        let of_section =
            self.snapshot.visible_events().filter(|known| known.event.section() == &self.section);
        let options = of_section.map(|known| {
            let address = known.event.discriminator().as_str();
            (address.to_owned(), known.event.name().to_string())
        });
        with_chosen(options.collect(), chosen, "Choose an event")
    }

    /// The versions of an event that can be looked at, and chosen ones that it does not have.
    pub(super) fn versions(&self, event: &str, chosen: &[u32]) -> Vec<Opt> {
        let known = self.known(event);
        let mut numbers: BTreeSet<u32> = chosen.iter().copied().collect();
        numbers.extend(known.iter().flat_map(|k| k.event.versions().iter().map(|v| v.number)));
        let label =
            |number: &u32| match known.is_some_and(|k| k.event.versions().get(*number).is_some()) {
                true => format!("Version {number}"),
                false => format!("Version {number} (not there)"),
            };
        numbers
            .iter()
            .map(|number| Opt::new(number.to_string(), label(number), chosen.contains(number)))
            .collect()
    }

    /// The fields of an event, the newest version's first, and the chosen one where it is not among them.
    pub(super) fn fields(&self, event: &str, chosen: &str) -> Vec<Opt> {
        let mut names: Vec<(String, String)> = Vec::new();
        let versions = self.known(event).map(|known| known.event.versions());
        let mut newest_first: Vec<_> = versions.iter().flat_map(|v| v.iter()).collect();
        newest_first.reverse();
        for field in newest_first.iter().flat_map(|version| version.fields.iter()) {
            let name = field.name().to_string();
            if names.iter().all(|(known, _)| *known != name) {
                names.push((name.clone(), name));
            }
        }
        with_chosen(names, chosen, "Choose a field")
    }

    /// The type of a field in the newest version that has it, of those that are looked at.
    pub(super) fn kind_of_field(&self, event: &str, field: &str, versions: &[u32]) -> Option<Kind> {
        let known = self.known(event)?;
        let looked_at = |number| versions.is_empty() || versions.contains(&number);
        let of = |all: bool| {
            let versions = known.event.versions().iter();
            let with = versions.filter(|version| all || looked_at(version.number));
            with.filter_map(|version| version.fields.get(field)).next_back()
        };
        of(false).or_else(|| of(true)).map(|field| field.kind())
    }

    /// The section's attributes, and the chosen one where it is not among them.
    pub(super) fn attributes(&self, chosen: &str) -> Vec<Opt> {
        let known = self.snapshot.audience().attributes(&self.section);
        let options = known
            .map(|known| (known.attribute.discriminator.clone(), known.attribute.name.to_string()));
        let mut options = with_chosen(options.collect(), chosen, "Choose an attribute");
        // A segment may name one by what people call it.
        if self.snapshot.audience().attribute(&self.section, chosen).is_some() {
            for option in options.iter_mut().filter(|option| option.value == chosen) {
                option.label = option.label.trim_end_matches(NOT_THERE).to_owned();
            }
        }
        options
    }

    pub(super) fn kind_of_attribute(&self, attribute: &str) -> Option<Kind> {
        let known = self.snapshot.audience().attribute(&self.section, attribute)?;
        Some(known.attribute.current().field.kind())
    }

    /// The topics of the section's lists; each stands for its list too.
    pub(super) fn topics(&self, list: &str, topic: &str) -> Vec<Opt> {
        let mut options = Vec::new();
        for known in self.snapshot.audience().consent_lists(&self.section) {
            // The list may be named by what people call it.
            let named = known.name.as_str() == list && list != known.discriminator;
            let list = if named { list } else { &known.discriminator };
            for one in &known.topics {
                options.push((
                    pair(list, &one.discriminator),
                    format!("{}: {}", known.name, one.name),
                ));
            }
        }
        let chosen = if list.is_empty() { String::new() } else { pair(list, topic) };
        let shown = if topic.is_empty() { list } else { topic };
        let mut options = with_chosen(options, &chosen, "Choose a topic");
        for option in options.iter_mut().filter(|option| option.label.starts_with('[')) {
            option.label = format!("{shown}{NOT_THERE}");
        }
        options
    }
}

/// Said of what a section does not have.
const NOT_THERE: &str = " (hidden or not there)";

/// A list and a topic as one value.
pub(super) fn pair(list: &str, topic: &str) -> String {
    serde_json::json!([list, topic]).to_string()
}

/// The list and the topic that a value stands for.
pub(super) fn unpair(value: &str) -> (String, String) {
    serde_json::from_str(value).unwrap_or_default()
}

fn with_chosen(known: Vec<(String, String)>, chosen: &str, prompt: &str) -> Vec<Opt> {
    let missing = known.iter().all(|(value, _)| value != chosen);
    let mut options = Vec::with_capacity(known.len() + 1);
    match (chosen, missing) {
        ("", _) => options.push(Opt::new("", prompt, true)),
        (_, true) => options.push(Opt::new(chosen, format!("{chosen}{NOT_THERE}"), true)),
        _ => {}
    }
    options.extend(known.into_iter().map(|(value, label)| {
        let is = value == chosen;
        Opt::new(value, label, is)
    }));
    options
}
