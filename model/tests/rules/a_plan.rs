//! Definitions as files say them, held against what there is: only what may change changes, and each change is said.

use beaconry_model::error::Refusal;
use beaconry_model::event::{Event, EventSeed};
use beaconry_model::plan::Wanted;
use beaconry_model::time::{HOUR_MS, Timestamp};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::samples::{NOON, section};

const SEED: EventSeed = EventSeed { discriminator: [2; 10], key: [3; 16], version: [4; 16] };

fn file(more: Value) -> Wanted {
    let mut file = json!({
        "name": "Order placed",
        "category": "transactions",
        "retention": "2y",
        "field": [{ "name": "orderid", "type": "text" }],
    });
    file.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(file).unwrap()
}

fn made() -> Event {
    file(json!({})).create(section().id, SEED, NOON).unwrap().0
}

fn words(wanted: &Wanted, event: &mut Event, now: Timestamp) -> Result<Vec<String>, Refusal> {
    let steps = wanted.change(event, [9; 16], now)?;
    Ok(steps.into_iter().map(|step| step.what).collect())
}

#[test]
fn a_file_makes_an_event_and_then_has_nothing_to_do() {
    let wanted = file(json!({ "tracking": { "enabled": true }, "description": "An order." }));
    let (mut event, steps) = wanted.create(section().id, SEED, NOON).unwrap();
    let steps: Vec<_> = steps.iter().map(|step| step.what.as_str()).collect();
    assert_eq!(steps, ["create", "enable"]);
    assert!(event.tracking().enabled());
    assert_eq!(event.description().as_str(), "An order.");
    let before = event.clone();
    assert_eq!(words(&wanted, &mut event, NOON), Ok(vec![]));
    assert_eq!(event, before);
}

#[test]
fn each_difference_is_one_step() {
    let table = [
        (json!({ "name": "Order made" }), "rename"),
        (json!({ "description": "Other" }), "describe"),
        (
            json!({ "allowed": {
                "email": { "read": false, "write": true },
                "mobile": { "read": true, "write": true },
                "crm_id": { "read": true, "write": true },
            } }),
            "allow",
        ),
        (json!({ "field": [] }), "fields"),
        (json!({ "tracking": { "enabled": true } }), "enable"),
        (json!({ "tracking": { "enabled": false, "stale": "accept" } }), "stale"),
        (
            json!({ "tracking": { "enabled": false, "capture": { "trigger": [{ "on": "page_view" }] } } }),
            "capture",
        ),
    ];
    for (difference, step) in table {
        let mut event = made();
        assert_eq!(
            words(&file(difference.clone()), &mut event, NOON),
            Ok(vec![step.to_owned()]),
            "{difference}"
        );
        assert_ne!(event, made());
    }
}

#[test]
fn changed_fields_lock_for_an_hour_and_say_so() {
    let mut event = made();
    let wanted = file(json!({ "field": [{ "name": "total", "type": "decimal" }] }));
    let steps = wanted.change(&mut event, [9; 16], NOON).unwrap();
    assert_eq!(
        steps[0].detail,
        "make version 2: total added (Number with decimals), orderid removed; \
         locked and pending until 2026-11-23T13:00:00.000Z, version 1 stays live until then"
    );
    let back = words(&file(json!({})), &mut event, NOON.plus(HOUR_MS - 1));
    assert_eq!(back, Err(Refusal::Locked { until: NOON.plus(HOUR_MS) }));
    assert_eq!(
        words(&file(json!({})), &mut event, NOON.plus(HOUR_MS)),
        Ok(vec!["fields".to_owned()])
    );
}

#[test]
fn tracking_switched_on_beside_changed_fields_waits_for_them() {
    let mut event = made();
    let wanted = file(json!({ "field": [], "tracking": { "enabled": true } }));
    assert_eq!(
        words(&wanted, &mut event, NOON),
        Ok(vec!["fields".to_owned(), "enable".to_owned()])
    );
    assert!(!event.tracking().enabled() && event.tracking().scheduled().is_some());
    assert_eq!(words(&wanted, &mut event, NOON), Ok(vec![]));
}

#[test]
fn what_is_for_good_cannot_be_changed_by_a_file() {
    for (difference, thing) in [
        (json!({ "category": "signals" }), "category: expected the one set at creation"),
        (json!({ "retention": "forever" }), "retention: expected the one set at creation"),
    ] {
        let refused = words(&file(difference), &mut made(), NOON).unwrap_err().to_string();
        assert!(refused.starts_with(thing), "{refused}");
    }
    let mut hidden = made();
    hidden.hide(NOON).unwrap();
    assert_eq!(words(&file(json!({})), &mut hidden, NOON), Err(Refusal::Hidden));
}
