//! Conditions: what counts, what holds, and what is refused.

use beaconry_model::segment::{Condition, EventCondition, Leaf, Period, Test};
use beaconry_model::time::{DAY_MS, Timestamp};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::samples::{NOON, event};

fn condition(value: Value) -> Condition {
    serde_json::from_value(value).unwrap()
}

#[test]
fn a_test_holds_of_values_of_its_type() {
    let check = |test: Value, holds: &[&str], fails: &[&str]| {
        let parsed: Test = serde_json::from_value(test.clone()).unwrap();
        holds.iter().for_each(|value| assert!(parsed.holds(Some(value)), "{test} of {value}"));
        fails.iter().for_each(|value| assert!(!parsed.holds(Some(value)), "{test} of {value}"));
        assert_eq!(serde_json::to_value(&parsed).unwrap(), test);
        let of_nothing = test == json!({"exists": false}) || test.get("differs").is_some();
        assert_eq!(parsed.holds(None), of_nothing, "{test} of nothing");
        assert_eq!(parsed.holds(Some("null")), of_nothing, "{test} of null");
    };
    check(json!({"exists": true}), &["1", "\"\"", "false"], &[]);
    check(json!({"exists": false}), &[], &["1"]);
    check(json!({"equals": "EUR"}), &["\"EUR\"", "\"\\u0045UR\""], &["\"eur\"", "1", "true"]);
    check(json!({"equals": 12.5}), &["12.5", "12.50"], &["12", "\"12.5\""]);
    check(json!({"equals": true}), &["true"], &["false", "\"true\"", "1"]);
    check(json!({"differs": "EUR"}), &["\"SEK\"", "1"], &["\"EUR\""]);
    check(json!({"one_of": ["a", 2.0]}), &["\"a\"", "2"], &["\"b\"", "\"2\""]);
    check(json!({"contains": "ÖRA"}), &["\"Östra Göra\""], &["\"gora\"", "5"]);
    check(json!({"starts_with": "A-"}), &["\"A-1\""], &["\"a-1\"", "\"BA-1\""]);
    check(json!({"above": 5.0}), &["5.1"], &["5", "\"6\""]);
    check(json!({"below": 5.0}), &["4.9", "-7"], &["5"]);
    check(json!({"at_least": 5.0}), &["5"], &["4.9"]);
    check(json!({"at_most": 5.0}), &["5"], &["5.1"]);
    check(
        json!({"before": "2026-03-01"}),
        &["\"2026-02-28\"", "\"2026-02-28T23:59:59Z\""],
        &["\"2026-03-01\"", "\"x\"", "1"],
    );
    check(
        json!({"after": "2026-03-01T12:00:00+01:00"}),
        &["\"2026-03-01T11:00:01Z\"", "\"2026-03-02\""],
        &["\"2026-03-01\""],
    );
}

#[test]
fn occurrences_count_by_version_and_values() {
    let placed = event(&["totalvalue:decimal", "currency:text"]);
    let parse = |more: Value| -> EventCondition {
        let mut value = json!({"event": placed.discriminator()});
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(value).unwrap()
    };
    let data = r#"{"source":"Website","totalvalue":12.5,"currency":"EUR"}"#;
    let dear = json!({"field": "totalvalue", "above": 10});
    for (more, version, counts) in [
        (json!({}), 7, true),
        (json!({"versions": [1, 2]}), 2, true),
        (json!({"versions": [1, 2]}), 3, false),
        (json!({"where": [dear]}), 1, true),
        (json!({"where": [dear, {"field": "currency", "equals": "SEK"}]}), 1, false),
        (json!({"where": [{"field": "absent", "exists": false}]}), 1, true),
        (json!({"where": [{"field": "absent", "above": 1}]}), 1, false),
    ] {
        assert_eq!(parse(more.clone()).counts(version, data), counts, "{more} {version}");
    }
    let often = parse(json!({"at_least": 2, "at_most": 3}));
    assert_eq!([1, 2, 3, 4].map(|count| often.enough(count)), [false, true, true, false]);
    assert_eq!((often.stop_at(), parse(json!({})).stop_at()), (4, 1));
}

