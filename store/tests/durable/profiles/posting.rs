//! What back ends post, set and merge.

use beaconry_model::error::Refusal;
use beaconry_model::event::{AllowedOperations, Event};
use beaconry_model::fields::{Field, Fields};
use beaconry_model::post::ItemCode;
use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_model::retention::Retention;
use beaconry_model::time::HOUR_MS;
use beaconry_store::{Folder, Posted, Posting, ProfileError, Registry, Store};
use serde_json::{Value, json};

use super::samples::{email, key, linked, timeline, values, visit, web};
use crate::samples::{open, tracked, tracked_since};

async fn post(
    store: &Store,
    key: &ProfileKey,
    body: Value,
    retry: Option<&str>,
) -> Result<Posted, ProfileError> {
    let body = body.to_string();
    let posting = Posting { section: "Shop", key, body: body.as_bytes(), idempotency_key: retry };
    store.post_events(posting).await
}

fn codes(error: ProfileError) -> Vec<ItemCode> {
    match error {
        ProfileError::Items(items) => items.iter().map(|item| item.code).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_post_is_all_or_nothing_and_a_retry_is_safe() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let (ada, version) = (email("Ada@Shop.example"), known.event.versions().last().id.to_string());
    let item = |n: i64| json!({"version_id": version, "data": {"source": "ERP", "n": n}});
    let one = json!({"items": [item(1), item(2)]});
    let missing = post(&store, &ada, one.clone(), None).await.unwrap_err();
    assert!(matches!(missing, ProfileError::NotFound), "{missing:?}");
    assert!(missing.to_string().contains("create it by setting an attribute or by a merge"));

    store.merge_profiles(vec![ada.clone()]).await.unwrap();
    let wrong =
        json!({"items": [item(1), {"version_id": version, "data": {"n": 2}}, {"version_id": "x"}]});
    let error = post(&store, &ada, wrong, None).await.unwrap_err();
    assert_eq!(codes(error), [ItemCode::InvalidFields, ItemCode::UnknownVersion]);

    let first = post(&store, &ada, one.clone(), Some("retry")).await.unwrap();
    assert_eq!((first.stored, first.duplicates), (2, 0));
    let again = post(&store, &ada, one.clone(), Some("retry")).await.unwrap();
    assert_eq!((again.stored, again.duplicates, again.profile), (0, 2, first.profile));
    let mut named = item(3);
    named["id"] = json!("order 3");
    for stored in [1, 0] {
        let posted = post(&store, &ada, json!({"items": [named.clone()]}), None).await.unwrap();
        assert_eq!(posted.stored, stored);
    }
    linked(&store).await;
    assert_eq!(values(&store, &ada), [1, 2, 3]);
    let read = &timeline(&store, &ada)[0];
    assert_eq!((read.profile, &read.visitor), (Some(first.profile), &None));
}

/// Who knows an address and the number of an order finds nothing out by the ids that are kept of deleted events.
#[tokio::test]
async fn the_id_of_what_is_posted_needs_the_folders_secret() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ada = email("ada@shop.example");
    let store = open(one.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    store.merge_profiles(vec![ada.clone()]).await.unwrap();
    drop(store);
    for file in std::fs::read_dir(one.path()).unwrap() {
        let path = file.unwrap().path();
        std::fs::copy(&path, other.path().join(path.file_name().unwrap())).unwrap();
    }
    let mut registry = Registry::open(&Folder::open(other.path()).unwrap()).unwrap();
    registry.set_setting("profiles.lock_key", "another").unwrap();
    let version = known.event.versions().last().id.to_string();
    let item = json!({"version_id": version, "id": "A-1", "data": {"source": "ERP", "n": 1}});
    let mut ids = Vec::new();
    for folder in [&one, &other] {
        let store = open(folder.path());
        post(&store, &ada, json!({"items": [item.clone()]}), None).await.unwrap();
        linked(&store).await;
        ids.push(timeline(&store, &ada)[0].id);
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn an_id_is_one_of_its_event_and_stands_once_in_a_request() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let version = |name| {
        let known = tracked(&store, name, Retention::Forever);
        known.event.versions().last().id.to_string()
    };
    let (placed, sent) = (version("Order placed"), version("Order sent"));
    let ada = email("ada@shop.example");
    store.merge_profiles(vec![ada.clone()]).await.unwrap();
    let item = |version: &str, n: i64| json!({"id": "A-1", "version_id": version, "data": {"source": "ERP", "n": n}});
    for (version, n) in [(&placed, 1), (&sent, 2)] {
        let body = json!({"items": [item(version, n)]});
        assert_eq!(post(&store, &ada, body.clone(), None).await.unwrap().stored, 1);
        assert_eq!(post(&store, &ada, body, None).await.unwrap().duplicates, 1);
    }
    linked(&store).await;
    assert_eq!(values(&store, &ada), [1, 2]);

    let mut apart = [item(&placed, 3), item(&placed, 4), item(&sent, 5)];
    let error = post(&store, &ada, json!({"items": apart}), None).await.unwrap_err();
    assert!(error.to_string().starts_with("items[1].id: expected one that no other"), "{error}");
    assert_eq!(codes(error), [ItemCode::RepeatedId]);
    for (n, item) in apart.iter_mut().enumerate() {
        item["id"] = json!(format!("B-{n}"));
    }
    assert_eq!(post(&store, &ada, json!({"items": apart}), None).await.unwrap().stored, 3);
}

#[tokio::test]
async fn a_key_of_a_request_is_one_for_one_body() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let version = known.event.versions().last().id.to_string();
    let ada = email("ada@shop.example");
    store.merge_profiles(vec![ada.clone()]).await.unwrap();
    let item = |n: i64| json!({"version_id": version, "data": {"source": "ERP", "n": n}});
    let first = json!({"items": [item(1), item(2)]});
    assert_eq!(post(&store, &ada, first.clone(), Some("one")).await.unwrap().stored, 2);
    let mut timed = item(1);
    timed["event_time"] = json!("2026-01-01T12:00:00Z");
    for (items, wrong) in [
        (json!([item(1), item(3)]), 1),
        (json!([item(1), item(2), item(3)]), 2),
        (json!([timed, item(2)]), 0),
        (json!([{"version_id": "none"}, item(2)]), 0),
    ] {
        let error = post(&store, &ada, json!({"items": items}), Some("one")).await.unwrap_err();
        assert!(matches!(error, ProfileError::Reused(at) if at == wrong), "{items}: {error:?}");
    }
    // Also once the ids are in the indexes, and after a restart.
    drop(store);
    store = open(folder.path());
    assert_eq!(post(&store, &ada, first.clone(), Some("one")).await.unwrap().duplicates, 2);
    let other = json!({"items": [item(4)]});
    let error = post(&store, &ada, other.clone(), Some("one")).await.unwrap_err();
    assert!(error.to_string().contains("items[0] is not what was stored"), "{error}");
    assert_eq!(post(&store, &ada, other, Some("two")).await.unwrap().stored, 1);
    linked(&store).await;
    assert_eq!(values(&store, &ada), [1, 2, 4]);
}

#[tokio::test]
async fn a_retry_is_answered_as_stored_whatever_became_of_the_event() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let long_ago = store.clock().now().plus(-3 * HOUR_MS);
    let known = tracked_since(&store, "Order placed", Retention::Forever, long_ago);
    let version = known.event.versions().last().id.to_string();
    let ada = email("ada@shop.example");
    store.merge_profiles(vec![ada.clone()]).await.unwrap();
    let item = |n: i64| json!({"version_id": version, "data": {"source": "ERP", "n": n}});
    let mut named = item(2);
    named["id"] = json!("A-2");
    let tries = [(json!({"items": [item(1)]}), Some("one")), (json!({"items": [named]}), None)];
    for (body, key) in &tries {
        assert_eq!(post(&store, &ada, body.clone(), *key).await.unwrap().stored, 1);
    }
    let fields = Fields::with_source(vec![Field::parse("coupon:text").unwrap()]).unwrap();
    let change = |action, change: &dyn Fn(&mut Event) -> Result<(), Refusal>| {
        store.change_event(known.number, "test", action, |event| change(event)).unwrap();
    };
    change("event.edit", &|event| event.edit(fields.clone(), [1; 16], long_ago));
    let again = async |tries: &[(Value, Option<&str>)]| {
        for (body, key) in tries {
            let posted = post(&store, &ada, body.clone(), *key).await.unwrap();
            assert_eq!((posted.stored, posted.duplicates), (0, 1), "{body}");
        }
    };
    again(&tries).await;
    let new = json!({"items": [item(3)]});
    let error = post(&store, &ada, new.clone(), None).await.unwrap_err();
    assert_eq!(codes(error), [ItemCode::DeprecatedVersion]);
    change("event.hide", &|event| event.hide(store.clock().now()));
    again(&tries).await;
    assert_eq!(codes(post(&store, &ada, new, None).await.unwrap_err()), [ItemCode::UnknownVersion]);
}

