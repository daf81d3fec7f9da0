//! What becomes of beacons: stored, kept aside or refused, each with its named reason.

use beaconry_model::event::Event;
use beaconry_model::judge::{Arrival, Quarantined, Verdict, judge, replay};
use beaconry_model::time::{DAY_MS, Timestamp};
use beaconry_model::wire::{Beacon, Code, Envelope};
use proptest::prelude::*;
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::samples::{NOON, event, fields, section};

const SHOP: Option<&str> = Some("https://shop.example");

/// An event with tracking on, and a field of each type.
fn order() -> Event {
    let mut event = event(&[
        "orderid:text:required",
        "total:decimal",
        "items:number",
        "gift:bool",
        "day:date",
        "moment:timestamp",
    ]);
    event.enable_tracking(false, NOON).unwrap();
    event
}

fn beacon(data: serde_json::Value) -> serde_json::Value {
    json!({
        "id": "019a0000-0000-7000-8000-000000000001", "key": order().key(), "ver": 1, "rev": 1,
        "time": NOON, "url": "https://shop.example/checkout", "data": data,
    })
}

fn envelope(events: Vec<serde_json::Value>) -> String {
    json!({"v": 1, "sent": NOON, "visitor": "v1", "events": events}).to_string()
}

/// What becomes of the only event in this body, arriving at noon.
fn verdict_on(event: &Event, body: &str, origin: Option<&str>, received: Timestamp) -> Verdict {
    let envelope = Envelope::parse(body.as_bytes()).unwrap();
    match &envelope.events[0].beacon {
        Err(rejection) => Verdict::Refused(rejection.clone()),
        Ok(beacon) => judge(beacon, &envelope, &section(), event, &Arrival { received, origin }),
    }
}

fn verdict(data: serde_json::Value) -> Verdict {
    verdict_on(&order(), &envelope(vec![beacon(data)]), SHOP, NOON)
}

#[track_caller]
fn quarantined(verdict: Verdict) -> Quarantined {
    match verdict {
        Verdict::Quarantined(quarantined) => quarantined,
        other => panic!("expected quarantine, got {other:?}"),
    }
}

