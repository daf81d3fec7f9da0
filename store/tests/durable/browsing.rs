//! Stored events are found newest first, by version, time and content, whether they are merged yet or not.

use std::time::Duration;

use beaconry_model::retention::Retention;
use beaconry_model::time::{DAY_MS, HOUR_MS, Timestamp};
use beaconry_store::{Known, Pages, Place, Range, Reader, Replay, Store, StoredEvent, Which};
use serde_json::json;

use crate::samples::{entry, entry_from, entry_with, eventually, open, stored, tracked_since};

/// The numbers that all pages of a range hold, two events a page: for the server, and for another process beside it.
fn all(store: &Store, known: &Known, range: Range) -> Vec<u64> {
    let beside = Reader::open(store.folder()).unwrap();
    let numbers = all_of(&beside, known, range);
    assert_eq!(all_of(&store.reader().unwrap(), known, range), numbers);
    numbers
}

fn all_of(reader: &Reader, known: &Known, range: Range) -> Vec<u64> {
    let (mut numbers, mut before) = (Vec::new(), None);
    loop {
        let page = reader.page(known.number, range, before, 2).unwrap();
        let Some(last) = page.last() else { break };
        before = Some(Place::of(last));
        assert_eq!(before.unwrap().to_string().parse(), Ok(before.unwrap()));
        numbers.extend(page.iter().map(number));
    }
    assert_eq!(reader.count_in(known.number, range).unwrap(), numbers.len() as u64);
    let mut pages = reader.pages(known.number, range, None).unwrap();
    assert_eq!(rest(&mut pages), numbers);
    numbers
}

/// The numbers that are left, three events a page.
fn rest(pages: &mut Pages) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(page) = pages.next(3).unwrap() {
        numbers.extend(page.iter().map(number));
    }
    numbers
}

#[tokio::test]
async fn what_is_read_page_by_page_is_what_was_there_at_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let now = store.clock().now();
    let known = tracked_since(&store, "Order placed", Retention::Forever, now.plus(-DAY_MS));
    let append = async |numbers: std::ops::Range<u64>| {
        let entries = numbers.map(|n| entry_with(&known, n, json!(n), now, false)).collect();
        store.append(entries).await.unwrap();
    };
    append(0..5).await;
    let (reader, merged) = (store.reader().unwrap(), || store.behind().unindexed == 0);
    eventually("merging", merged);
    append(5..10).await;
    let mut pages = reader.pages(known.number, Range::default(), None).unwrap();
    let first: Vec<u64> = pages.next(2).unwrap().unwrap().iter().map(number).collect();
    append(10..15).await;
    eventually("merging", merged);
    // A page of which nothing is left does not end it.
    let log = rusqlite::Connection::open(folder.path().join("events.db")).unwrap();
    let gone = "DELETE FROM events WHERE json_extract(data, '$.n') BETWEEN 5 AND 7";
    assert_eq!(log.execute(gone, []).unwrap(), 3);
    assert_eq!((first, rest(&mut pages)), (vec![9, 8], (0..5).rev().collect()));
}

fn number(event: &StoredEvent) -> u64 {
    serde_json::from_str::<serde_json::Value>(&event.data).unwrap()["n"].as_u64().unwrap()
}

#[tokio::test]
async fn pages_are_by_version_and_time_and_the_same_after_merging_and_deletion() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let now = store.clock().now();
    let ago = |hours: i64| now.plus(-hours * HOUR_MS);
    let known = tracked_since(&store, "Order placed", Retention::Days(1), ago(48));
    let edited = beaconry_model::fields::Field::parse("n:number").unwrap();
    let edited = beaconry_model::fields::Fields::with_source(vec![edited]).unwrap();
    let policy = "accept".to_owned().try_into().unwrap();
    store
        .change_event(known.number, "test", "event.edit", |event| {
            event.edit(edited, [1; 16], ago(47))?;
            event.set_stale_policy(policy, now)?;
            event.regenerate_snippet(false, ago(40))
        })
        .unwrap();
    let known = store.snapshot().by_number(known.number).unwrap().clone();
    let of = |n, ver, at| entry_from(&known, n, ver, "https://shop.example/", at);
    let entries = vec![
        of(0, 1, ago(30)),
        of(1, 1, ago(5)),
        of(2, 2, ago(4)),
        of(3, 1, ago(3)),
        of(4, 2, ago(2)),
        of(5, 2, ago(2)),
        entry_with(&known, 6, json!(6), ago(1), true),
    ];
    store.append(entries).await.unwrap();
    let version = |ver| Range { version: Some(ver), ..Range::default() };
    let time = |from, to| Range { from: Some(from), to: Some(to), version: None };
    let check = |store: &Store, first: &[u64]| {
        assert_eq!(all(store, &known, Range::default()), [&[5, 4, 3, 2, 1], first].concat());
        assert_eq!(all(store, &known, version(1)), [&[3, 1], first].concat());
        assert_eq!(all(store, &known, version(2)), [5, 4, 2]);
        assert_eq!(all(store, &known, version(3)), [0; 0]);
        assert_eq!(all(store, &known, time(ago(4), ago(2))), [3, 2]);
        let both = Range { version: Some(2), ..time(ago(4), Timestamp(i64::MAX)) };
        assert_eq!(all(store, &known, both), [5, 4, 2]);
    };
    check(&store, &[0]);
    drop(store);
    let store = open(folder.path());
    eventually("the expired one is gone", || stored(&store, &known).len() == 5);
    check(&store, &[]);
    drop(store);

    // An index.db of an older Beaconry has no index by version.
    let index = rusqlite::Connection::open(folder.path().join("index.db")).unwrap();
    let left: u32 =
        index.query_row("SELECT count(*) FROM by_version", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 5, "what was deleted has left the index");
    index
        .execute_batch(
            "DROP TABLE erased; DROP TABLE by_version; DROP TABLE by_version_lacks; PRAGMA user_version = 1",
        )
        .unwrap();
    drop(index);
    check(&open(folder.path()), &[]);
}

