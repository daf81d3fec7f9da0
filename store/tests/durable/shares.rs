//! Links to an event's code: they end by themselves, or when somebody ends them.

use beaconry_model::retention::Retention;
use beaconry_store::{AuditEntry, SHARED_MS};

use crate::samples::{open, tracked};

#[test]
fn a_link_shows_its_event_until_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (known, now) = (tracked(&store, "Order placed", Retention::Forever), store.clock().now());
    let mut registry = store.registry();
    let token = registry.share(&known, "anna", now).unwrap();
    let shared = registry.shared(&token, now).unwrap().unwrap();
    assert_eq!((shared.event, shared.actor.as_str(), token.len()), (known.number, "anna", 64));
    assert!(registry.shared(&token, now.plus(SHARED_MS - 1)).unwrap().is_some());
    assert!(registry.shared(&token, now.plus(SHARED_MS)).unwrap().is_none());
    for wrong in ["", "00", &token[..63], &token.to_uppercase()] {
        assert!(registry.shared(wrong, now).unwrap().is_none(), "{wrong}");
    }
    let files = ["registry.db", "registry.db-wal"].map(|name| folder.path().join(name));
    let kept =
        files.iter().filter_map(|file| std::fs::read(file).ok()).collect::<Vec<_>>().concat();
    let found = kept.windows(token.len()).any(|bytes| bytes == token.as_bytes());
    assert!(!kept.is_empty() && !found, "the token itself is on disk");
}

#[test]
fn a_link_ends_when_somebody_ends_it_and_both_are_in_the_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (known, now) = (tracked(&store, "Order placed", Retention::Forever), store.clock().now());
    let other = tracked(&store, "Booking made", Retention::Forever);
    let mut registry = store.registry();
    let token = registry.share(&known, "anna", now).unwrap();
    let number = registry.shares(known.number, now).unwrap()[0].number;
    registry.end_share(&other, number, "bo", now).unwrap();
    assert!(registry.shared(&token, now).unwrap().is_some(), "it is another event's");
    registry.end_share(&known, number, "bo", now).unwrap();
    registry.end_share(&known, number, "bo", now).unwrap();
    assert!(registry.shared(&token, now).unwrap().is_none());
    assert!(registry.shares(known.number, now).unwrap().is_empty());
    let [ended, made] = registry.audit(2).unwrap().try_into().unwrap();
    let said = |entry: &AuditEntry| format!("{} {}", entry.actor, entry.action);
    assert_eq!([said(&ended), said(&made)], ["bo share.end", "anna share.create"]);
    assert_eq!((&made.before, &ended.after, &made.after), (&None, &None, &ended.before));
    let link = made.after.unwrap();
    assert!(link.contains("\"made by\":\"anna\"") && !link.contains(&token), "{link}");
}
