//! A folder with many profiles, filled the way a server fills it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use beaconry_model::category::Category;
use beaconry_model::consent::{Channel, ConsentList, ConsentType};
use beaconry_model::event::{Description, Event, NewEvent};
use beaconry_model::fields::{Field, Fields};
use beaconry_model::judge::{Arrival, Verdict, judge};
use beaconry_model::key::{Grant, Sections};
use beaconry_model::names::{Name, SectionId};
use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_model::retention::Retention;
use beaconry_model::section::Section;
use beaconry_model::segment::{Condition, Segment};
use beaconry_model::time::DAY_MS;
use beaconry_model::wire::Envelope;
use beaconry_store::{Clock, Entry, Keys, Known, Store, event_seed};
use serde_json::{Value, json};

use crate::Random;
use crate::report::{Limit, Report};

/// Kinds of events; each comes as often as the others.
const KINDS: [&str; 5] =
    ["Order placed", "Cart filled", "Product viewed", "Survey answered", "Newsletter read"];
/// Events in one request of those that fill the store.
const REQUEST: u64 = 500;
/// Profiles that have keys, attributes and consents beside their events: every so manieth.
pub(crate) const KNOWN: u64 = 10;
/// Profiles whose pages are asked for.
const PAGES: u64 = 1_000;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is in the folder, as far as who asks needs to know.
#[derive(Debug)]
pub(crate) struct Filled {
    pub(crate) profiles: u64,
    /// The section's id.
    pub(crate) section: String,
    /// The version of the first kind of event.
    pub(crate) version: String,
    /// Ids of some profiles.
    pub(crate) ids: Vec<String>,
    /// What each segment asks for, in words, with its condition.
    pub(crate) segments: Vec<(&'static str, Value)>,
    /// An API key: client id and secret.
    pub(crate) key: (String, String),
    /// An administrator's personal token.
    pub(crate) token: String,
}

/// An address of every manieth visitor.
pub(crate) fn address(visitor: u64) -> String {
    format!("person{visitor}@shop.example")
}

/// Fills the folder.
pub(crate) async fn fill(
    folder: &Path,
    profiles: u64,
    events: u64,
    report: &mut Report,
) -> Result<Filled, String> {
    filled(folder, profiles, events, report).await.map_err(|error| error.to_string())
}

async fn filled(
    folder: &Path,
    profiles: u64,
    events: u64,
    report: &mut Report,
) -> Result<Filled, Failure> {
    let shop = Shop::new(folder)?;
    shop.fill(profiles, events, report).await?;
    shop.know(profiles, report).await?;
    let segments = shop.segments()?;
    let keys = Keys::open(shop.store.folder())?;
    let (now, name) = (shop.store.clock().now(), name("Bench")?);
    let reached = vec![Keyspace::Email, Keyspace::Web];
    let key = keys.create(&name, Grant::new(Sections::All, reached, true, true)?, "bench", now)?;
    Ok(Filled {
        profiles,
        section: shop.section.id.to_string(),
        version: shop.kinds[0].event.versions().last().id.to_string(),
        ids: shop.ids(profiles)?,
        segments,
        key: (key.key.client_id, key.client_secret),
        token: keys.create_token(&name, "command line", 1, now)?.token,
    })
}

fn name(text: &str) -> Result<Name, Failure> {
    Ok(Name::try_from(text.to_owned())?)
}

fn web(visitor: u64) -> Result<ProfileKey, Failure> {
    Ok(ProfileKey::new(Keyspace::Web, &format!("visitor-{visitor}"))?)
}

/// The folder while it is filled.
struct Shop {
    store: Arc<Store>,
    section: Section,
    kinds: Vec<Arc<Known>>,
    list: ConsentList,
}

impl Shop {
    fn new(folder: &Path) -> Result<Shop, Failure> {
        let store = Store::open(folder, Clock::default())?;
        let now = store.clock().now();
        let section = Section {
            id: SectionId::new(&name("Shop")?, [1; 10])?,
            name: name("Shop")?,
            origins: vec![],
            origin_required: false,
        };
        store.registry().add_section(&section, "bench", now)?;
        let fields = ["orderid:text", "totalvalue:decimal", "currency:text", "items:number"];
        let fields: Result<Vec<Field>, _> =
            fields.iter().map(|field| Field::parse(field)).collect();
        let fields = Fields::with_source(fields?)?;
        for kind in KINDS {
            let new = NewEvent {
                section: section.id.clone(),
                category: Category::Signals,
                name: name(kind)?,
                description: Description::default(),
                retention: Retention::Forever,
                fields: fields.clone(),
            };
            let mut event = Event::create(new, event_seed()?, now)?;
            event.enable_tracking(false, now)?;
            store.registry().add_event(&event, "bench", now)?;
        }
        let mut list = ConsentList::create(section.id.clone(), name("News")?, [2; 10], now)?;
        list.add_topic(name("Weekly")?, [3; 10])?;
        store.registry().add_consent_list(&list, "bench", now)?;
        store.reload()?;
        let kinds = store.snapshot().all_events().to_vec();
        Ok(Shop { store, section, kinds, list })
    }

