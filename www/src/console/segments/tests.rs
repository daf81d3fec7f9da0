//! Whatever condition the API takes is shown as it is: as a form that gives the same again, or as text.

use std::sync::Arc;

use beaconry_model::category::Category;
use beaconry_model::event::{Event, NewEvent};
use beaconry_model::fields::{Field, Fields};
use beaconry_model::names::{Name, SectionId};
use beaconry_model::retention::Retention;
use beaconry_model::section::Section;
use beaconry_model::segment::Condition;
use beaconry_store::{Clock, Store, event_seed};
use serde_json::{Value, json};

use super::choices::Choices;
use super::draft::{Draft, What};
use crate::console::draft::{Errors, Pairs};

/// A section with one event of a field of each type.
struct Setting {
    choices: Choices,
    event: String,
    _store: Arc<Store>,
    _folder: tempfile::TempDir,
}

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

fn setting() -> Setting {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Clock::default()).unwrap();
    let now = store.clock().now();
    let section = SectionId::new(&name("Shop"), [7; 10]).unwrap();
    let made = Section {
        id: section.clone(),
        name: name("Shop"),
        origins: vec![],
        origin_required: false,
    };
    store.registry().add_section(&made, "test", now).unwrap();
    let fields = ["note:text", "n:number", "d:decimal", "sure:bool", "day:date", "at:timestamp"];
    let fields = fields.map(|field| Field::parse(field).unwrap());
    let new = NewEvent {
        section: section.clone(),
        category: Category::Signals,
        name: name("It"),
        description: String::new().try_into().unwrap(),
        retention: Retention::Forever,
        fields: Fields::with_source(fields.into()).unwrap(),
    };
    let event = Event::create(new, event_seed().unwrap(), now).unwrap();
    store.registry().add_event(&event, "test", now).unwrap();
    store.reload().unwrap();
    let choices = Choices { snapshot: store.snapshot(), section };
    Setting { choices, event: event.discriminator().to_string(), _store: store, _folder: folder }
}

impl Setting {
    fn condition(&self, json: &Value) -> Condition {
        let text = json.to_string().replace("EVENT", &self.event);
        let condition: Condition = serde_json::from_str(&text).unwrap();
        condition.check().unwrap();
        condition
    }

    fn event(&self, tests: Value) -> Condition {
        self.condition(&json!({ "event": { "event": "EVENT", "where": tests } }))
    }
}

#[test]
fn conditions_come_out_of_the_form_as_they_went_in() {
    let setting = setting();
    let city = "com.beaconry.attributes.city";
    let table = [
        json!({ "all": [] }),
        json!({ "any": [] }),
        json!({ "not": { "any": [] } }),
        json!({ "event": { "event": "EVENT" } }),
        json!({ "not": { "event": { "event": "EVENT", "at_least": 0, "at_most": 3 } } }),
        json!({ "event": { "event": "EVENT", "versions": [1, 9], "at_least": 2, "period": { "last_days": 30 } } }),
        json!({ "event": { "event": "EVENT", "period": { "between": { "from": "2026-03-01T12:00:00Z", "to": "2026-03-02T12:00:05.125Z" } } } }),
        json!({ "event": { "event": "EVENT", "period": { "between": {} } } }),
        json!({ "event": { "event": "com.beaconry.events.signal.custom-gone-0123456789", "where": [
            { "field": "x", "equals": 12 }, { "field": "y", "equals": "12" }, { "field": "z", "one_of": [true, false] } ] } }),
        json!({ "attribute": { "attribute": city, "equals": "Malmö" } }),
        json!({ "attribute": { "attribute": "City", "contains": "lm" } }),
        json!({ "attribute": { "attribute": "com.beaconry.attributes.gone", "at_least": 3.5 } }),
        json!({ "consent": { "channel": "sms", "list": "a|list", "topic": "a \"topic\"", "is": ["opt-out"] } }),
        json!({ "all": [ { "any": [ { "not": { "all": [ { "event": { "event": "EVENT" } }, { "attribute": { "attribute": city, "exists": false } } ] } } ] },
            { "not": { "any": [ { "event": { "event": "EVENT" } } ] } } ] }),
        // As deep as a segment may be.
        json!({ "all": [ { "any": [ { "all": [ { "any": [ { "all": [ { "any": [ { "all": [ { "event": { "event": "EVENT" } } ] } ] } ] } ] } ] } ] } ] }),
    ];
    for json in table {
        let condition = setting.condition(&json);
        let draft = Draft::of(&condition, &setting.choices);
        let draft = draft.unwrap_or_else(|| panic!("not shown as a form: {json}"));
        let again = draft.checked(&setting.choices, &mut Errors::default()).unwrap();
        let twice = Draft::of(&again, &setting.choices).unwrap();
        assert_eq!(draft, twice, "{json}");
    }
}

