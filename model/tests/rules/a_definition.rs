//! Which sections, events, fields and settings can be defined.

use std::fmt::Debug;

use beaconry_model::capture::Capture;
use beaconry_model::event::Event;
use beaconry_model::fields::{Field, Fields};
use beaconry_model::names::{Discriminator, FieldName, Name, Slug};
use beaconry_model::retention::Retention;
use beaconry_model::section::Origin;
use beaconry_model::templates::{TEMPLATES, ready_made_fields};
use beaconry_model::tracking::StalePolicy;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::samples::{event, fields, name};

#[track_caller]
fn refused<T: Debug, E: ToString>(made: Result<T, E>, message: &str) {
    assert_eq!(made.map_err(|error| error.to_string()).unwrap_err(), message);
}

#[test]
fn names_give_slugs() {
    let table = [
        ("Order placed", "order-placed"),
        ("  Beställning – lagd! ", "bestallning-lagd"),
        ("Über 50 % rabatt", "uber-50-rabatt"),
        ("A", "a"),
    ];
    for (text, slug) in table {
        assert_eq!(Slug::of(&name(text)).unwrap().as_str(), slug);
    }
    refused(
        Slug::of(&name("注文")),
        "name: expected at least one Latin letter or digit, for the slug, got \"注文\"",
    );
    refused(
        Name::try_from(" ".to_string()),
        "name: expected 1 to 100 characters without control characters, got \"\"",
    );
}

#[test]
fn field_names_are_plain() {
    for good in ["a", "orderid", "orderId2"] {
        assert!(FieldName::try_from(good.to_string()).is_ok(), "{good}");
    }
    for bad in ["", "Order", "2nd", "order_id", "order id", "å", &"a".repeat(65)] {
        assert!(FieldName::try_from(bad.to_string()).is_err(), "{bad}");
    }
}

#[test]
fn an_event_has_source_and_at_most_a_hundred_fields() {
    assert_eq!(fields(&[]).as_slice(), [Field::source()]);
    let many =
        |count: usize| (0..count).map(|n| Field::parse(&format!("f{n}:text")).unwrap()).collect();
    assert!(Fields::with_source(many(99)).is_ok());
    refused(
        Fields::with_source(many(100)),
        "fields: expected at most 100, source included, got 101",
    );
    refused(
        Fields::try_from(vec![]),
        "fields: expected the field \"source\", which cannot be removed, got none of that name",
    );
    refused(
        Fields::with_source(vec![Field::parse("source:number").unwrap()]),
        "field \"source\": expected type text, required, got something else",
    );
    let twice = ["a:text", "a:bool"].map(|text| Field::parse(text).unwrap());
    refused(Fields::with_source(twice.to_vec()), "fields: expected each name once, got \"a\"");
    let source = FieldName::try_from("source".to_string()).unwrap();
    refused(
        fields(&[]).edited(&[source], vec![]),
        "fields: expected the field \"source\", which cannot be removed, got none of that name",
    );
}

#[test]
fn a_field_on_the_command_line_says_its_type() {
    assert!(Field::parse("orderid:text:required").unwrap().required());
    refused(
        Field::parse("orderid:string"),
        "field type: expected text, bool, date, timestamp, number or decimal, got \"string\"",
    );
    refused(
        Field::parse("orderid:text:must"),
        "field \"orderid\": expected name:type or name:type:required, got \"orderid:text:must\"",
    );
}

