//! What the tests make snippets of.

use beaconry_generator::{CollectorUrl, Engine, Input};
use beaconry_model::capture::Capture;
use beaconry_model::fields::{Field, Fields};
use beaconry_model::names::{EventKey, Name, Slug};

/// All that an [`Input`] borrows.
pub(crate) struct Parts {
    section: Name,
    event: Name,
    slug: Slug,
    key: EventKey,
    fields: Fields,
    capture: Capture,
    collector: CollectorUrl,
    engine: Engine,
}

impl Parts {
    /// An event with these fields and tracking settings, both as JSON.
    pub(crate) fn new(event: &str, fields: &str, capture: &str, engine: Engine) -> Parts {
        let event = Name::try_from(event.to_owned()).unwrap();
        let fields: Vec<Field> = serde_json::from_str(fields).unwrap();
        let fields = Fields::with_source(fields).unwrap();
        let capture: Capture = serde_json::from_str(capture).unwrap();
        capture.check(&fields).unwrap();
        Parts {
            section: Name::try_from("Shop".to_owned()).unwrap(),
            slug: Slug::of(&event).unwrap(),
            event,
            key: EventKey::new([3; 16]),
            capture: capture.for_fields(&fields),
            fields,
            collector: CollectorUrl::parse("https://collect.shop.example/").unwrap(),
            engine,
        }
    }

    pub(crate) fn input(&self) -> Input<'_> {
        Input {
            section: &self.section,
            event: &self.event,
            slug: &self.slug,
            key: &self.key,
            version: 1,
            rev: 1,
            fields: &self.fields,
            capture: &self.capture,
            collector: &self.collector,
            engine: &self.engine,
        }
    }
}

/// An engine that differs by no compiler.
pub(crate) fn fixture_engine() -> Engine {
    let loader = "hand(SETTINGS);\n";
    Engine::from_parts(b"// the engine's script\n", b"// debug\n", loader)
}