#[test]
fn every_test_of_every_type_comes_out_as_it_went_in() {
    let setting = setting();
    for tests in [
        json!([{ "field": "note", "equals": "a" }, { "field": "note", "differs": "b" }, { "field": "note", "one_of": ["a", "12"] }]),
        json!([{ "field": "note", "contains": "a" }, { "field": "note", "starts_with": "<b>" }, { "field": "note", "exists": true }]),
        json!([{ "field": "n", "equals": 12 }, { "field": "n", "above": -1 }, { "field": "n", "one_of": [1, 2] }, { "field": "d", "at_most": 1.5 }]),
        json!([{ "field": "sure", "equals": true }, { "field": "sure", "differs": false }]),
        json!([{ "field": "day", "before": "2026-03-01" }, { "field": "at", "after": "2026-03-01T12:00:00+01:00" }]),
        // Comparisons that the field's type never passes are still shown.
        json!([{ "field": "n", "contains": "1" }, { "field": "note", "below": 4 }]),
    ] {
        let condition = setting.event(tests);
        let draft = Draft::of(&condition, &setting.choices).unwrap();
        let again = draft.checked(&setting.choices, &mut Errors::default()).unwrap();
        assert_eq!(again, Condition::All(vec![condition]));
    }
}

#[test]
fn what_a_form_cannot_hold_is_left_to_the_text() {
    let setting = setting();
    for tests in [
        json!([{ "field": "note", "equals": "two\nlines" }]),
        json!([{ "field": "note", "equals": " blanks " }]),
        json!([{ "field": "note", "equals": "" }]),
        // A form would make a number of it.
        json!([{ "field": "n", "equals": "12" }]),
        json!([{ "field": "note", "equals": 12 }]),
        json!([{ "field": "sure", "one_of": [true, "maybe"] }]),
    ] {
        let condition = setting.event(tests);
        assert_eq!(Draft::of(&condition, &setting.choices), None, "{condition:?}");
    }
    let twice = setting.condition(&json!({ "not": { "not": { "event": { "event": "EVENT" } } } }));
    assert_eq!(Draft::of(&twice, &setting.choices), None);
}

fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn parts_are_added_to_their_group_and_removed_with_what_lies_in_them() {
    let mut draft = Draft::default();
    for word in ["add-group-0", "add-event-1", "add-attribute-1", "add-consent-0", "add-event-2"] {
        draft.arrange(word);
    }
    let shape = |draft: &Draft| {
        let letter = |what: &What| match what {
            What::Group(_) => 'g',
            What::Event(_) => 'e',
            What::Attribute(_) => 'a',
            What::Consent(_) => 'c',
        };
        let part = |part: &super::draft::Part| format!("{}{}", letter(&part.what), part.depth);
        draft.0.iter().map(part).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shape(&draft), "g0 g1 e2 a2 c1", "nothing is added to a condition");
    draft.arrange("remove-part-0");
    draft.arrange("add-test-2");
    draft.arrange("add-test-3");
    assert!(matches!(&draft.0[2].what, What::Event(event) if event.tests.len() == 1));
    draft.arrange("remove-test-2-0");
    assert!(matches!(&draft.0[2].what, What::Event(event) if event.tests.is_empty()));
    draft.arrange("remove-part-1");
    assert_eq!(shape(&draft), "g0 c1");
    for word in ["", "add", "add-event-99", "remove-part-x", "remove-test-0-0"] {
        draft.arrange(word);
    }
    assert_eq!(shape(&draft), "g0 c1");
}

#[test]
fn depths_that_make_no_tree_are_bent() {
    let sent = pairs(&[
        ("part-0", "group"),
        ("depth-0", "7"),
        ("part-1", "event"),
        ("depth-1", "5"),
        ("part-2", "group"),
        ("depth-2", "0"),
        ("part-3", "group"),
        ("depth-3", "2"),
        ("part-4", "consent"),
        ("depth-4", "9"),
        ("part-6", "event"),
    ]);
    let depths: Vec<_> = Draft::read(&sent).0.iter().map(|part| part.depth).collect();
    assert_eq!(depths, [0, 1, 1, 2, 3]);
    assert_eq!(Draft::read(&pairs(&[("part-0", "event")])), Draft::default());
}

#[test]
fn mistakes_stand_beside_their_part() {
    let setting = setting();
    let sent = pairs(&[
        ("part-0", "group"),
        ("part-1", "event"),
        ("event-1", &setting.event),
        ("least-1", "many"),
        ("field-1-0", "n"),
        ("op-1-0", "above"),
        ("value-1-0", "cheap"),
        ("field-1-1", "note"),
        ("op-1-1", "equals"),
        ("part-2", "attribute"),
        ("part-3", "consent"),
    ]);
    let mut errors = Errors::default();
    assert_eq!(Draft::read(&sent).checked(&setting.choices, &mut errors), None);
    let said = |slot: &str| errors.at(slot).to_owned();
    assert_eq!(said("part-1"), "At least: expected a whole number like 2, got \"many\".");
    assert_eq!(said("part-1-0"), "N: expected a number like 100 or 12.5, got \"cheap\".");
    assert_eq!(said("part-1-1"), "Note: expected a value to compare with, got none.");
    assert_eq!(said("part-2"), "Attribute: expected one of the list, got none.");
    assert_eq!(said("part-3"), "Topic: expected one of the list, got none.");
}
