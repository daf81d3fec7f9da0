//! Definitions: unique slugs, audit, other processes' changes, published files.

use std::time::{Duration, Instant};

use beaconry_model::error::Refusal;
use beaconry_model::retention::Retention;
use beaconry_store::{Folder, PublishedFile, Registry, StoreError};

use crate::samples::{add_section, new_event, open, tracked};

#[test]
fn a_slug_is_taken_until_its_event_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let now = store.clock().now();
    let known = tracked(&store, "Order placed", Retention::Forever);
    let same = new_event(&known.section, "Order – placed", Retention::Forever, now);
    let taken = store.registry().add_event(&same, "test", now).unwrap_err();
    assert!(
        matches!(&taken, StoreError::Refused(Refusal::SlugTaken { slug }) if slug == "order-placed"),
        "{taken}"
    );
    store.change_event(known.number, "test", "event.hide", |event| event.hide(now)).unwrap();
    let number = store.registry().add_event(&same, "test", now).unwrap();
    store.reload().unwrap();
    assert_eq!(store.snapshot().event("order-placed").unwrap().number, number);
    let hidden = store.snapshot().event(known.event.discriminator().as_str()).unwrap().number;
    assert_eq!(hidden, known.number);
}

#[test]
fn a_slug_that_two_sections_use_is_ambiguous() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let now = store.clock().now();
    tracked(&store, "Order placed", Retention::Forever);
    let other = add_section(&mut store.registry(), "Outlet", now);
    let same = new_event(&other, "Order placed", Retention::Forever, now);
    store.registry().add_event(&same, "test", now).unwrap();
    store.reload().unwrap();
    let error = store.snapshot().event("order-placed").unwrap_err().to_string();
    assert!(error.contains(same.discriminator().as_str()), "{error}");
}

#[test]
fn every_change_leaves_an_audit_entry_and_a_refused_one_leaves_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let now = store.clock().now();
    let refused = store.change_event(known.number, "test", "tracking.enable", |event| {
        event.enable_tracking(false, now)
    });
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::AlreadyOn { pinned: 1 }))));
    let audit = store.registry().audit(10).unwrap();
    let actions: Vec<&str> = audit.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["tracking.enable", "event.create", "section.create"]);
    assert!(audit[0].before.as_ref().unwrap().contains("\"enabled\":false"));
    assert!(audit[0].after.as_ref().unwrap().contains("\"enabled\":true"));
}

#[test]
fn a_change_by_another_process_is_noticed_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let now = store.clock().now();
    let mut beside = Registry::open(&Folder::open(folder.path()).unwrap()).unwrap();
    let changed = Instant::now();
    add_section(&mut beside, "Outlet", now);
    while store.snapshot().section("Outlet").is_err() {
        assert!(changed.elapsed() < Duration::from_secs(5), "not noticed");
        std::thread::yield_now();
    }
}

#[test]
fn a_published_file_never_changes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let now = store.clock().now();
    let file = |body: &[u8]| PublishedFile {
        path: "/s/a.js".to_owned(),
        mime: "text/javascript".to_owned(),
        body: body.to_vec(),
        brotli: vec![1],
        gzip: vec![2],
    };
    store.registry().publish(&[file(b"first")], now).unwrap();
    store.registry().publish(&[file(b"second")], now).unwrap();
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.registry().published("/s/a.js").unwrap(), Some(file(b"first")));
    assert_eq!(store.registry().published("/s/b.js").unwrap(), None);
}
