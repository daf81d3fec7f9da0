//! What arrives is counted by version, hour and outcome: exactly what is on disk, through restarts, deletion and replay.

use beaconry_model::retention::Retention;
use beaconry_model::time::{DAY_MS, HOUR_MS};
use beaconry_model::wire::Code;
use beaconry_store::{Count, Counts, EventNo, Hours, OTHER, Store, replay};
use serde_json::json;

use crate::samples::{entry, entry_from, entry_with, eventually, open, tracked, tracked_since};

fn sum(hours: &[Counts]) -> Counts {
    let mut sum = Counts::default();
    hours.iter().for_each(|hour| sum.add(hour));
    sum
}

/// What the last day holds of an event, by kind; only what is not zero.
fn day(store: &Store, event: EventNo) -> Vec<(Count, u64)> {
    let hours = Hours::last(24, store.clock().now());
    let arrivals = store.reader().unwrap().arrivals(hours).unwrap();
    let sum = sum(arrivals.get(&event).map_or(&[], Vec::as_slice));
    let all = Count::ALL.map(|count| (count, sum.of(count)));
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

#[tokio::test]
async fn each_beacon_counts_once_and_a_trial_never() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let now = store.clock().now();
    let entries = vec![
        entry(&known, 1, json!(1), now),
        entry(&known, 2, json!(2), now.plus(-HOUR_MS)),
        entry(&known, 2, json!(2), now.plus(-HOUR_MS)),
        entry(&known, 3, json!("three"), now),
        entry_with(&known, 4, json!(4), now, true),
        entry_with(&known, 5, json!("five"), now, true),
    ];
    store.append(entries.clone()).await.unwrap();
    store.append(entries).await.unwrap();
    let expected = [(Count::Accepted, 2), (Count::Invalid, 1)];
    assert_eq!(day(&store, known.number), expected);
    drop(store);

    let store = open(folder.path());
    assert_eq!(day(&store, known.number), expected);
    let reader = store.reader().unwrap();
    assert_eq!(reader.count(known.number).unwrap(), 2);
    assert_eq!(reader.quarantine_by_code(known.number).unwrap(), [(Code::InvalidFields, 2)]);
    let hours = Hours::last(2, now);
    let of_event = reader.arrivals_of(known.number, hours).unwrap();
    let by_hour: Vec<_> = of_event[&1].iter().map(|hour| hour.of(Count::Accepted)).collect();
    assert_eq!(by_hour, [1, 1]);
    let reasons = reader.reasons(known.number, hours).unwrap();
    assert_eq!(reasons.len(), 1);
    let reason = &reasons[0];
    assert_eq!(
        (reason.ver, reason.thing.as_str(), reason.why.as_str(), reason.count),
        (1, "n", "wrong_type", 1)
    );
}

#[tokio::test]
async fn what_leaves_is_no_longer_held_and_what_is_replayed_counts_at_its_hour() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let long_ago = store.clock().now().plus(-3 * DAY_MS);
    let known = tracked_since(&store, "Order placed", Retention::Days(2), long_ago);
    let now = store.clock().now();
    store
        .append(vec![
            entry(&known, 1, json!(1), now),
            entry(&known, 2, json!(2), long_ago),
            entry(&known, 3, json!("3"), now.plus(-2 * HOUR_MS)),
        ])
        .await
        .unwrap();
    drop(store);
    let store = open(folder.path());
    eventually("the expired event is gone", || {
        store.reader().unwrap().count(known.number).unwrap() == 1
    });

    let text = beaconry_model::fields::Field::parse("n:text").unwrap();
    let text = beaconry_model::fields::Fields::with_source(vec![text]).unwrap();
    store
        .change_event(known.number, "test", "event.edit", |event| {
            event.edit(text, [1; 16], long_ago)
        })
        .unwrap();
    let path = folder.path().to_owned();
    let replayed = std::thread::spawn(move || replay(&path, "order-placed", true).unwrap());
    assert_eq!(replayed.join().unwrap().replayed, 1);
    let reader = store.reader().unwrap();
    assert_eq!(reader.count_by_version(known.number).unwrap(), [(1, 1), (2, 1)]);
    assert_eq!(reader.quarantine_count(known.number).unwrap(), 0);
    let hours = Hours::last(3, now);
    let of_event = reader.arrivals_of(known.number, hours).unwrap();
    assert_eq!(of_event[&2][0].of(Count::Replayed), 1);
    assert_eq!(of_event[&1][0].of(Count::Invalid), 1);
    assert_eq!(sum(&of_event[&2]).arrived(), 0, "it arrived once, under its old version");
}