#[track_caller]
fn refused(verdict: Verdict) -> Code {
    match verdict {
        Verdict::Refused(rejection) => rejection.code,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn checked_data_is_written_anew_in_the_order_of_the_fields() {
    let data = json!({
        "total": 1299.5, "orderid": "A \"1\"\n", "source": "Website", "items": 3.0, "gift": true,
        "day": "2026-11-23", "moment": "2026-11-23T12:00:00+01:00",
    });
    let Verdict::Accepted(accepted) = verdict(data) else { panic!("refused") };
    assert_eq!(
        accepted.data(),
        r#"{"source":"Website","orderid":"A \"1\"\n","total":1299.5,"items":3,"gift":true,"day":"2026-11-23","moment":"2026-11-23T12:00:00+01:00"}"#
    );
    assert_eq!(accepted.facts().time, NOON);
    assert_eq!(accepted.facts().visitor.as_deref(), Some("v1"));
}

#[test]
fn each_wrong_field_is_named_with_what_was_expected_and_what_came() {
    let data = json!({"source": "Website", "total": "12", "items": 1.5, "colour": "red", "gift": null, "day": [1]});
    let kept = quarantined(verdict(data));
    assert_eq!(kept.rejection.code, Code::InvalidFields);
    let errors: Vec<String> = kept
        .rejection
        .errors
        .iter()
        .map(|error| {
            format!("{} {}: {}, got {}", error.field, error.code.code(), error.expected, error.got)
        })
        .collect();
    assert_eq!(
        errors,
        [
            "colour unexpected_field: no field of this name, got the text \"red\"",
            "orderid missing_field: text, got nothing",
            "total wrong_type: a finite number, got the text \"12\"",
            "items wrong_type: an integer of at most 9007199254740991 either way, got the number 1.5",
            "day wrong_type: a date like 2026-03-01, got a list",
        ]
    );
}

#[test]
fn a_member_that_comes_twice_is_an_error() {
    let body = envelope(vec![beacon(json!({"source": "Website", "orderid": "TWICE"}))])
        .replace("\"orderid\":\"TWICE\"", "\"orderid\":\"1\",\"orderid\":\"2\"");
    let kept = quarantined(verdict_on(&order(), &body, SHOP, NOON));
    assert_eq!(kept.rejection.errors[0].got, "a second one");
}

#[test]
fn more_than_a_hundred_values_are_one_error() {
    let data: serde_json::Map<_, _> = (0..101).map(|n| (format!("f{n}"), json!(n))).collect();
    let kept = quarantined(verdict(data.into()));
    assert_eq!(kept.rejection.errors[0].got, "101 values");
}

#[test]
fn origins_bind_browsers() {
    let body = envelope(vec![beacon(json!({"source": "Website", "orderid": "1"}))]);
    let from = |origin| verdict_on(&order(), &body, origin, NOON);
    assert!(matches!(from(SHOP), Verdict::Accepted(_)));
    assert!(matches!(from(None), Verdict::Accepted(_)));
    assert_eq!(refused(from(Some("https://evil.example"))), Code::OriginNotAllowed);
    assert_eq!(refused(from(Some("null"))), Code::OriginNotAllowed);
}

#[test]
fn disabled_and_hidden_events_keep_no_content() {
    let body = envelope(vec![beacon(json!({"source": "Website", "orderid": "1"}))]);
    let mut event = order();
    event.disable_tracking(NOON).unwrap();
    assert_eq!(refused(verdict_on(&event, &body, SHOP, NOON)), Code::TrackingDisabled);
    event.hide(NOON).unwrap();
    assert_eq!(refused(verdict_on(&event, &body, SHOP, NOON)), Code::UnknownEvent);
}

#[test]
fn a_stale_beacon_names_the_current_version_and_replays_as_either() {
    let mut event = order();
    event.edit(fields(&["orderid:text:required"]), [9; 16], NOON).unwrap();
    let later = NOON.plus(2 * 3_600_000);
    event.regenerate_snippet(false, later).unwrap();
    let body = envelope(vec![beacon(json!({"source": "Website", "orderid": "1", "total": 5}))]);
    let kept = quarantined(verdict_on(&event, &body, SHOP, later));
    assert_eq!(kept.rejection.code, Code::StaleVersion);
    assert_eq!(
        kept.rejection.detail,
        "version 1 of \"order-placed\" is stale; the current one is version 2: paste its snippet"
    );
    let own = replay(&kept, &event, 1).unwrap();
    assert_eq!(
        (own.facts().ver, own.data()),
        (1, r#"{"source":"Website","orderid":"1","total":5.0}"#)
    );
    let current = replay(&kept, &event, 2).unwrap_err();
    assert_eq!(current.errors[0].field, "total");
}

#[test]
fn a_wrong_clock_is_corrected_and_old_events_are_kept_aside() {
    let arrives = |event_time: Timestamp, sent: Timestamp| {
        let mut event = beacon(json!({"source": "Website", "orderid": "1"}));
        event["time"] = json!(event_time);
        let body = json!({"v": 1, "sent": sent, "events": [event]}).to_string();
        verdict_on(&order(), &body, SHOP, NOON)
    };
    let time = |verdict| match verdict {
        Verdict::Accepted(accepted) => accepted.facts().time,
        other => panic!("{other:?}"),
    };
    let minute = 60_000;
    assert_eq!(time(arrives(NOON.plus(-minute), NOON.plus(-20_000))), NOON.plus(-minute));
    assert_eq!(time(arrives(NOON.plus(DAY_MS - minute), NOON.plus(DAY_MS))), NOON.plus(-minute));
    assert_eq!(time(arrives(NOON.plus(minute), NOON)), NOON);
    let too_old = quarantined(arrives(NOON.plus(-30 * DAY_MS - 1), NOON));
    assert_eq!(too_old.rejection.code, Code::TooOld);
}

#[test]
fn a_bad_envelope_is_named() {
    let hundred_and_one = envelope((0..101).map(|_| beacon(json!({}))).collect());
    let table = [
        ("", "not_json"),
        ("{", "not_json"),
        ("\u{1}", "not_json"),
        ("[]", "wrong_shape"),
        ("{}", "wrong_shape"),
        (r#"{"v":2,"events":[{}]}"#, "wrong_shape"),
        (r#"{"v":1,"events":[]}"#, "wrong_shape"),
        (r#"{"v":1,"sent":"yesterday","events":[{}]}"#, "wrong_shape"),
        (r#"{"v":1,"visitor":7,"events":[{}]}"#, "wrong_shape"),
        (hundred_and_one.as_str(), "too_many_events"),
    ];
    for (body, code) in table {
        assert_eq!(Envelope::parse(body.as_bytes()).unwrap_err().code(), code, "{body:.60}");
    }
    assert_eq!(Envelope::parse(b"{\"v\":1,\"events\":\"\xff\"}").unwrap_err().code(), "not_json");
    assert!(Envelope::parse(br#"{"v":1,"new":{"a":[1]},"events":[{}]}"#).is_ok());
}

#[test]
fn an_event_that_is_none_leaves_its_neighbours_alone() {
    let good = beacon(json!({"source": "Website", "orderid": "1"}));
    for bad in
        [json!(null), json!(7), json!("{"), json!([{}]), json!({}), json!({"ver": {"a": [1]}})]
    {
        let body = envelope(vec![good.clone(), bad, good.clone()]);
        let envelope = Envelope::parse(body.as_bytes()).unwrap();
        let read = envelope.events.iter().map(|sent| sent.beacon.is_ok());
        assert_eq!(read.collect::<Vec<_>>(), [true, false, true], "{body}");
    }
    // What is no JSON is nobody's event.
    let body = envelope(vec![good]).replace("\"ver\":1", "\"ver\":01");
    assert_eq!(Envelope::parse(body.as_bytes()).unwrap_err().code(), "not_json");
}

#[test]
fn a_bad_event_is_named() {
    let with = |member: &str, value: serde_json::Value| {
        let mut event = beacon(json!({}));
        event[member] = value;
        Beacon::parse(&event.to_string()).unwrap_err()
    };
    let large = with("url", json!("x".repeat(17_000)));
    assert_eq!(large.code, Code::TooLarge);
    let table = [
        ("id", json!("1"), "id: expected a UUID of version 7, got 1"),
        (
            "id",
            json!("019a0000-0000-4000-8000-000000000001"),
            "id: expected a UUID of version 7, got 019a0000-0000-4000-8000-000000000001",
        ),
        (
            "time",
            json!("noon"),
            "time: expected a time stamp like 2026-03-01T12:00:00Z (RFC 3339 with offset), got noon",
        ),
    ];
    for (member, value, detail) in table {
        let rejection = with(member, value);
        assert_eq!((rejection.code, rejection.detail.as_str()), (Code::MalformedEvent, detail));
    }
    assert_eq!(with("ver", json!("1")).code, Code::MalformedEvent);
    assert_eq!(with("data", json!([])).code, Code::MalformedEvent);
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        ".{0,12}".prop_map(serde_json::Value::from),
        Just(json!("2026-11-23")),
        Just(json!("2026-11-23T12:00:00Z")),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop::collection::vec(inner, 0..4).prop_map(serde_json::Value::from)
    })
}

proptest! {
    #[test]
    fn what_is_accepted_is_accepted_again_and_unchanged(
        values in prop::collection::btree_map(
            prop::sample::select(vec!["source", "orderid", "total", "items", "gift", "day", "moment", "other"]),
            any_json(),
            0..8,
        )
    ) {
        let data = serde_json::Value::from_iter(values.iter().map(|(name, value)| (*name, value.clone())));
        match verdict(data) {
            Verdict::Accepted(accepted) => {
                let again = verdict(serde_json::from_str(accepted.data()).unwrap());
                let Verdict::Accepted(again) = again else { panic!("{again:?}") };
                prop_assert_eq!(again.data(), accepted.data());
            }
            Verdict::Quarantined(kept) => prop_assert!(!kept.rejection.errors.is_empty()),
            Verdict::Refused(rejection) => panic!("{rejection:?}"),
        }
    }

    #[test]
    fn no_bytes_make_the_parser_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Envelope::parse(&bytes);
        let _ = std::str::from_utf8(&bytes).map(|text| Beacon::parse(text).is_ok());
    }
}