    /// One request of some visitors' events over the last 30 days.
    fn request(
        &self,
        first: u64,
        profiles: u64,
        random: &mut Random,
    ) -> Result<Vec<Entry>, Failure> {
        let received = self.store.clock().now();
        let mut entries = Vec::new();
        for n in first..first + REQUEST {
            let known = &self.kinds[n as usize % KINDS.len()];
            // Each visitor comes at least once.
            let visitor = if n < profiles { n } else { random.below(profiles) };
            let value = random.below(100_000) as f64 / 100.0;
            let time = received.plus(-(random.below(30 * DAY_MS as u64) as i64));
            let body = json!({"v": 1, "visitor": format!("visitor-{visitor}"), "events": [{
                "id": format!("019a0000-{:04x}-7000-8000-{:012x}", n >> 48, n), "key": known.event.key(), "ver": 1,
                "time": time, "url": "https://shop.example/checkout/thanks",
                "data": {"source": "Website", "orderid": format!("A-{n}"), "totalvalue": value, "currency": "EUR", "items": n % 7},
            }]})
            .to_string();
            let envelope =
                Envelope::parse(body.as_bytes()).map_err(|wrong| format!("{wrong:?}"))?;
            let beacon = &envelope.events[0].beacon;
            let beacon = beacon.as_ref().map_err(|wrong| format!("{wrong:?}"))?;
            let arrival = Arrival { received, origin: None };
            match judge(beacon, &envelope, &known.section, &known.event, &arrival) {
                Verdict::Accepted(accepted) => {
                    entries.push(Entry::Accepted(known.number, accepted))
                }
                other => return Err(format!("{other:?}").into()),
            }
        }
        Ok(entries)
    }

