//! What has expired is really deleted, and what came with it cannot come again.

use std::path::Path;

use beaconry_model::retention::Retention;
use beaconry_model::time::DAY_MS;
use beaconry_store::Store;
use serde_json::json;

use crate::samples::{entry, entry_with, eventually, open, stored, tracked};

fn bytes_hold(folder: &Path, needle: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

fn all_stored(store: &Store, known: &beaconry_store::Known) -> usize {
    store.reader().unwrap().newest(known.number, true, 100_000).unwrap().len()
}

#[tokio::test]
async fn expired_events_trials_and_quarantine_leave_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Days(2));
    let now = store.clock().now();
    let expired = now.plus(-2 * DAY_MS - 1000);
    let mut entries: Vec<_> =
        (0..600).map(|n| entry(&known, n, json!(770_000_000 + n), expired)).collect();
    entries.push(entry(&known, 1_000, json!(1), now));
    entries.push(entry_with(&known, 1_001, json!(771_111_111), now.plus(-DAY_MS - 1000), true));
    entries.push(entry_with(&known, 1_002, json!(2), now, true));
    entries.push(entry(&known, 1_003, json!("779999999"), expired));
    entries.push(entry(&known, 1_004, json!("kept until it expires"), now));
    store.append(entries).await.unwrap();
    drop(store);
    assert!(bytes_hold(folder.path(), "kept until it expires"));

    let store = open(folder.path());
    eventually("expired rows leave the log", || all_stored(&store, &known) == 2);
    assert_eq!(stored(&store, &known), [1]);
    eventually("quarantine expires", || {
        store.reader().unwrap().quarantine_count(known.number).unwrap() == 1
    });
    // An event whose retention was short cannot come again while a client may still try.
    assert_eq!(store.append(vec![entry(&known, 5, json!(5), now)]).await.unwrap().duplicates, 1);
    drop(store);
    assert!(!bytes_hold(folder.path(), "779999999"), "quarantined content is gone from the bytes");
    let events = std::fs::metadata(folder.path().join("events.db")).unwrap().len();
    assert!(events < 100_000, "freed pages went back to the file system: {events} bytes");
    let store = open(folder.path());
    assert_eq!(beaconry_store::verify(store.folder()).unwrap().faults, Vec::<String>::new());
}
