//! What profiles cost: 100,000 of them with 5 million events, as `make bench-profiles` measures it.
//!
//! Everything goes the way it goes in a server: events are judged and appended, linked behind, and read beside that.
//! `BENCH_PROFILES` and `BENCH_EVENTS` set other sizes, and then nothing is written into BENCHMARKS.md.

mod report;

use std::sync::Arc;
use std::time::{Duration, Instant};

use beaconry_model::category::Category;
use beaconry_model::consent::{Channel, ConsentList, ConsentType};
use beaconry_model::event::{Description, Event, NewEvent};
use beaconry_model::fields::{Field, Fields};
use beaconry_model::judge::{Arrival, Verdict, judge};
use beaconry_model::names::{Name, SectionId};
use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_model::retention::Retention;
use beaconry_model::section::Section;
use beaconry_model::segment::Condition;
use beaconry_model::time::DAY_MS;
use beaconry_model::wire::{Beacon, Envelope};
use beaconry_store::{Clock, Entry, Known, Posting, Store, TimelineQuery, event_seed};
use serde_json::{Value, json};

use crate::report::{Limit, Report};

/// Kinds of events; each comes as often as the others.
const KINDS: [&str; 5] =
    ["Order placed", "Cart filled", "Product viewed", "Survey answered", "Newsletter read"];
/// Events in one request of those that fill the store.
const REQUEST: u64 = 500;
/// Profiles that have keys, attributes and consents beside their events: every so manieth.
const KNOWN: u64 = 10;
/// Requests a second while posting is measured, and for how long.
const POSTS_A_SECOND: u32 = 200;
const POSTING: Duration = Duration::from_secs(10);

