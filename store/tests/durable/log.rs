//! Events are stored once, whatever is tried again and wherever a crash cuts.

use beaconry_model::retention::Retention;
use beaconry_store::{Clock, Store, StoreError, verify};
use serde_json::json;

use crate::samples::{entry, open, stored, tracked};

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart_and_stays_single() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let now = store.clock().now();
    let entries = |range: std::ops::Range<u64>| {
        range.map(|n| entry(&known, n, json!(n), now)).collect::<Vec<_>>()
    };
    let written = store.append(entries(0..3)).await.unwrap();
    assert_eq!((written.stored, written.duplicates), (3, 0));
    let written = store.append(entries(2..5)).await.unwrap();
    assert_eq!((written.stored, written.duplicates), (2, 1));
    let twice = store.append([entries(7..8), entries(7..8)].concat()).await.unwrap();
    assert_eq!((twice.stored, twice.duplicates), (1, 1));
    assert_eq!(stored(&store, &known), [7, 4, 3, 2, 1, 0]);
    drop(store);

    let store = open(folder.path());
    let written = store.append(entries(0..8)).await.unwrap();
    assert_eq!((written.stored, written.duplicates), (2, 6));
    assert_eq!(stored(&store, &known).len(), 8);
    assert_eq!(store.reader().unwrap().count(known.number).unwrap(), 8);
    assert_eq!(verify(store.folder()).unwrap().faults, Vec::<String>::new());
}

/// A kill between the log's commit and the merge leaves `index.db` behind `events.db`: here it is put back to what it was
/// before anything was merged, and, the other way a kill can leave it, is missing.
#[tokio::test]
async fn deduplication_is_exact_when_the_index_is_behind_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let now = store.clock().now();
    let entries = |range: std::ops::Range<u64>| {
        range.map(|n| entry(&known, n, json!(n), now)).collect::<Vec<_>>()
    };
    store.append(entries(0..10)).await.unwrap();
    drop(store);
    let index = folder.path().join("index.db");
    let behind = std::fs::read(&index).unwrap();
    assert!(!folder.path().join("index.db-wal").exists(), "closed cleanly");

    let store = open(folder.path());
    store.append(entries(10..20)).await.unwrap();
    drop(store);
    std::fs::write(&index, &behind).unwrap();
    let store = open(folder.path());
    assert_eq!(store.append(entries(0..20)).await.unwrap().duplicates, 20);
    drop(store);

    std::fs::remove_file(&index).unwrap();
    let store = open(folder.path());
    assert_eq!(store.append(entries(0..20)).await.unwrap().duplicates, 20);
    assert_eq!(stored(&store, &known).len(), 20);
}

#[tokio::test]
async fn many_requests_at_once_are_each_answered_after_their_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let now = store.clock().now();
    let mut waiting = tokio::task::JoinSet::new();
    for n in 0..500 {
        let (store, entry) = (store.clone(), entry(&known, n, json!(n), now));
        waiting.spawn(async move { store.append(vec![entry]).await.unwrap() });
    }
    assert_eq!(waiting.join_all().await.iter().map(|written| written.stored).sum::<usize>(), 500);
    assert_eq!(stored(&store, &known).len(), 500);
}

#[tokio::test]
async fn a_flipped_bit_is_found_on_reading_and_by_verify() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let now = store.clock().now();
    store.append(vec![entry(&known, 1, json!(4242), now)]).await.unwrap();
    drop(store);
    let path = folder.path().join("events.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(4).position(|window| window == b"4242").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();

    let store = open(folder.path());
    let read = store.reader().unwrap().newest(known.number, false, 10);
    assert!(matches!(&read, Err(StoreError::Damaged { .. })), "{read:?}");
    let faults = verify(store.folder()).unwrap().faults;
    // The timeline holds what was written.
    assert_eq!(faults[1..], ["profiles.db: row 1 of the log differs from its profile's timeline"]);
    assert!(faults[0].contains("019a0000-0000-7000-8000-000000000001"), "{faults:?}");
}

#[test]
fn a_folder_has_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let second = Store::open(folder.path(), Clock::default()).unwrap_err().to_string();
    let expected = format!("another server works on it (process {})", std::process::id());
    assert!(second.contains(&expected), "{second}");
    drop(first);
    open(folder.path());
}

#[test]
fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let newer = rusqlite::Connection::open(folder.path().join("events.db")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let error = Store::open(folder.path(), Clock::default()).unwrap_err().to_string();
    assert_eq!(
        error,
        "events.db: expected schema 2 or older, got 99; it was written by a newer Beaconry, so use that one"
    );
}