#[tokio::test]
async fn a_search_is_bounded_and_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let now = store.clock().now();
    let known = tracked_since(&store, "Order placed", Retention::Forever, now.plus(-DAY_MS));
    let entries = (0..2_000).map(|n| entry(&known, n, json!(n), now.plus(n as i64 - 5_000)));
    store.append(entries.collect()).await.unwrap();
    let reader = store.reader().unwrap();
    let fits = |event: &StoredEvent| number(event).is_multiple_of(400);
    let bounds = (3, 600, Duration::from_secs(60));
    let (mut found, mut before, mut asked) = (Vec::new(), None, 0);
    loop {
        let some = reader.search(known.number, Range::default(), before, fits, bounds).unwrap();
        assert!(some.looked_at <= 1_000 && some.events.len() <= 3);
        found.extend(some.events.iter().map(number));
        asked += 1;
        before = some.go_on;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(found, [1600, 1200, 800, 400, 0]);
    assert!(asked >= 3, "{asked}");
}

#[tokio::test]
async fn a_rehearsal_says_what_would_pass_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let now = store.clock().now();
    let known = tracked_since(&store, "Order placed", Retention::Forever, now.plus(-DAY_MS));
    let mut entries: Vec<_> = (0..1_200).map(|n| entry(&known, n, json!("text"), now)).collect();
    entries.push(entry(&known, 5_000, json!(true), now));
    store.append(entries).await.unwrap();
    let text = beaconry_model::fields::Field::parse("n:text").unwrap();
    let text = beaconry_model::fields::Fields::with_source(vec![text]).unwrap();
    store
        .change_event(known.number, "test", "event.edit", |event| {
            event.edit(text, [1; 16], now.plus(-DAY_MS / 2))
        })
        .unwrap();
    let known = store.snapshot().by_number(known.number).unwrap().clone();
    let first = store.reader().unwrap().quarantine(Some(known.number), 3, 10).unwrap();
    let numbers: Vec<_> = first.iter().map(|kept| kept.number).collect();
    let order = |which, by: Option<&str>| Replay {
        known: known.as_ref().clone(),
        which,
        as_current: true,
        by: by.map(str::to_owned),
    };
    let (some, all) = (order(Which::These(numbers), Some("ada")), order(Which::All, None));
    let whole = order(Which::All, Some("eve"));
    tokio::task::spawn_blocking(move || {
        let mut told = Vec::new();
        let rehearsed = store
            .replay_some(&all, |count| {
                told.push(count.seen());
                true
            })
            .unwrap();
        assert_eq!((rehearsed.passed, rehearsed.refused), (1_200, 1));
        assert_eq!(rehearsed.why.get("n: wrong_type"), Some(&1));
        assert_eq!(told, [500, 1_000, 1_201]);
        let number = some.known.number;
        let held = || store.reader().unwrap().quarantine_count(number).unwrap();
        assert_eq!(held(), 1_201, "a rehearsal writes nothing");
        assert_eq!(store.replay_some(&some, |_| true).unwrap().passed, 2);
        assert_eq!(held(), 1_199);
        assert_eq!(store.replay_some(&whole, |_| false).unwrap().seen(), 500, "it can be stopped");
        let rest = store.replay_some(&whole, |_| true).unwrap();
        assert_eq!((rest.passed, rest.refused, held()), (699, 1, 1));
        let audit = store.registry().audit(4).unwrap();
        let noted: Vec<_> =
            audit.iter().map(|entry| (entry.action.as_str(), entry.actor.as_str())).collect();
        let replay = "quarantine.replay";
        assert_eq!(noted[..3], [(replay, "eve"), (replay, "eve"), (replay, "ada")]);
        assert_ne!(noted[3].0, replay, "a rehearsal changes nothing");
        assert!(audit[0].after.as_ref().unwrap().contains("\"stored\":699"), "{audit:?}");
    })
    .await
    .unwrap();
}
