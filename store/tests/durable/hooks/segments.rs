//! Who enters and leaves a segment is posted: once, whatever brought it about.

use std::time::Duration;

use beaconry_model::event::AllowedOperations;
use beaconry_model::names::Name;
use beaconry_model::profile::Keyspace;
use beaconry_model::retention::Retention;
use beaconry_model::segment::Segment;
use beaconry_store::{Known, KnownWebhook, Store, StoreError, Tried};
use serde_json::{Value, json};

use super::samples::{answer, drain, drain_some, fill, hook, next, outbox, outbox_every, try_hook};
use crate::profiles::samples::{email, linked, visit, web};
use crate::samples::{open, tracked};

fn segment(store: &Store, known: &Known, condition: Value) -> String {
    let name = Name::try_from("Buyers".to_owned()).unwrap();
    let condition = serde_json::from_value(condition).unwrap();
    let now = store.clock().now();
    let random = beaconry_store::bytes().unwrap();
    let segment = Segment::create(known.section.id.clone(), name, condition, random, now).unwrap();
    store.registry().add_segment(&segment, "test", now).unwrap();
    store.reload().unwrap();
    segment.discriminator
}

fn watching(store: &Store, known: &Known, segment: &str) -> KnownWebhook {
    hook(
        store,
        known,
        json!([
            {"type": "segment.entered", "segment": segment},
            {"type": "segment.left", "segment": segment},
        ]),
    )
}

/// Who entered and who left, each by their first key.
fn news(bodies: &[Value]) -> Vec<(String, String)> {
    let one = |body: &Value| {
        let key = body["profile"]["keys"][0]["profile_key"].as_str().unwrap().to_owned();
        (body["type"].as_str().unwrap().replace("segment.", ""), key)
    };
    bodies.iter().map(one).collect()
}

fn said(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(what, who)| ((*what).to_owned(), (*who).to_owned())).collect()
}

#[tokio::test]
async fn who_is_in_it_before_does_not_enter_and_who_comes_in_does_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let event = known.event.discriminator().as_str();
    visit(&store, &known, "before", 1).await;
    linked(&store).await;
    let bought = segment(&store, &known, json!({"event": {"event": event, "at_most": 2}}));
    let hook = watching(&store, &known, &bought);
    let mut sender = outbox(&store);
    assert_eq!(drain(&mut sender, &hook), Vec::<Value>::new());
    for (visitor, n) in [("ada", 2), ("ada", 3), ("before", 4)] {
        visit(&store, &known, visitor, n).await;
    }
    linked(&store).await;
    assert_eq!(news(&drain_some(&mut sender, &hook, 1)), said(&[("entered", "ada")]));
    visit(&store, &known, "before", 5).await;
    linked(&store).await;
    let left = drain_some(&mut sender, &hook, 1);
    assert_eq!(news(&left), said(&[("left", "before")]));
    assert_eq!(left[0]["segment"]["discriminator"], bought.as_str());
    assert_eq!(left[0]["segment"]["name"], "Buyers");
    drop(sender);
    drop(store);
    let store = open(folder.path());
    assert_eq!(drain(&mut outbox(&store), &hook), Vec::<Value>::new(), "not again after a restart");
}

#[tokio::test]
async fn a_segment_of_what_none_of_its_keyspaces_may_read_is_not_watched() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let bought = segment(&store, &known, json!({"event": {"event": known.event.discriminator()}}));
    let mut allowed = AllowedOperations::default();
    allowed.email.read = false;
    let now = store.clock().now();
    store
        .change_event(known.number, "test", "event.edit", |event| event.allow(allowed, now))
        .unwrap();
    let entered = json!([{"type": "segment.entered", "segment": bought}]);
    let by = |keyspaces: &[Keyspace]| try_hook(&store, &known, entered.clone(), keyspaces);
    let refused = by(&[Keyspace::Email]).unwrap_err().to_string();
    assert!(
        refused.contains("none of its keyspaces may read the events of \"Buyers\""),
        "{refused}"
    );
    assert!(by(&[Keyspace::Email, Keyspace::CrmId]).is_ok());
}

