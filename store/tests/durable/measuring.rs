//! What a folder takes, and what retention deletes next: counted where it is little, and a fair estimate where it is much.

use beaconry_model::retention::Retention;
use beaconry_model::time::{DAY_MS, Timestamp};
use beaconry_store::{Many, Storage};
use serde_json::json;

use crate::samples::{entry, open, tracked_since};

const RETENTION: Retention = Retention::Days(30);

#[tokio::test]
async fn what_goes_next_is_counted_or_estimated() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let now = store.clock().now();
    let known = tracked_since(&store, "Order placed", RETENTION, now.plus(-40 * DAY_MS));
    // One each two hours, from nearly thirty days ago until now.
    let arrived = |n: u64| now.plus(-30 * DAY_MS + 3_600_000 + 2 * 3_600_000 * n as i64);
    let entries = (0..359).map(|n| entry(&known, n, json!(n), arrived(n)));
    store.append(entries.collect()).await.unwrap();
    drop(store);
    // At the next start all of it is merged.
    let store = open(folder.path());
    let storage = Storage::open(store.folder()).unwrap();
    let due = |most| storage.due(known.number, RETENTION, now, most).unwrap().unwrap();
    let exact = |count| Many { count, exact: true };
    let counted = due(1_000);
    assert_eq!(counted.next, Timestamp(now.0 + 3_600_000));
    assert_eq!((counted.day, counted.week), (exact(12), exact(84)));
    let estimated = due(20);
    assert_eq!(estimated.day, exact(12));
    assert!(!estimated.week.exact && (80..=90).contains(&estimated.week.count), "{estimated:?}");
    assert_eq!(storage.due(known.number, Retention::Forever, now, 20).unwrap(), None);
    assert_eq!(storage.trials_due(known.number, now, 20).unwrap(), None);
    assert_eq!(storage.quarantine_due(now, 20).unwrap(), None);
    let each = storage.bytes_each(known.number).unwrap();
    assert!((100.0..400.0).contains(&each), "{each}");
    let databases = storage.databases();
    let log = databases.iter().find(|database| database.name == "events.db").unwrap();
    assert!(log.bytes as f64 >= each * 0.3 * 359.0, "{log:?}");
}