    async fn fill(&self, profiles: u64, events: u64, report: &mut Report) -> Result<(), Failure> {
        let (mut random, started) = (Random(4_711), Instant::now());
        for first in (0..events).step_by(REQUEST as usize) {
            let entries = self.request(first, profiles, &mut random)?;
            // What is answered "busy" is sent again, as a client does.
            while self.store.append(entries.clone()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        let stored = started.elapsed();
        self.store.linked(Duration::from_secs(3_600)).await;
        let linked = started.elapsed();
        report.figure("stored, events a second", events as f64 / stored.as_secs_f64());
        report.figure("linked, events a second", events as f64 / linked.as_secs_f64());
        let counted = self.store.profiles()?.count()?;
        if counted != profiles {
            return Err(format!("{counted} profiles of {profiles} visitors").into());
        }
        for entry in std::fs::read_dir(self.store.folder().path())? {
            let entry = entry?;
            let size = entry.metadata()?.len() / (1 << 20);
            if size > 0 {
                let what = format!("size of `{}`, MiB", entry.file_name().display());
                report.figure(&what, size as f64);
            }
        }
        Ok(())
    }

    /// Gives some profiles an address, attributes and a consent.
    async fn know(&self, profiles: u64, report: &mut Report) -> Result<(), Failure> {
        let snapshot = self.store.snapshot();
        let city =
            snapshot.audience().attribute(&self.section.id, "City").ok_or("no attribute City")?;
        let city = city.attribute.current().id.to_string();
        let topic = (self.list.discriminator.as_str(), self.list.topics[0].discriminator.as_str());
        let mut took = Vec::new();
        for visitor in (0..profiles).step_by(KNOWN as usize) {
            let key = ProfileKey::new(Keyspace::Email, &address(visitor))?;
            let started = Instant::now();
            self.store.merge_profiles(vec![web(visitor)?, key.clone()]).await?;
            took.push(started.elapsed());
            let town = if visitor % 20 == 0 { "Malmö" } else { "Växjö" };
            let patch = json!({&city: town}).to_string();
            self.store.set_attributes(&key, &self.section.id, patch.as_bytes()).await?;
            let address = (Channel::Email, key.as_str());
            self.store.add_consent(&self.section.id, address, topic, ConsentType::OptIn).await?;
        }
        took.sort_unstable();
        let what = format!("merging a visitor and an address, median of {}", took.len());
        report.time(&what, took[took.len() / 2], Limit::None);
        Ok(())
    }

    /// Saves segments, from plain to hard.
    fn segments(&self) -> Result<Vec<(&'static str, Value)>, Failure> {
        let event = |kind: usize, more: Value| {
            let mut condition = json!({"event": self.kinds[kind].event.discriminator()});
            if let (Some(all), Value::Object(more)) = (condition.as_object_mut(), more) {
                all.extend(more);
            }
            json!({"event": condition})
        };
        let attribute =
            json!({"attribute": {"attribute": "com.beaconry.attributes.city", "equals": "Malmö"}});
        let consent = json!({"consent": {
            "channel": "email", "list": self.list.discriminator, "topic": self.list.topics[0].discriminator, "is": ["opt-in"],
        }});
        let two = json!({"where": [{"field": "totalvalue", "above": 950}, {"field": "currency", "equals": "EUR"}]});
        let dear = event(0, two);
        let often = event(1, json!({"at_least": 5, "period": {"last_days": 10}}));
        let never = json!({"not": event(2, json!({"where": [{"field": "items", "equals": 3}]}))});
        let all = [
            ("one event", event(0, json!({}))),
            ("one event, five times in ten days", often.clone()),
            ("one event with two values", dear.clone()),
            ("an attribute", attribute.clone()),
            (
                "all of two events, a value that never came, a consent",
                json!({"all": [often.clone(), dear.clone(), never.clone(), consent]}),
            ),
            (
                "any of an attribute, two events, and never a third",
                json!({"any": [attribute, dear, often, never]}),
            ),
        ];
        let now = self.store.clock().now();
        for (number, (words, condition)) in all.iter().enumerate() {
            let condition: Condition = serde_json::from_value(condition.clone())?;
            let random = [number as u8; 10];
            let segment =
                Segment::create(self.section.id.clone(), name(words)?, condition, random, now)?;
            self.store.registry().add_segment(&segment, "bench", now)?;
        }
        self.store.reload()?;
        Ok(all.into())
    }

    /// The ids of some profiles.
    fn ids(&self, profiles: u64) -> Result<Vec<String>, Failure> {
        let (mut random, reader) = (Random(99), self.store.profiles()?);
        let id = |_| {
            let found = reader.find(&web(random.below(profiles))?)?;
            Ok(found.ok_or("a visitor is no profile")?.id.to_string())
        };
        (0..PAGES).map(id).collect()
    }
}
