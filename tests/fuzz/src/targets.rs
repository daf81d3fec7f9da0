//! What each fuzz target does with any bytes. `make fuzz` runs them under libFuzzer, and `make test` on the kept corpus.

use std::sync::{Arc, LazyLock};

use beaconry_collector::connection::serve;
use beaconry_collector::limits::Limits;
use beaconry_collector::server::Collector;
use beaconry_model::capture::Capture;
use beaconry_model::category::Category;
use beaconry_model::event::{Description, Event, EventSeed, NewEvent};
use beaconry_model::fields::{Field, Fields};
use beaconry_model::judge::{Arrival, Verdict, judge};
use beaconry_model::names::{Name, SectionId};
use beaconry_model::retention::Retention;
use beaconry_model::section::{Origin, Section};
use beaconry_model::time::Timestamp;
use beaconry_model::wire::{Beacon, Envelope};
use beaconry_store::{Clock, Folder, Registry, Store};
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

/// The same ids at each run: the corpus names the event's public key.
const SEED: EventSeed = EventSeed { discriminator: [7; 10], key: [7; 16], version: [7; 16] };
const NOW: Timestamp = Timestamp(1_767_225_600_000);
const FIELDS: [&str; 6] = [
    "text:text:required",
    "flag:bool",
    "day:date",
    "moment:timestamp",
    "count:number",
    "amount:decimal",
];

/// An event with a field of every type, and its section.
fn defined() -> (Section, Event) {
    let name = Name::try_from("Shop".to_owned()).unwrap();
    let section = Section {
        id: SectionId::new(&name, [7; 10]).unwrap(),
        name,
        origins: vec![Origin::try_from("https://shop.example".to_owned()).unwrap()],
        origin_required: false,
    };
    let fields = FIELDS.iter().map(|field| Field::parse(field).unwrap()).collect();
    let new = NewEvent {
        section: section.id.clone(),
        category: Category::Signals,
        name: Name::try_from("Fuzzed".to_owned()).unwrap(),
        description: Description::default(),
        retention: Retention::Forever,
        fields: Fields::with_source(fields).unwrap(),
    };
    let mut event = Event::create(new, SEED, NOW).unwrap();
    event.enable_tracking(false, NOW).unwrap();
    (section, event)
}

/// Bytes of a request's body, up to a verdict on each event: what is accepted is JSON, and fits when it comes again.
pub fn beacon(data: &[u8]) {
    static DEFINED: LazyLock<(Section, Event)> = LazyLock::new(defined);
    let (section, event) = &*DEFINED;
    let is_json = std::str::from_utf8(data)
        .is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    let envelope = match Envelope::parse(data) {
        Ok(envelope) => envelope,
        Err(bad) => return assert!(!is_json || bad.code() != "not_json", "{bad}"),
    };
    assert!(is_json, "it was read");
    let arrival = Arrival { received: NOW, origin: None };
    for sent in &envelope.events {
        let alone = Beacon::parse(sent.raw).map_err(|rejection| rejection.code);
        assert_eq!(
            alone.map(|beacon| beacon.id),
            sent.beacon.as_ref().map(|beacon| beacon.id).map_err(|rejection| rejection.code)
        );
        let Ok(beacon) = &sent.beacon else { continue };
        if let Verdict::Accepted(accepted) = judge(beacon, &envelope, section, event, &arrival) {
            let data: Value =
                serde_json::from_str(accepted.data()).expect("what is stored is JSON");
            let again = serde_json::json!({ "v": 1, "events": [{
                "id": accepted.facts().id.to_string(), "key": beacon.key, "ver": 1,
                "time": accepted.facts().time, "data": data,
            }] })
            .to_string();
            let envelope = Envelope::parse(again.as_bytes()).expect("an envelope");
            let beacon = envelope.events[0].beacon.as_ref().expect("a beacon");
            let verdict = judge(beacon, &envelope, section, event, &arrival);
            let Verdict::Accepted(twice) = verdict else { panic!("{again}: {verdict:?}") };
            assert_eq!(twice.data(), accepted.data());
        }
    }
}

/// A definition as the registry keeps it, and a field as the command line takes it: what is read is written the same.
pub fn definition(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(event) = serde_json::from_str::<Event>(text) {
        let written = serde_json::to_string(&event).expect("a definition is JSON");
        assert_eq!(serde_json::from_str::<Event>(&written).expect("it reads back"), event);
        let mut event = event;
        // Nothing a moment brings may panic.
        for now in [i64::MIN, 0, NOW.0, i64::MAX].map(Timestamp) {
            event.settle(now);
            let _ = (event.outdated(now), event.locked_until(now), event.admit(1, now).is_ok());
        }
    }
    for line in text.lines() {
        if let Ok(field) = Field::parse(line) {
            let written = serde_json::to_string(&field).expect("a field is JSON");
            assert_eq!(serde_json::from_str::<Field>(&written).expect("it reads back"), field);
        }
    }
}

/// Tracking settings as people write them: what is read is written the same.
pub fn settings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(capture) = toml::from_str::<Capture>(text) {
        let written = toml::to_string(&capture).expect("settings are TOML");
        assert_eq!(toml::from_str::<Capture>(&written).expect("they read back"), capture);
        let written = serde_json::to_string(&capture).expect("settings are JSON");
        assert_eq!(serde_json::from_str::<Capture>(&written).expect("they read back"), capture);
        let (_, mut event) = defined();
        let _ = event.set_capture(capture, NOW);
    }
}

/// A collector on a store in a temporary folder.
pub struct Running {
    runtime: Runtime,
    collector: Arc<Collector>,
    _folder: tempfile::TempDir,
}

impl Default for Running {
    fn default() -> Running {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (section, event) = defined();
        let mut registry = Registry::open(&Folder::open(folder.path()).unwrap()).unwrap();
        registry.add_section(&section, "fuzz", NOW).unwrap();
        registry.add_event(&event, "fuzz", NOW).unwrap();
        let store = Store::open(folder.path(), Clock::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let collector = Arc::new(Collector::new(store, Limits::default()));
        Running { runtime, collector, _folder: folder }
    }
}

/// Bytes of a connection, through Hyper, routes, checks and the store to the last answer: each is one of those that are
/// promised.
pub fn request(running: &Running, data: &[u8]) {
    const STATUSES: [&str; 12] =
        ["100", "200", "204", "400", "404", "405", "408", "413", "414", "429", "431", "503"];
    let Running { runtime, collector, .. } = running;
    let answered = runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(256 * 1024);
        let serving = tokio::spawn({
            let collector = collector.clone();
            async move { serve(server, &collector).await }
        });
        // The server may have heard enough before all is sent.
        let _ = client.write_all(data).await;
        let _ = client.shutdown().await;
        let mut answered = Vec::new();
        let _ = client.read_to_end(&mut answered).await;
        let ended = serving.await;
        assert!(!ended.is_err_and(|error| error.is_panic()), "the collector panicked");
        answered
    });
    if let Some(status) =
        answered.strip_prefix(b"HTTP/1.1 ").or(answered.strip_prefix(b"HTTP/1.0 "))
    {
        let status = String::from_utf8_lossy(&status[..3]);
        assert!(STATUSES.contains(&status.as_ref()), "{status}");
    } else {
        assert!(answered.is_empty(), "{:?}", String::from_utf8_lossy(&answered));
    }
}
