//! A sender without a network: a test says how each post is answered.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use beaconry_model::names::Name;
use beaconry_model::profile::Keyspace;
use beaconry_model::webhook::{HookUrl, NewWebhook};
use beaconry_store::{
    Backoff, Known, KnownWebhook, MadeWebhook, Outbox, Outcome, Parcel, Store, StoreError, Tried,
};
use serde_json::Value;

/// A try again comes at once, and the third is the last.
pub(crate) const AT_ONCE: Backoff = Backoff { first: Duration::ZERO, tries: 3 };
/// How often everybody is looked at, where a test does not wait for it.
const NEVER: Duration = Duration::from_secs(86_400);

/// A webhook of the event's section, for these keyspaces.
pub(crate) fn try_hook(
    store: &Store,
    known: &Known,
    topics: Value,
    keyspaces: &[Keyspace],
) -> Result<MadeWebhook, StoreError> {
    let new = NewWebhook {
        section: known.section.id.clone(),
        name: Name::try_from("CRM".to_owned()).unwrap(),
        url: HookUrl::try_from("https://crm.example/in".to_owned()).unwrap(),
        topics: serde_json::from_value(topics).unwrap(),
        keyspaces: keyspaces.to_vec(),
        made_with: None,
    };
    store.add_webhook(new, "test")
}

/// The same for all keyspaces, where nothing is wrong with it.
pub(crate) fn hook(store: &Store, known: &Known, topics: Value) -> KnownWebhook {
    hook_for(store, known, topics, &Keyspace::ALL)
}

/// The same for these keyspaces.
pub(crate) fn hook_for(
    store: &Store,
    known: &Known,
    topics: Value,
    keyspaces: &[Keyspace],
) -> KnownWebhook {
    let made = try_hook(store, known, topics, keyspaces).unwrap();
    store.snapshot().webhook(&made.hook.discriminator).unwrap().clone()
}

/// The queue of a store.
pub(crate) fn outbox(store: &Store) -> Outbox {
    outbox_every(store, NEVER)
}

/// The same, everybody looked at so often.
pub(crate) fn outbox_every(store: &Store, every: Duration) -> Outbox {
    Outbox::open(store, AT_ONCE, every).unwrap()
}

/// Queues all that is new.
pub(crate) fn fill(outbox: &mut Outbox) {
    while outbox.step().unwrap() {}
}

/// All that is to be posted to a webhook next.
pub(crate) fn next(outbox: &mut Outbox, hook: &KnownWebhook) -> Vec<Parcel> {
    fill(outbox);
    outbox.take(hook.number, &HashSet::new(), 10_000).unwrap()
}

/// Says how each of these was answered.
pub(crate) fn answer(outbox: &mut Outbox, parcels: &[Parcel], tried: &Tried) {
    let outcomes: Vec<Outcome> = parcels
        .iter()
        .map(|parcel| Outcome { hook: parcel.hook, number: parcel.number, tried: tried.clone() })
        .collect();
    outbox.settle(&outcomes).unwrap();
}

/// A receiver that does not take it.
pub(crate) fn refused() -> Tried {
    Tried::Failed { why: "it answered 500".to_owned(), retry_after: None }
}

/// Takes all that there is, as a receiver does that is up, in the order it comes.
pub(crate) fn drain(outbox: &mut Outbox, hook: &KnownWebhook) -> Vec<Value> {
    let mut taken = Vec::new();
    loop {
        let parcels = next(outbox, hook);
        if parcels.is_empty() {
            return taken;
        }
        taken.extend(parcels.iter().map(body));
        answer(outbox, &parcels, &Tried::Delivered);
    }
}

/// The same, once it is so many: who changed is told to the queue just behind linking.
pub(crate) fn drain_some(outbox: &mut Outbox, hook: &KnownWebhook, count: usize) -> Vec<Value> {
    let (started, mut taken) = (Instant::now(), Vec::new());
    while taken.len() < count {
        taken.extend(drain(outbox, hook));
        assert!(started.elapsed() < Duration::from_secs(20), "{count} within 20 s: {taken:?}");
    }
    taken
}

/// What is posted.
pub(crate) fn body(parcel: &Parcel) -> Value {
    let body: Value = serde_json::from_str(&parcel.body).unwrap();
    assert_eq!(body["id"], parcel.id.as_str());
    body
}

/// The values of `n` of these events.
pub(crate) fn numbers(bodies: &[Value]) -> Vec<i64> {
    bodies.iter().map(|body| body["event"]["data"]["n"].as_i64().unwrap()).collect()
}