#[tokio::test]
async fn versions_and_allowed_operations_decide() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let long_ago = store.clock().now().plus(-3 * HOUR_MS);
    let known = tracked_since(&store, "Order placed", Retention::Forever, long_ago);
    let ada = email("ada@shop.example");
    store.merge_profiles(vec![ada.clone()]).await.unwrap();
    let edit = |random, at| {
        let text = Fields::with_source(vec![Field::parse(&format!("n{random}:number")).unwrap()]);
        store
            .change_event(known.number, "test", "event.edit", |event| {
                event.edit(text.unwrap(), [random; 16], at)
            })
            .unwrap()
            .0
    };
    let event = edit(1, long_ago);
    let versions: Vec<String> =
        event.versions().iter().map(|version| version.id.to_string()).collect();
    let item =
        |version: &str| json!({"items": [{"version_id": version, "data": {"source": "ERP"}}]});
    let error = post(&store, &ada, item(&versions[0]), None).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("deprecated; use the current one, version 2 ({})", versions[1]))
    );
    assert_eq!(codes(error), [ItemCode::DeprecatedVersion]);
    assert_eq!(post(&store, &ada, item(&versions[1]), None).await.unwrap().stored, 1);

    let now = store.clock().now();
    let pending = edit(2, now).versions().last().id.to_string();
    let error = post(&store, &ada, item(&pending), None).await.unwrap_err();
    assert!(
        error.to_string().contains(&format!("is pending until {}", now.plus(HOUR_MS))),
        "{error}"
    );
    assert_eq!(codes(error), [ItemCode::PendingVersion]);

    let mut allowed = AllowedOperations::default();
    allowed.email.write = false;
    store
        .change_event(known.number, "test", "event.edit", |event| event.allow(allowed, now))
        .unwrap();
    let error = post(&store, &ada, item(&versions[1]), None).await.unwrap_err();
    assert!(error.is_forbidden(), "{error:?}");
    let crm = key(Keyspace::CrmId, "4711");
    store.merge_profiles(vec![ada, crm.clone()]).await.unwrap();
    assert_eq!(post(&store, &crm, item(&versions[1]), None).await.unwrap().stored, 1);
}