#[test]
fn limits_suit_their_type() {
    let table = [
        (r#"{"name":"a","type":"text","max_length":10,"allowed":["x","y"]}"#, ""),
        (r#"{"name":"a","type":"number","min":1,"max":5}"#, ""),
        (
            r#"{"name":"a","type":"number","min":5,"max":1}"#,
            "min of field \"a\": expected at most max, got min 5, max 1",
        ),
        (
            r#"{"name":"a","type":"text","min":1}"#,
            "min of field \"a\": expected no such limit, because only numbers have a range, got 1",
        ),
        (
            r#"{"name":"a","type":"bool","max_length":5}"#,
            "max_length of field \"a\": expected no such limit, because only text has a length, got 5",
        ),
        (
            r#"{"name":"a","type":"text","allowed":["x","x"]}"#,
            "allowed values of field \"a\": expected each value once, got \"x\"",
        ),
        (
            r#"{"name":"a","type":"text","allowed":["x\ny"]}"#,
            "allowed values of field \"a\": expected each 1 to 200 characters (at most max_length) without control \
             characters, got \"x\\ny\"",
        ),
    ];
    for (json, message) in table {
        let made = serde_json::from_str::<Field>(json).map(|_| String::new());
        assert_eq!(made.unwrap_or_else(|error| error.to_string()), message, "{json}");
    }
}

#[test]
fn retention_is_a_period_or_for_ever() {
    let table = [
        ("forever", "forever"),
        ("30d", "30d"),
        ("2w", "14d"),
        ("6m", "180d"),
        ("2y", "2y"),
        ("100y", "100y"),
    ];
    for (text, canonical) in table {
        assert_eq!(Retention::try_from(text.to_string()).unwrap().to_string(), canonical);
    }
    for bad in ["", "0d", "101y", "2", "-1d", "y", "4294967296d"] {
        assert!(Retention::try_from(bad.to_string()).is_err(), "{bad}");
    }
}

#[test]
fn origins_are_as_browsers_write_them() {
    let table = [
        ("https://Shop.Example/", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ];
    for (text, origin) in table {
        assert_eq!(Origin::try_from(text.to_string()).unwrap().as_str(), origin);
    }
    for bad in [
        "shop.example",
        "https://shop.example/path",
        "ftp://a",
        "null",
        "*",
        "https://",
        "https://a:0",
        "https://a b",
    ] {
        assert!(Origin::try_from(bad.to_string()).is_err(), "{bad}");
    }
}

#[test]
fn every_template_makes_an_event() {
    for template in &TEMPLATES {
        assert_eq!(Slug::of(&name(template.name)).unwrap().as_str(), template.slug);
        assert!(Fields::try_from(template.fields()).is_ok());
    }
    assert!(Fields::try_from(ready_made_fields()).is_ok());
}

#[test]
fn an_event_survives_being_written_down() {
    let mut event = event(&["total:decimal"]);
    event.enable_tracking(false, crate::samples::NOON).unwrap();
    let written = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&written).unwrap(), event);
    let discriminator = event.discriminator().as_str();
    assert_eq!(discriminator, "com.beaconry.events.transaction.custom-order-placed-cccccccccc");
    assert!(Discriminator::try_from(discriminator.to_string()).is_ok());
}

#[test]
fn capture_names_fields_of_the_event_once() {
    let check = |json: &str| {
        let capture: Capture = serde_json::from_str(json).unwrap();
        capture
            .check(&fields(&["total:decimal"]))
            .map_or_else(|error| error.to_string(), |()| String::new())
    };
    assert_eq!(
        check(
            r##"{"trigger":[{"on":{"click":"#buy"}},{"on":"page_view","url":[{"prefix":"/thanks"}]}]}"##
        ),
        ""
    );
    assert_eq!(
        check(r##"{"field":[{"name":"sum","from":{"text":"#total"}}]}"##),
        "mapping of field \"sum\": expected a field of the event, got no field of that name"
    );
    assert_eq!(
        check(
            r##"{"field":[{"name":"total","from":{"text":"a"}},{"name":"total","from":{"text":"b"}}]}"##
        ),
        "mapping of field \"total\": expected one mapping a field, got a second one"
    );
    assert_eq!(
        check(r#"{"trigger":[{"on":{"submit":" "}}]}"#),
        "trigger 1: expected 1 to 500 characters, none of them a control character, got \" \""
    );
}

#[test]
fn settings_say_what_is_wrong_with_them() {
    let check = |toml_as_json: &str| {
        let capture: Capture = serde_json::from_str(toml_as_json).unwrap();
        let fields = fields(&["total:decimal"]);
        capture.check(&fields).map_or_else(|error| error.to_string(), |()| String::new())
    };
    for (on, error) in [
        (r#"{"element_seen":{"selector":"a"}}"#, ""),
        (
            r#"{"element_seen":{"selector":"a","share":0}}"#,
            "share: expected 1 to 100 percent, got 0",
        ),
        (
            r#"{"element_seen":{"selector":"a","seconds":3601}}"#,
            "seconds: expected 0 to 3600 seconds, got 3601",
        ),
        (
            r#"{"element_seen":{"selector":""}}"#,
            "expected 1 to 500 characters, none of them a control character, got \"\"",
        ),
        (r#"{"scroll_depth":101}"#, "scroll_depth: expected 1 to 100 percent, got 101"),
        (r#"{"time_on_page":0}"#, "time_on_page: expected 1 to 3600 seconds, got 0"),
        (r#"{"data_layer":"purchase"}"#, ""),
        (
            r#"{"custom_event":" "}"#,
            "expected 1 to 500 characters, none of them a control character, got \" \"",
        ),
    ] {
        let found = check(&format!(r#"{{"trigger":[{{"on":{on}}}]}}"#));
        assert!(found.ends_with(error) && found.is_empty() == error.is_empty(), "{on}: {found}");
    }
    assert_eq!(
        check(r#"{"trigger":[{"on":{"click":"a"},"success":{"element":".done"}}]}"#),
        "trigger 1: success: expected only with the action submit, got another action"
    );
    for (from, error) in [
        (r#"{"path_segment":0}"#, "a path segment from 1 to 50, got 0"),
        (
            r#"{"data":"data-sku"}"#,
            "the name behind \"data-\": 1 to 100 of a-z, 0-9 and -, got \"data-sku\"",
        ),
        (
            r#"{"data_layer":"a..b"}"#,
            "keys parted by single dots, like ecommerce.value, got \"a..b\"",
        ),
        (
            r#"{"json_ld":{"path":""}}"#,
            "1 to 500 characters, none of them a control character, got \"\"",
        ),
        (r#"{"event_detail":"order.total"}"#, ""),
        (r#""title""#, ""),
    ] {
        let found = check(&format!(r#"{{"field":[{{"name":"total","from":{from}}}]}}"#));
        assert!(found.ends_with(error) && found.is_empty() == error.is_empty(), "{from}: {found}");
    }
    assert_eq!(
        check(r#"{"field":[{"name":"total","from":"title","anywhere":true}]}"#),
        "mapping of field \"total\": expected anywhere only with text, value, attribute or data, got another source"
    );
    for unknown in [r#"{"consent":"maybe"}"#, r#"{"trigger":[{"on":"hover"}]}"#, r#"{"pages":1}"#] {
        assert!(serde_json::from_str::<Capture>(unknown).is_err(), "{unknown}");
    }
}

#[test]
fn stale_policies_have_words() {
    for word in ["reject", "reject-after:24", "until-new-seen", "accept"] {
        let policy = StalePolicy::try_from(word.to_string()).unwrap();
        assert_eq!(String::from(policy), word);
    }
    for bad in ["", "reject-after:0", "reject-after:", "keep"] {
        assert!(StalePolicy::try_from(bad.to_string()).is_err(), "{bad}");
    }
}
