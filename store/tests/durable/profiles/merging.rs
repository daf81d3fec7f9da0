//! Merging gives the same profile in whatever order, keeps every event once, and happens once.

use std::cell::RefCell;
use std::collections::BTreeSet;

use beaconry_model::consent::{Channel, ConsentList, ConsentType};
use beaconry_model::names::Name;
use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_model::retention::Retention;
use beaconry_store::{Known, Store};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::samples::{email, find, key, linked, values, web};
use crate::samples::{entry_of, open, tracked};

/// People before anything is merged.
const PEOPLE: usize = 6;

/// One person: the values of two attributes, how many events, and what their address said.
#[derive(Clone, Debug)]
struct Person {
    city: Option<u8>,
    country: Option<u8>,
    events: u8,
    said: Option<bool>,
}

/// People, which of them are merged together, and the order of the merges in a second world.
#[derive(Clone, Debug)]
struct Case {
    people: Vec<Person>,
    merges: Vec<Vec<usize>>,
    otherwise: Vec<Vec<usize>>,
}

fn cases() -> impl Strategy<Value = Case> {
    let person = (any::<Option<u8>>(), any::<Option<u8>>(), 0..4_u8, any::<Option<bool>>());
    let person =
        person.prop_map(|(city, country, events, said)| Person { city, country, events, said });
    let people = prop::collection::vec(person, PEOPLE);
    let merge = prop::collection::vec(0..PEOPLE, 1..4);
    let merges = prop::collection::vec(merge, 1..6);
    (people, merges).prop_flat_map(|(people, merges)| {
        // The other way: backwards within and between, some twice, and three at once also two by two.
        let mut other: Vec<Vec<usize>> =
            merges.iter().rev().map(|merge| merge.iter().rev().copied().collect()).collect();
        other.extend(merges.iter().flat_map(|merge| merge.windows(2).map(<[usize]>::to_vec)));
        (Just(people), Just(merges), Just(other).prop_shuffle())
            .prop_map(|(people, merges, otherwise)| Case { people, merges, otherwise })
    })
}

/// A world of people whose keys begin with its name.
struct World<'a> {
    store: &'a Store,
    known: &'a Known,
    list: &'a ConsentList,
    name: String,
}

impl World<'_> {
    fn keys(&self, person: usize) -> [ProfileKey; 3] {
        let name = format!("{}-{person}", self.name);
        [email(&format!("{name}@shop.example")), web(&name), key(Keyspace::CrmId, &name)]
    }

    /// Makes the people, each as a profile of their own.
    async fn people(&self, people: &[Person], first_event: &mut u64) {
        for (number, person) in people.iter().enumerate() {
            let [address, visitor, crm] = self.keys(number);
            self.store.merge_profiles(vec![address.clone(), crm]).await.unwrap();
            self.set(&address, "City", person.city).await;
            self.set(&address, "Country", person.country).await;
            for n in 0..person.events {
                *first_event += 1;
                let value = json!(number * 10 + usize::from(n));
                let now = self.store.clock().now();
                let entry = entry_of(visitor.as_str(), self.known, *first_event, value, now, false);
                self.store.append(vec![entry]).await.unwrap();
            }
            self.store.merge_profiles(vec![visitor, address.clone()]).await.unwrap();
            let Some(yes) = person.said else { continue };
            let said = if yes { ConsentType::OptIn } else { ConsentType::OptOut };
            let topic =
                (self.list.discriminator.as_str(), self.list.topics[0].discriminator.as_str());
            let section = &self.known.section.id;
            self.store
                .add_consent(section, (Channel::Email, address.as_str()), topic, said)
                .await
                .unwrap();
        }
    }

    /// Sets an attribute, each at a moment of its own, so that the later one is the same in every world.
    async fn set(&self, address: &ProfileKey, attribute: &str, value: Option<u8>) {
        let Some(value) = value else { return };
        let (section, snapshot) = (&self.known.section.id, self.store.snapshot());
        let version = snapshot
            .audience()
            .attribute(section, attribute)
            .unwrap()
            .attribute
            .current()
            .id
            .to_string();
        let patch = json!({version: value.to_string()}).to_string();
        self.store.set_attributes(address, section, patch.as_bytes()).await.unwrap();
        let set = self.store.clock().now();
        while self.store.clock().now() == set {
            std::hint::spin_loop();
        }
    }

    async fn merge(&self, merges: &[Vec<usize>]) {
        for (number, merge) in merges.iter().enumerate() {
            let keys = merge
                .iter()
                .map(|person| self.keys(*person)[(number + person) % 3].clone())
                .collect();
            self.store.merge_profiles(keys).await.unwrap();
        }
    }

    /// All profiles of the world, without what differs between worlds.
    fn profiles(&self) -> BTreeSet<String> {
        let people = (0..PEOPLE).map(|person| {
            let keys = self.keys(person);
            let profile = find(self.store, &keys[0]).unwrap();
            assert!(keys.iter().all(|key| find(self.store, key) == Some(profile.clone())));
            let (snapshot, reader) = (self.store.snapshot(), self.store.profiles().unwrap());
            let attributes =
                reader.attributes(&snapshot, &profile, &self.known.section.id).unwrap();
            let attributes: Vec<_> =
                attributes.iter().map(|stored| (stored.attribute, &stored.value)).collect();
            let consents = reader.consents(&profile).unwrap();
            let consents: Vec<_> =
                consents.iter().map(|consent| (&consent.address, consent.said)).collect();
            let profile: Value = json!({
                "keys": profile.keys, "attributes": attributes, "consents": consents,
                "events": values(self.store, &keys[0]),
            });
            profile.to_string().replace(&self.name, "world")
        });
        people.collect()
    }
}

#[test]
fn merges_in_every_order_give_the_same_profiles() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let now = store.clock().now();
    let name = |text: &str| Name::try_from(text.to_owned()).unwrap();
    let mut list =
        ConsentList::create(known.section.id.clone(), name("News"), [7; 10], now).unwrap();
    list.add_topic(name("Weekly"), [8; 10]).unwrap();
    store.registry().add_consent_list(&list, "test", now).unwrap();
    store.reload().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    // Worlds and events made so far: names and ids are given once.
    let made = RefCell::new((0, 0));
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 40,
        max_shrink_iters: 100,
        ..ProptestConfig::default()
    });
    runner
        .run(&cases(), |case| {
            let (worlds, events) = &mut *made.borrow_mut();
            *worlds += 2;
            let world = |name: String| World { store: &store, known: &known, list: &list, name };
            let (one, other) = (world(format!("w{worlds}x")), world(format!("w{}x", *worlds + 1)));
            runtime.block_on(async {
                one.people(&case.people, events).await;
                other.people(&case.people, events).await;
                // In one world what happened is linked before the merges, in the other perhaps after.
                linked(&store).await;
                one.merge(&case.merges).await;
                other.merge(&case.otherwise).await;
                linked(&store).await;
            });
            prop_assert_eq!(one.profiles(), other.profiles());
            Ok(())
        })
        .unwrap();
}
