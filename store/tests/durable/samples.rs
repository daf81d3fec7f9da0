//! What the tests of the store start from.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use beaconry_model::category::Category;
use beaconry_model::event::{Description, Event, NewEvent};
use beaconry_model::fields::{Field, Fields};
use beaconry_model::judge::{Arrival, Verdict, judge};
use beaconry_model::names::{Name, SectionId};
use beaconry_model::retention::Retention;
use beaconry_model::section::Section;
use beaconry_model::time::Timestamp;
use beaconry_model::wire::Envelope;
use beaconry_store::{Clock, Entry, Known, Registry, Store, bytes, event_seed, quarantine_until};
use serde_json::json;

/// A store in this folder, its writer running.
pub(crate) fn open(folder: &Path) -> Arc<Store> {
    Store::open(folder, Clock::default()).unwrap()
}

/// A section of this name.
pub(crate) fn add_section(registry: &mut Registry, name: &str, now: Timestamp) -> Section {
    let name = Name::try_from(name.to_owned()).unwrap();
    let id = SectionId::new(&name, bytes().unwrap()).unwrap();
    let section = Section { id, name, origins: vec![], origin_required: false };
    registry.add_section(&section, "test", now).unwrap();
    section
}

/// An event of this name, with a required number `n`.
pub(crate) fn new_event(
    section: &Section,
    name: &str,
    retention: Retention,
    now: Timestamp,
) -> Event {
    let new = NewEvent {
        section: section.id.clone(),
        category: Category::Signals,
        name: Name::try_from(name.to_owned()).unwrap(),
        description: Description::default(),
        retention,
        fields: Fields::with_source(vec![Field::parse("n:number:required").unwrap()]).unwrap(),
    };
    Event::create(new, event_seed().unwrap(), now).unwrap()
}

/// An event with tracking on.
pub(crate) fn tracked(store: &Store, name: &str, retention: Retention) -> Arc<Known> {
    tracked_since(store, name, retention, store.clock().now())
}

/// An event with tracking on since this moment.
pub(crate) fn tracked_since(
    store: &Store,
    name: &str,
    retention: Retention,
    now: Timestamp,
) -> Arc<Known> {
    let section = store.snapshot().sections().first().map(|section| section.as_ref().clone());
    let section = section.unwrap_or_else(|| add_section(&mut store.registry(), "Shop", now));
    let event = new_event(&section, name, retention, now);
    let number = store.registry().add_event(&event, "test", now).unwrap();
    store
        .change_event(number, "test", "tracking.enable", |event| event.enable_tracking(false, now))
        .unwrap();
    store.snapshot().by_number(number).unwrap().clone()
}

/// The id of the n-th event.
pub(crate) fn id(n: u64) -> String {
    format!("019a0000-0000-7000-8000-{n:012x}")
}

/// What becomes of the n-th beacon with this value, arriving at this moment.
pub(crate) fn entry(known: &Known, n: u64, value: serde_json::Value, received: Timestamp) -> Entry {
    entry_with(known, n, value, received, false)
}

/// As [`entry`], perhaps in test mode.
pub(crate) fn entry_with(
    known: &Known,
    n: u64,
    value: serde_json::Value,
    received: Timestamp,
    test: bool,
) -> Entry {
    entry_of("v", known, n, value, received, test)
}

/// As [`entry_with`], of this visitor.
pub(crate) fn entry_of(
    visitor: &str,
    known: &Known,
    n: u64,
    value: serde_json::Value,
    received: Timestamp,
    test: bool,
) -> Entry {
    let body = json!({"v": 1, "visitor": visitor, "test": test, "events": [{
        "id": id(n), "key": known.event.key(), "ver": 1, "time": received,
        "data": {"source": "Website", "n": value},
    }]})
    .to_string();
    judged(known, &body, received)
}

/// The n-th beacon, of this version and from this page.
pub(crate) fn entry_from(known: &Known, n: u64, ver: u32, url: &str, received: Timestamp) -> Entry {
    let body = json!({"v": 1, "visitor": "v", "events": [{
        "id": id(n), "key": known.event.key(), "ver": ver, "time": received, "url": url,
        "data": {"source": "Website", "n": n},
    }]});
    judged(known, &body.to_string(), received)
}

fn judged(known: &Known, body: &str, received: Timestamp) -> Entry {
    let envelope = Envelope::parse(body.as_bytes()).unwrap();
    let beacon = envelope.events[0].beacon.as_ref().unwrap();
    let arrival = Arrival { received, origin: None };
    match judge(beacon, &envelope, &known.section, &known.event, &arrival) {
        Verdict::Accepted(accepted) => Entry::Accepted(known.number, accepted),
        Verdict::Quarantined(kept) => Entry::Quarantined(
            known.number,
            kept,
            quarantine_until(known.event.retention(), received),
        ),
        Verdict::Refused(rejection) => panic!("{rejection:?}"),
    }
}

/// Waits until a condition holds that background work brings about.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}: not within 20 s");
        std::thread::yield_now();
    }
}

/// The values of `n` that are stored, newest first.
pub(crate) fn stored(store: &Store, known: &Known) -> Vec<i64> {
    let events = store.reader().unwrap().newest(known.number, false, 100_000).unwrap();
    let value = |data: &str| {
        serde_json::from_str::<serde_json::Value>(data).unwrap()["n"].as_i64().unwrap()
    };
    events.iter().map(|event| value(&event.data)).collect()
}