#[test]
fn a_period_has_bounds() {
    let parse = |value: Value| serde_json::from_value::<Period>(value).unwrap().bounds(NOON);
    let (first, last) = (Timestamp(i64::MIN), Timestamp(i64::MAX));
    assert_eq!(parse(json!("ever")), (first, last));
    assert_eq!(parse(json!({"last_days": 30})), (NOON.plus(-30 * DAY_MS), last));
    assert_eq!(parse(json!({"between": {"from": NOON}})), (NOON, last));
    assert_eq!(parse(json!({"between": {"to": NOON}})), (first, NOON));
}

#[test]
fn days_can_be_those_of_a_calendar() {
    let event = |period: Value| json!({"event": {"event": "com.beaconry.events.transaction.custom-order-placed-0123456789", "period": period}});
    let (days, ever) = (event(json!({"last_days": 2})), event(json!("ever")));
    let asked = json!({"all": [days, {"not": {"any": [days, ever]}}]});
    let mut found = condition(asked);
    found.by_calendar(&|days| NOON.plus(-i64::from(days)));
    let since = event(json!({"between": {"from": NOON.plus(-2)}}));
    assert_eq!(found, condition(json!({"all": [since, {"not": {"any": [since, ever]}}]})));
}

#[test]
fn conditions_are_joined_and_ask_no_more_than_they_must() {
    let attribute = |name: &str| json!({"attribute": {"attribute": name, "exists": true}});
    let (yes, no) = (attribute("yes"), attribute("no"));
    for (value, expected, asked) in [
        (json!({"all": []}), true, 0),
        (json!({"any": []}), false, 0),
        (json!({"all": [yes, no, yes]}), false, 2),
        (json!({"any": [no, yes, no]}), true, 2),
        (json!({"not": {"any": [no, no]}}), true, 2),
        (json!({"all": [yes, {"not": {"all": [yes, no]}}, {"any": [no, yes]}]}), true, 5),
    ] {
        let mut count = 0;
        let holds = condition(value.clone()).holds::<()>(&mut |leaf| {
            count += 1;
            Ok(matches!(leaf, Leaf::Attribute(condition) if condition.attribute == "yes"))
        });
        assert_eq!((holds, count), (Ok(expected), asked), "{value}");
    }
}

#[test]
fn what_is_out_of_bounds_is_refused() {
    let event = "com.beaconry.events.signal.custom-it-0123456789";
    let deep = (0..9).fold(json!({"all": []}), |inner, _| json!({"not": inner}));
    let many = json!({"any": vec![json!({"event": {"event": event}}); 51]});
    for (value, expected) in [
        (deep, "segment: expected conditions at most 8 deep in each other, got more"),
        (many, "segment: expected at most 50 conditions, got more"),
        (
            json!({"event": {"event": event, "at_least": 3, "at_most": 2}}),
            "at_most: expected at least at_least",
        ),
        (
            json!({"event": {"event": event, "at_least": 0}}),
            "at_least: expected at least 1, or at_most beside it, got 0",
        ),
        (
            json!({"event": {"event": event, "where": [{"field": "n", "before": "soon"}]}}),
            "n: expected a date like",
        ),
        (
            json!({"attribute": {"attribute": "a", "contains": ""}}),
            "a: expected 1 to 1,000 characters",
        ),
        (
            json!({"consent": {"channel": "email", "list": "l", "topic": "t", "is": []}}),
            "consent: expected \"is\" with",
        ),
    ] {
        let error = condition(value).check().unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    for wrong in [
        json!({"event": {"event": "x"}}),
        json!({"xor": []}),
        json!({"event": {"event": event, "twice": true}}),
    ] {
        assert!(serde_json::from_value::<Condition>(wrong.clone()).is_err(), "{wrong}");
    }
}
