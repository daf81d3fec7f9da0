//! What is turned away is kept, and can be replayed, with a server beside and without.

use beaconry_model::retention::Retention;
use beaconry_store::replay;
use serde_json::json;

use crate::samples::{entry, open, stored, tracked, tracked_since};

#[tokio::test]
async fn a_rejected_beacon_is_kept_once_and_replayed_as_the_current_version() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let long_ago = store.clock().now().plus(-2 * 3_600_000);
    let known = tracked_since(&store, "Order placed", Retention::Forever, long_ago);
    let wrong = entry(&known, 1, json!("12"), long_ago);
    let fine = entry(&known, 2, json!(2), long_ago);
    store.append(vec![wrong.clone(), fine]).await.unwrap();
    store.append(vec![wrong]).await.unwrap();
    let kept = store.reader().unwrap().quarantine(Some(known.number), i64::MAX, 10).unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].kept.rejection.errors[0].field, "n");

    let report = ask(folder.path(), false);
    assert_eq!(report.replayed, 0);
    assert!(report.refused[0].why.contains("n (wrong_type): expected an integer"), "{report:?}");

    let text = beaconry_model::fields::Fields::with_source(vec![
        beaconry_model::fields::Field::parse("n:text").unwrap(),
    ]);
    store
        .change_event(known.number, "test", "event.edit", |event| {
            event.edit(text.unwrap(), [1; 16], long_ago)
        })
        .unwrap();
    let report = ask(folder.path(), true);
    assert_eq!((report.replayed, report.refused.len()), (1, 0), "{report:?}");
    let events = store.reader().unwrap().newest(known.number, false, 10).unwrap();
    assert_eq!(
        events.iter().map(|event| (event.version, event.data.as_str())).next().unwrap(),
        (2, r#"{"source":"Website","n":"12"}"#)
    );
    assert_eq!(events[0].received, long_ago);
    assert_eq!(store.reader().unwrap().quarantine_count(known.number).unwrap(), 0);
    assert_eq!(
        store.append(vec![entry(&known, 1, json!(1), long_ago)]).await.unwrap().duplicates,
        1
    );
}

/// As the command line does it: from outside, while the server runs.
fn ask(folder: &std::path::Path, as_current: bool) -> beaconry_store::ReplayReport {
    let folder = folder.to_owned();
    std::thread::spawn(move || replay(&folder, "order-placed", as_current).unwrap()).join().unwrap()
}

#[tokio::test]
async fn a_report_counts_all_that_stays_and_lists_a_thousand() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let now = store.clock().now();
    let wrong = (0..1_005).map(|n| entry(&known, n, json!(true), now));
    store.append(wrong.collect()).await.unwrap();
    let report = ask(folder.path(), false);
    assert_eq!((report.still_in_quarantine, report.refused.len()), (1_005, 1_000));
}

#[tokio::test]
async fn without_a_server_the_command_line_replays_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let old = store.clock().now();
    store.append(vec![entry(&known, 1, json!(true), old)]).await.unwrap();
    drop(store);
    let report = ask(folder.path(), false);
    assert_eq!((report.replayed, report.refused.len()), (0, 1));
    let store = open(folder.path());
    assert_eq!(stored(&store, &known), Vec::<i64>::new());
}
