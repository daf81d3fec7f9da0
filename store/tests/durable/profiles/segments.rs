//! Segments count, list and evaluate the profiles that fit.

use beaconry_model::consent::{Channel, ConsentList, ConsentType};
use beaconry_model::names::Name;
use beaconry_model::retention::Retention;
use beaconry_model::segment::Condition;
use beaconry_model::time::DAY_MS;
use beaconry_store::{Known, Store, remarks};
use serde_json::{Value, json};

use super::samples::{email, find, linked, visit, web};
use crate::samples::{entry_of, open, tracked};

fn condition(value: Value) -> Condition {
    let condition: Condition = serde_json::from_value(value).unwrap();
    condition.check().unwrap();
    condition
}

/// How many profiles fit, checked in every way that counts them.
fn count(store: &Store, known: &Known, value: Value) -> u64 {
    let (condition, snapshot, now) = (condition(value), store.snapshot(), store.clock().now());
    let (section, reader) = (&known.section.id, store.profiles().unwrap());
    let counted = reader.count_segment(&snapshot, section, &condition, now).unwrap();
    let members = reader.members(&snapshot, section, &condition, 0, now).unwrap().members;
    assert_eq!(members.len() as u64, counted.count);
    assert_eq!(counted.sample, members[..members.len().min(10)]);
    for member in &members {
        assert!(reader.fits(&snapshot, section, &condition, member, now).unwrap());
    }
    counted.count
}

#[tokio::test]
async fn conditions_on_events_attributes_and_consents_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let now = store.clock().now();
    // Visitor 1 came once, visitor 2 twice … visitor 20 twenty times; odd ones long ago.
    let mut n = 0;
    for visitor in 1..=20_u64 {
        for _ in 0..visitor {
            n += 1;
            let time = if visitor % 2 == 1 { now.plus(-20 * DAY_MS) } else { now };
            store
                .append(vec![entry_of(
                    &format!("v{visitor}"),
                    &known,
                    n,
                    json!(visitor),
                    time,
                    false,
                )])
                .await
                .unwrap();
        }
    }
    linked(&store).await;
    let section = &known.section.id;
    let mut list = ConsentList::create(
        section.clone(),
        Name::try_from("News".to_owned()).unwrap(),
        [7; 10],
        now,
    )
    .unwrap();
    let topic = list
        .add_topic(Name::try_from("Weekly".to_owned()).unwrap(), [8; 10])
        .unwrap()
        .discriminator
        .clone();
    store.registry().add_consent_list(&list, "test", now).unwrap();
    store.reload().unwrap();
    let snapshot = store.snapshot();
    let city = snapshot.audience().attribute(section, "City").unwrap().attribute.clone();
    for (visitor, town) in [(2, "Växjö"), (3, "Malmö"), (4, "Malmö")] {
        let person = email(&format!("v{visitor}@shop.example"));
        store.merge_profiles(vec![person.clone(), web(&format!("v{visitor}"))]).await.unwrap();
        let patch = json!({city.current().id.as_str(): town}).to_string();
        store.set_attributes(&person, section, patch.as_bytes()).await.unwrap();
    }
    let address = (Channel::Email, "v2@shop.example");
    store
        .add_consent(section, address, (&list.discriminator, &topic), ConsentType::OptOut)
        .await
        .unwrap();

    let event = known.event.discriminator().as_str();
    let in_malmo = json!({"attribute": {"attribute": city.discriminator, "equals": "Malmö"}});
    let opted_out = json!({"consent": {"channel": "email", "list": list.discriminator, "topic": topic, "is": ["opt-out"]}});
    for (value, expected) in [
        (json!({"event": {"event": event}}), 20),
        (json!({"event": {"event": event, "at_least": 11}}), 10),
        (json!({"event": {"event": event, "at_least": 0, "at_most": 3}}), 3),
        (json!({"event": {"event": event, "versions": [2]}}), 0),
        (json!({"event": {"event": event, "period": {"last_days": 10}}}), 10),
        (json!({"event": {"event": event, "period": {"between": {"to": now.plus(-DAY_MS)}}}}), 10),
        (json!({"event": {"event": event, "where": [{"field": "n", "above": 17}]}}), 3),
        (
            json!({"event": {"event": event, "where": [{"field": "n", "one_of": [1, 2, 99]}, {"field": "source", "equals": "Website"}]}}),
            2,
        ),
        (json!({"event": {"event": event, "where": [{"field": "source", "equals": "ERP"}]}}), 0),
        (in_malmo.clone(), 2),
        (json!({"attribute": {"attribute": city.discriminator, "exists": true}}), 3),
        (json!({"attribute": {"attribute": city.discriminator, "contains": "XJ"}}), 1),
        (opted_out.clone(), 1),
        (json!({"all": [in_malmo, {"event": {"event": event, "at_least": 4}}]}), 1),
        (json!({"any": [in_malmo, opted_out]}), 3),
        (json!({"not": {"any": [in_malmo, opted_out]}}), 17),
        (json!({"all": []}), 20),
        (json!({"any": []}), 0),
    ] {
        assert_eq!(count(&store, &known, value.clone()), expected, "{value}");
    }
}

#[tokio::test]
async fn a_segment_says_what_is_absent_and_what_breaks_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    visit(&store, &known, "ada", 1).await;
    linked(&store).await;
    let (section, now) = (&known.section.id, store.clock().now());
    let asks = condition(json!({"event": {
        "event": known.event.discriminator(), "versions": [1, 3], "where": [{"field": "size", "above": 1}],
    }}));
    let said: Vec<String> =
        remarks(&store.snapshot(), section, &asks).iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "\"order-placed\" has no version 3",
            "version 1 of \"order-placed\" has no field \"size\", so what came under it does not count"
        ]
    );
    let ada = find(&store, &web("ada")).unwrap();
    let fits = || store.profiles().unwrap().fits(&store.snapshot(), section, &asks, &ada, now);
    assert!(!fits().unwrap());
    store.change_event(known.number, "test", "event.hide", |event| event.hide(now)).unwrap();
    assert!(remarks(&store.snapshot(), section, &asks)[0].breaks());
    assert!(fits().unwrap_err().to_string().contains("the segment is broken and is not evaluated"));
}