#[tokio::test]
async fn refused_beacons_are_counted_and_what_strangers_make_up_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let (event, now) = (Some(known.number), store.clock().now());
    for n in 0..1_000 {
        let origin = format!("https://{n}.example");
        store.count_refused(event, Count::Origin, Some(&origin), now);
    }
    store.count_refused(event, Count::Origin, None, now);
    store.count_refused(event, Count::TooLarge, None, now);
    store.count_refused(None, Count::UnknownEvent, Some("https://shop.example"), now);
    let expected = [(Count::Origin, 1_001), (Count::TooLarge, 1)];
    eventually("refusals are written down", || day(&store, known.number) == expected);
    assert_eq!(day(&store, EventNo(0)), [(Count::UnknownEvent, 1)]);
    let reasons = store.reader().unwrap().reasons(known.number, Hours::last(1, now)).unwrap();
    assert!(reasons.len() <= 31, "{}", reasons.len());
    assert_eq!(reasons[0].thing, OTHER);
    assert_eq!(reasons.iter().map(|reason| reason.count).sum::<u64>(), 1_001);

    store.count_refused(event, Count::Hidden, None, now);
    drop(store);
    let store = open(folder.path());
    assert!(day(&store, known.number).contains(&(Count::Hidden, 1)), "written at the end");
}

#[tokio::test]
async fn pages_with_an_old_snippet_are_listed_without_their_query() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let long_ago = store.clock().now().plus(-DAY_MS);
    let known = tracked_since(&store, "Order placed", Retention::Forever, long_ago);
    let now = store.clock().now();
    let edited = beaconry_model::fields::Field::parse("n:number").unwrap();
    let edited = beaconry_model::fields::Fields::with_source(vec![edited]).unwrap();
    store
        .change_event(known.number, "test", "event.edit", |event| {
            event.edit(edited, [1; 16], long_ago)?;
            event.regenerate_snippet(false, now)
        })
        .unwrap();
    let known = store.snapshot().by_number(known.number).unwrap().clone();
    let old = |n, url: &str| entry_from(&known, n, 1, url, now);
    let urls = (0..150).map(|n| format!("https://shop.example/{n}?q=secret#part"));
    let mut entries: Vec<_> = urls.enumerate().map(|(n, url)| old(n as u64, &url)).collect();
    entries.push(old(200, "https://shop.example/0"));
    entries.push(entry_from(&known, 201, 2, "https://shop.example/new", now.plus(1)));
    store.append(entries).await.unwrap();
    eventually("pages are listed", || {
        !store.reader().unwrap().old_pages(known.number).unwrap().is_empty()
    });
    let pages = store.reader().unwrap().old_pages(known.number).unwrap();
    assert_eq!(pages.len(), 100, "bounded");
    let first = pages.iter().find(|page| page.page == "https://shop.example/0").unwrap();
    assert_eq!((first.ver, first.rev, first.count), (1, None, 2));
    assert!(pages.iter().all(|page| !page.page.contains("secret") && !page.page.contains("new")));
    assert_eq!(day(&store, known.number), [(Count::Accepted, 1), (Count::Stale, 151)]);
}

#[tokio::test]
async fn a_folder_from_before_there_were_counters_is_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let now = store.clock().now();
    let entries = vec![
        entry(&known, 1, json!(1), now),
        entry(&known, 2, json!("two"), now),
        entry_with(&known, 3, json!(3), now, true),
    ];
    store.append(entries).await.unwrap();
    let (counted, number) = (day(&store, known.number), known.number);
    drop(store);
    let old = rusqlite::Connection::open(folder.path().join("events.db")).unwrap();
    old.execute_batch(
        "DROP TABLE hours; DROP TABLE reasons; DROP TABLE held; DROP TABLE old_pages;
         DROP INDEX quarantine_by_code; DROP INDEX quarantine_by_code_alone; ALTER TABLE quarantine DROP COLUMN code; PRAGMA user_version = 1",
    )
    .unwrap();
    drop(old);
    let store = open(folder.path());
    assert_eq!(day(&store, number), counted);
    let reader = store.reader().unwrap();
    assert_eq!(reader.count(number).unwrap(), 1);
    assert_eq!(reader.quarantine_by_code(number).unwrap(), [(Code::InvalidFields, 1)]);
}
