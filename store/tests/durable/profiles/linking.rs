//! Each visitor's events come onto one timeline, once, whatever crashes.

use beaconry_model::retention::Retention;
use beaconry_model::time::DAY_MS;
use serde_json::json;

use super::samples::{email, find, linked, timeline, values, visit, web};
use crate::samples::{entry_of, open, tracked};

#[tokio::test]
async fn a_visitor_is_a_profile_from_the_first_event() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    for (visitor, n) in [("ada", 1), ("bob", 2), ("ada", 3)] {
        visit(&store, &known, visitor, n).await;
    }
    linked(&store).await;
    assert_eq!(values(&store, &web("ada")), [1, 3]);
    assert_eq!(values(&store, &web("bob")), [2]);
    assert_eq!(store.profiles().unwrap().count().unwrap(), 2);
    assert_eq!(find(&store, &web("carol")), None);
}

#[tokio::test]
async fn trials_and_hidden_events_do_not_show() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let hidden = tracked(&store, "Cart filled", Retention::Forever);
    let now = store.clock().now();
    let trial = entry_of("ada", &known, 1, json!(1), now, true);
    store.append(vec![trial]).await.unwrap();
    visit(&store, &hidden, "ada", 2).await;
    visit(&store, &known, "ada", 3).await;
    linked(&store).await;
    assert_eq!(values(&store, &web("ada")), [2, 3]);
    store.change_event(hidden.number, "test", "event.hide", |event| event.hide(now)).unwrap();
    assert_eq!(values(&store, &web("ada")), [3]);
}

/// A kill leaves `profiles.db` behind the log: here it is put back to what it was earlier, as a crash would, and linked on.
#[tokio::test]
async fn what_lies_above_the_watermark_is_linked_again_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    visit(&store, &known, "ada", 1).await;
    store.merge_profiles(vec![web("ada"), email("ada@shop.example")]).await.unwrap();
    drop(store);
    let file = folder.path().join("profiles.db");
    let behind = std::fs::read(&file).unwrap();
    assert!(!folder.path().join("profiles.db-wal").exists(), "closed cleanly");

    let store = open(folder.path());
    let now = store.clock().now();
    let entries = (2..1_500).map(|n| entry_of("ada", &known, n, json!(n), now, false));
    store.append(entries.collect()).await.unwrap();
    visit(&store, &known, "bob", 1_500).await;
    drop(store);
    std::fs::write(&file, &behind).unwrap();
    let store = open(folder.path());
    linked(&store).await;
    assert_eq!(values(&store, &email("ada@shop.example")).len(), 100, "as many as one page has");
    assert_eq!(timeline(&store, &web("ada"))[0].seq, 1_499);
    assert_eq!(values(&store, &web("bob")), [1_500]);
    let count = store.profiles().unwrap().events(&find(&store, &web("ada")).unwrap()).unwrap();
    assert_eq!(count, 1_499);
    assert_eq!(beaconry_store::verify(store.folder()).unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn retention_takes_events_off_the_timeline_and_never_the_profile() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Days(2));
    let expired = store.clock().now().plus(-2 * DAY_MS - 1_000);
    let old = entry_of("ada", &known, 1, json!(1), expired, false);
    store.append(vec![old]).await.unwrap();
    visit(&store, &known, "ada", 2).await;
    linked(&store).await;
    drop(store);
    let store = open(folder.path());
    let profile = find(&store, &web("ada")).unwrap();
    let started = std::time::Instant::now();
    while store.profiles().unwrap().events(&profile).unwrap() != 1 {
        assert!(started.elapsed().as_secs() < 20, "not swept");
        std::thread::yield_now();
    }
    assert_eq!(values(&store, &web("ada")), [2]);
}
