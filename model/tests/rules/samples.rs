//! What the tests of the rules start from.

use beaconry_model::category::Category;
use beaconry_model::event::{Description, Event, EventSeed, NewEvent};
use beaconry_model::fields::{Field, Fields};
use beaconry_model::names::{Name, SectionId};
use beaconry_model::retention::Retention;
use beaconry_model::section::{Origin, Section};
use beaconry_model::time::Timestamp;

/// A moment to start from: 2026-11-23T12:00:00Z.
pub(crate) const NOON: Timestamp = Timestamp(1_795_435_200_000);

/// Fields from the command line's form, `source` added.
pub(crate) fn fields(texts: &[&str]) -> Fields {
    let fields = texts.iter().map(|text| Field::parse(text).unwrap()).collect();
    Fields::with_source(fields).unwrap()
}

/// A section whose shop is at `https://shop.example`.
pub(crate) fn section() -> Section {
    let name = name("Shop");
    Section {
        id: SectionId::new(&name, [1; 10]).unwrap(),
        name,
        origins: vec![Origin::try_from("https://shop.example".to_string()).unwrap()],
        origin_required: false,
    }
}

/// An event created at noon with these fields.
pub(crate) fn event(texts: &[&str]) -> Event {
    let new = NewEvent {
        section: section().id,
        category: Category::Transactions,
        name: name("Order placed"),
        description: Description::default(),
        retention: Retention::Days(730),
        fields: fields(texts),
    };
    Event::create(new, EventSeed { discriminator: [2; 10], key: [3; 16], version: [4; 16] }, NOON)
        .unwrap()
}

/// A name.
pub(crate) fn name(text: &str) -> Name {
    Name::try_from(text.to_string()).unwrap()
}