fn main() {
    let size = |name: &str| std::env::var(name).ok().map(|size| size.parse::<u64>().unwrap());
    let sizes = (size("BENCH_PROFILES"), size("BENCH_EVENTS"));
    let (profiles, events) = (sizes.0.unwrap_or(100_000), sizes.1.unwrap_or(5_000_000));
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let report = runtime.block_on(async {
        let mut bench = Bench::new(folder.path());
        bench.fill(profiles, events).await;
        bench.know(profiles).await;
        bench.pages(profiles);
        bench.segments();
        bench.post(profiles).await;
        bench.erase().await;
        bench.report
    });
    let section = report.section(profiles, events);
    section.publish(sizes == (None, None)).unwrap();
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

struct Bench {
    store: Arc<Store>,
    section: Section,
    kinds: Vec<Arc<Known>>,
    list: ConsentList,
    report: Report,
}

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

fn web(visitor: u64) -> ProfileKey {
    ProfileKey::new(Keyspace::Web, &format!("visitor-{visitor}")).unwrap()
}

fn email(visitor: u64) -> ProfileKey {
    ProfileKey::new(Keyspace::Email, &format!("person{visitor}@shop.example")).unwrap()
}

impl Bench {
    fn new(folder: &std::path::Path) -> Bench {
        let store = Store::open(folder, Clock::default()).unwrap();
        let now = store.clock().now();
        let section = Section {
            id: SectionId::new(&name("Shop"), [1; 10]).unwrap(),
            name: name("Shop"),
            origins: vec![],
            origin_required: false,
        };
        store.registry().add_section(&section, "bench", now).unwrap();
        let fields = ["orderid:text", "totalvalue:decimal", "currency:text", "items:number"];
        let fields =
            Fields::with_source(fields.map(|field| Field::parse(field).unwrap()).to_vec()).unwrap();
        for kind in KINDS {
            let new = NewEvent {
                section: section.id.clone(),
                category: Category::Signals,
                name: name(kind),
                description: Description::default(),
                retention: Retention::Forever,
                fields: fields.clone(),
            };
            let mut event = Event::create(new, event_seed().unwrap(), now).unwrap();
            event.enable_tracking(false, now).unwrap();
            store.registry().add_event(&event, "bench", now).unwrap();
        }
        let mut list = ConsentList::create(section.id.clone(), name("News"), [2; 10], now).unwrap();
        list.add_topic(name("Weekly"), [3; 10]).unwrap();
        store.registry().add_consent_list(&list, "bench", now).unwrap();
        store.reload().unwrap();
        let kinds = store.snapshot().all_events().to_vec();
        Bench { store, section, kinds, list, report: Report::default() }
    }

    /// One request of some visitors' events over the last 60 days.
    fn request(&self, first: u64, profiles: u64, random: &mut Random) -> Vec<Entry> {
        let received = self.store.clock().now();
        let entries = (first..first + REQUEST).map(|n| {
            let known = &self.kinds[usize::try_from(n).unwrap() % KINDS.len()];
            // Each visitor comes at least once.
            let visitor = if n < profiles { n } else { random.below(profiles) };
            let value = random.below(100_000) as f64 / 100.0;
            let time = received.plus(-i64::try_from(random.below(30 * DAY_MS as u64)).unwrap());
            let body = json!({"v": 1, "visitor": format!("visitor-{visitor}"), "events": [{
                "id": format!("019a0000-{:04x}-7000-8000-{:012x}", n >> 48, n), "key": known.event.key(), "ver": 1,
                "time": time, "url": "https://shop.example/checkout/thanks",
                "data": {"source": "Website", "orderid": format!("A-{n}"), "totalvalue": value, "currency": "EUR", "items": n % 7},
            }]})
            .to_string();
            let envelope = Envelope::parse(body.as_bytes()).unwrap();
            let beacon = Beacon::parse(envelope.events[0].get()).unwrap();
            let arrival = Arrival { received, origin: None };
            match judge(&beacon, &envelope, &known.section, &known.event, &arrival) {
                Verdict::Accepted(accepted) => Entry::Accepted(known.number, accepted),
                other => panic!("{other:?}"),
            }
        });
        entries.collect()
    }

    async fn fill(&mut self, profiles: u64, events: u64) {
        let (mut random, started) = (Random(4_711), Instant::now());
        for first in (0..events).step_by(usize::try_from(REQUEST).unwrap()) {
            let entries = self.request(first, profiles, &mut random);
            // What is answered "busy" is sent again, as a client does.
            while self.store.append(entries.clone()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        let stored = started.elapsed();
        self.store.linked(Duration::from_secs(3_600)).await;
        let linked = started.elapsed();
        self.report.figure("stored, events a second", events as f64 / stored.as_secs_f64());
        self.report.figure("linked, events a second", events as f64 / linked.as_secs_f64());
        let counted = self.store.profiles().unwrap().count().unwrap();
        assert_eq!(counted, profiles, "each visitor is a profile");
        for entry in std::fs::read_dir(self.store.folder().path()).unwrap() {
            let entry = entry.unwrap();
            let size = entry.metadata().unwrap().len() / (1 << 20);
            if size > 0 {
                self.report.figure(
                    &format!("size of `{}`, MiB", entry.file_name().display()),
                    size as f64,
                );
            }
        }
    }

    /// Gives some profiles an address, attributes and a consent.
    async fn know(&mut self, profiles: u64) {
        let snapshot = self.store.snapshot();
        let city = snapshot
            .audience()
            .attribute(&self.section.id, "City")
            .unwrap()
            .attribute
            .current()
            .id
            .to_string();
        let topic = (self.list.discriminator.as_str(), self.list.topics[0].discriminator.as_str());
        let (mut took, mut count) = (Vec::new(), 0);
        for visitor in (0..profiles).step_by(usize::try_from(KNOWN).unwrap()) {
            let (address, started) = (email(visitor), Instant::now());
            self.store.merge_profiles(vec![web(visitor), address.clone()]).await.unwrap();
            took.push(started.elapsed());
            let town = if visitor % 20 == 0 { "Malmö" } else { "Växjö" };
            let patch = json!({&city: town}).to_string();
            self.store.set_attributes(&address, &self.section.id, patch.as_bytes()).await.unwrap();
            let address = (Channel::Email, address.as_str());
            self.store
                .add_consent(&self.section.id, address, topic, ConsentType::OptIn)
                .await
                .unwrap();
            count += 1;
        }
        took.sort_unstable();
        let what = format!("merging a visitor and an address, median of {count}");
        self.report.time(&what, took[took.len() / 2], Limit::None);
    }

    fn pages(&mut self, profiles: u64) {
        let (mut random, snapshot, now) =
            (Random(99), self.store.snapshot(), self.store.clock().now());
        let (mut pages, mut reads) = (Vec::new(), Vec::new());
        for _ in 0..1_000 {
            let key = web(random.below(profiles));
            let started = Instant::now();
            let reader = self.store.profiles().unwrap();
            let profile = reader.find(&key).unwrap().unwrap();
            let timeline = reader.timeline(&snapshot, &profile, &TimelineQuery::default()).unwrap();
            reads.push(started.elapsed());
            assert!(!timeline.is_empty());
            reader.attributes(&snapshot, &profile, &self.section.id).unwrap();
            reader.consents(&profile).unwrap();
            reader.segments_of(&snapshot, &profile, now).unwrap();
            pages.push(started.elapsed());
        }
        for (what, mut took) in [("events read", reads), ("profile page", pages)] {
            took.sort_unstable();
            self.report.time(&format!("{what}, median of 1,000"), took[500], Limit::None);
            self.report.time(&format!("{what}, 99th of a hundred"), took[990], Limit::Ms(20));
        }
    }

    fn segments(&mut self) {
        let event = |kind: usize, more: Value| {
            let mut condition = json!({"event": self.kinds[kind].event.discriminator()});
            condition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"event": condition})
        };
        let attribute =
            json!({"attribute": {"attribute": "com.beaconry.attributes.city", "equals": "Malmö"}});
        let consent = json!({"consent": {
            "channel": "email", "list": self.list.discriminator, "topic": self.list.topics[0].discriminator, "is": ["opt-in"],
        }});
        let dear = event(
            0,
            json!({"where": [{"field": "totalvalue", "above": 950}, {"field": "currency", "equals": "EUR"}]}),
        );
        let often = event(1, json!({"at_least": 5, "period": {"last_days": 10}}));
        let never = json!({"not": event(2, json!({"where": [{"field": "items", "equals": 3}]}))});
        for (what, condition) in [
            ("one event", event(0, json!({}))),
            ("one event, five times in ten days", often.clone()),
            ("one event with two values", dear.clone()),
            ("an attribute", attribute.clone()),
            (
                "all of two events, a value that never came, a consent",
                json!({"all": [often, dear, never, consent]}),
            ),
            (
                "any of an attribute, two events, and never a third",
                json!({"any": [attribute, dear, often, never]}),
            ),
        ] {
            let condition: Condition = serde_json::from_value(condition).unwrap();
            let (snapshot, started) = (self.store.snapshot(), Instant::now());
            let reader = self.store.profiles().unwrap();
            let counted = reader
                .count_segment(&snapshot, &self.section.id, &condition, self.store.clock().now())
                .unwrap();
            let took = started.elapsed();
            let what = format!("segment, {what}: {} counted", counted.count);
            self.report.time(&what, took, Limit::Ms(2_000));
        }
    }

    /// Posts at a steady rate, one event each, to random profiles that are known by an address.
    async fn post(&mut self, profiles: u64) {
        let version = self.kinds[0].event.versions().last().id.to_string();
        let body = json!({"items": [{"version_id": version, "data": {"source": "ERP", "totalvalue": 1.5}}]}).to_string();
        let mut tick = tokio::time::interval(Duration::from_secs(1) / POSTS_A_SECOND);
        let (mut random, started, mut posts) =
            (Random(7), Instant::now(), tokio::task::JoinSet::new());
        while started.elapsed() < POSTING {
            tick.tick().await;
            let (store, body) = (self.store.clone(), body.clone());
            let key = email(random.below(profiles / KNOWN) * KNOWN);
            posts.spawn(async move {
                let started = Instant::now();
                let posting = Posting {
                    section: "Shop",
                    key: &key,
                    body: body.as_bytes(),
                    idempotency_key: None,
                };
                assert_eq!(store.post_events(posting).await.unwrap().stored, 1);
                started.elapsed()
            });
        }
        let mut took = posts.join_all().await;
        took.sort_unstable();
        let rate = format!("posting at {POSTS_A_SECOND} requests a second");
        self.report.time(&format!("{rate}, median"), took[took.len() / 2], Limit::Ms(5));
        let slow = took[took.len() * 99 / 100];
        self.report.time(&format!("{rate}, 99th of a hundred"), slow, Limit::None);
    }

    async fn erase(&mut self) {
        let (store, started) = (self.store.clone(), Instant::now());
        tokio::task::spawn_blocking(move || store.erase(&email(0), false, "bench").unwrap())
            .await
            .unwrap();
        self.report.time("erasing a person from every file", started.elapsed(), Limit::None);
    }
}
