//! What the tests of profiles start from.

use std::time::Duration;

use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_store::{Known, Profile, Store, StoredEvent, TimelineQuery};
use serde_json::json;

use crate::samples::entry_of;

/// A key.
pub(crate) fn key(keyspace: Keyspace, text: &str) -> ProfileKey {
    ProfileKey::new(keyspace, text).unwrap()
}

/// An email address.
pub(crate) fn email(text: &str) -> ProfileKey {
    key(Keyspace::Email, text)
}

/// A visitor's id.
pub(crate) fn web(text: &str) -> ProfileKey {
    key(Keyspace::Web, text)
}

/// Stores one event of a visitor, its `n` being its number.
pub(crate) async fn visit(store: &Store, known: &Known, visitor: &str, n: u64) {
    let entry = entry_of(visitor, known, n, json!(n), store.clock().now(), false);
    store.append(vec![entry]).await.unwrap();
}

/// Waits until everything is linked.
pub(crate) async fn linked(store: &Store) {
    store.linked(Duration::from_secs(20)).await;
}

/// The profile with this key.
pub(crate) fn find(store: &Store, key: &ProfileKey) -> Option<Profile> {
    store.profiles().unwrap().find(key).unwrap()
}

/// The timeline of the profile with this key.
pub(crate) fn timeline(store: &Store, key: &ProfileKey) -> Vec<StoredEvent> {
    let profile = find(store, key).unwrap();
    store
        .profiles()
        .unwrap()
        .timeline(&store.snapshot(), &profile, &TimelineQuery::default())
        .unwrap()
}

/// The values of `n` on a timeline, oldest first.
pub(crate) fn values(store: &Store, key: &ProfileKey) -> Vec<i64> {
    let events = timeline(store, key);
    let value = |data: &str| {
        serde_json::from_str::<serde_json::Value>(data).unwrap()["n"].as_i64().unwrap()
    };
    let mut values: Vec<i64> = events.iter().map(|event| value(&event.data)).collect();
    values.sort_unstable();
    values
}