#[tokio::test]
async fn a_merge_brings_a_visitor_and_a_person_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    for (visitor, n) in [("phone", 1), ("laptop", 2), ("laptop", 3)] {
        visit(&store, &known, visitor, n).await;
    }
    linked(&store).await;
    let ada = email("ada@shop.example");
    store.merge_profiles(vec![ada.clone(), web("phone")]).await.unwrap();
    store.merge_profiles(vec![web("laptop"), ada.clone()]).await.unwrap();
    store.merge_profiles(vec![ada.clone(), web("phone")]).await.unwrap();
    visit(&store, &known, "phone", 4).await;
    linked(&store).await;
    assert_eq!(values(&store, &ada), [1, 2, 3, 4]);
    assert_eq!(store.profiles().unwrap().count().unwrap(), 1);
}

#[tokio::test]
async fn attributes_are_typed_set_together_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let (section, ada) = (&known.section.id, email("ada@shop.example"));
    let snapshot = store.snapshot();
    let version = |name: &str| {
        snapshot.audience().attribute(section, name).unwrap().attribute.current().id.to_string()
    };
    let (first, born) = (version("First name"), version("Birthday"));
    let wrong = json!({&first: "Ada", &born: "yesterday"}).to_string();
    let error = store.set_attributes(&ada, section, wrong.as_bytes()).await.unwrap_err();
    assert!(error.to_string().contains("expected a date like 2026-03-01"), "{error}");
    assert_eq!(super::samples::find(&store, &ada), None, "nothing of it was kept");

    let right = json!({&first: "Ada", &born: "1815-12-10"}).to_string();
    store.set_attributes(&ada, section, right.as_bytes()).await.unwrap();
    let read = || {
        let profile = super::samples::find(&store, &ada).unwrap();
        let all =
            store.profiles().unwrap().attributes(&store.snapshot(), &profile, section).unwrap();
        all.into_iter().map(|attribute| attribute.value).collect::<Vec<_>>()
    };
    assert_eq!(read(), ["\"Ada\"", "\"1815-12-10\""]);
    store
        .set_attributes(&ada, section, json!({&first: null}).to_string().as_bytes())
        .await
        .unwrap();
    store.delete_attribute(&ada, section, &born).await.unwrap();
    assert_eq!(read(), Vec::<String>::new());
}
