//! What back ends post, set and merge.

use beaconry_model::event::AllowedOperations;
use beaconry_model::post::ItemCode;
use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_model::retention::Retention;
use beaconry_model::time::HOUR_MS;
use beaconry_store::{Posted, Posting, ProfileError, Store};
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

#[tokio::test]
async fn versions_and_allowed_operations_decide() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let long_ago = store.clock().now().plus(-3 * HOUR_MS);
    let known = tracked_since(&store, "Order placed", Retention::Forever, long_ago);
    let ada = email("ada@shop.example");
    store.merge_profiles(vec![ada.clone()]).await.unwrap();
    let edit = |random, at| {
        let text = beaconry_model::fields::Fields::with_source(vec![
            beaconry_model::fields::Field::parse(&format!("n{random}:number")).unwrap(),
        ]);
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