#[tokio::test]
async fn what_changed_while_nobody_looked_is_found_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let event = known.event.discriminator().as_str();
    let bought = segment(&store, &known, json!({"event": {"event": event}}));
    let hook = watching(&store, &known, &bought);
    fill(&mut outbox(&store));
    visit(&store, &known, "ada", 1).await;
    linked(&store).await;
    drop(store);
    let store = open(folder.path());
    assert_eq!(news(&drain(&mut outbox(&store), &hook)), said(&[("entered", "ada")]));
}

#[tokio::test]
async fn attributes_move_people_in_and_out_and_merging_moves_nobody_twice() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let section = &known.section.id;
    let city = store.snapshot().audience().attribute(section, "City").unwrap().attribute.clone();
    let in_malmo = json!({"attribute": {"attribute": city.discriminator, "equals": "Malmö"}});
    let hook = watching(&store, &known, &segment(&store, &known, in_malmo));
    let mut sender = outbox(&store);
    fill(&mut sender);
    let (ada, ben) = (email("ada@shop.example"), email("ben@shop.example"));
    let version = city.current().id.as_str();
    let lives = |town: &str| json!({ version: town }).to_string();
    for person in [&ada, &ben] {
        store.set_attributes(person, section, lives("Malmö").as_bytes()).await.unwrap();
    }
    let entered = said(&[("entered", "ada@shop.example"), ("entered", "ben@shop.example")]);
    assert_eq!(news(&drain(&mut sender, &hook)), entered);
    store.merge_profiles(vec![ada.clone(), ben.clone(), web("v")]).await.unwrap();
    assert_eq!(drain(&mut sender, &hook), Vec::<Value>::new(), "one who is in, and stays in");
    store.delete_attribute(&ben, section, version).await.unwrap();
    let left = drain(&mut sender, &hook);
    assert_eq!((left.len(), &left[0]["type"]), (1, &json!("segment.left")));
}

#[tokio::test]
async fn time_moves_people_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let event = known.event.discriminator().as_str();
    visit(&store, &known, "ada", 1).await;
    linked(&store).await;
    // A period that ends soon for what has just happened: it is a member until a day after it.
    let old = store.clock().now().plus(-beaconry_model::time::DAY_MS + 1_500);
    let entry = crate::samples::entry_of("ben", &known, 2, json!(2), old, false);
    store.append(vec![entry]).await.unwrap();
    linked(&store).await;
    let lately = json!({"event": {"event": event, "period": {"last_days": 1}}});
    let hook = watching(&store, &known, &segment(&store, &known, lately));
    let mut sender = outbox_every(&store, Duration::from_millis(100));
    assert_eq!(next(&mut sender, &hook).len(), 0);
    let started = std::time::Instant::now();
    loop {
        sender.step().unwrap();
        let parcels = sender.take(hook.number, &[].into(), 10).unwrap();
        if !parcels.is_empty() {
            let bodies: Vec<Value> = parcels.iter().map(super::samples::body).collect();
            assert_eq!(news(&bodies), said(&[("left", "ben")]));
            answer(&mut sender, &parcels, &Tried::Delivered);
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "nobody left within 20 s");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_condition_that_changes_moves_people_and_a_broken_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let event = known.event.discriminator().as_str();
    let twice = segment(&store, &known, json!({"event": {"event": event, "at_least": 2}}));
    let hook = watching(&store, &known, &twice);
    visit(&store, &known, "ada", 1).await;
    linked(&store).await;
    let mut sender = outbox(&store);
    assert_eq!(drain(&mut sender, &hook), Vec::<Value>::new());
    let now = store.clock().now();
    store
        .registry()
        .change_segment(&twice, "test", now, |segment| {
            segment.condition = serde_json::from_value(json!({"event": {"event": event}})).unwrap();
            Ok(())
        })
        .unwrap();
    store.reload().unwrap();
    assert_eq!(news(&drain_some(&mut sender, &hook, 1)), said(&[("entered", "ada")]));
    store.change_event(known.number, "test", "event.hide", |event| event.hide(now)).unwrap();
    assert_eq!(drain(&mut sender, &hook), Vec::<Value>::new());
    let asked = try_hook(
        &store,
        &known,
        json!([{"type": "segment.entered", "segment": twice}]),
        &Keyspace::ALL,
    );
    let Err(StoreError::Refused(why)) = asked else { panic!("{asked:?}") };
    assert!(why.to_string().contains("broken"), "{why}");
}
