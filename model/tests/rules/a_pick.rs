//! What comes back from a page that somebody pointed at: checked like everything from outside, worth what an event is.

use beaconry_model::fields::Fields;
use beaconry_model::pick::{Pick, Picked, Read, shown, worth};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::samples::fields;

fn pick(what: &str) -> Result<Pick, String> {
    let text = format!(r#"{{"page":"https://shop.example/cart","what":{what}}}"#);
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

#[test]
fn only_what_settings_could_be_comes_in() {
    let fields = fields(&["total:decimal"]);
    let table = [
        (r##"{"trigger":{"on":{"click":"#buy"}}}"##, ""),
        (r##"{"field":{"name":"total","from":{"text":"#t"},"decimals":"comma"}}"##, ""),
        (r##"{"field":{"name":"sum","from":{"text":"#t"}}}"##, "a field of the event"),
        (r##"{"trigger":{"on":{"click":" "}}}"##, "1 to 500 characters"),
        (r##"{"trigger":{"on":{"run":"alert(1)"}}}"##, "unknown variant"),
        (r##"{"trigger":{"on":"page_view"},"more":1}"##, "expected"),
        (r##"{"field":{"name":"total","from":{"text":"#t"},"script":"x"}}"##, "unknown field"),
        (r##"{"consent":"drop"}"##, "unknown variant"),
    ];
    for (what, refused) in table {
        let outcome =
            pick(what).and_then(|pick| pick.check(&fields).map_err(|invalid| invalid.to_string()));
        match outcome {
            Ok(()) => assert_eq!(refused, "", "{what}"),
            Err(why) => assert!(!refused.is_empty() && why.contains(refused), "{what}: {why}"),
        }
    }
}

#[test]
fn a_page_is_one_of_the_web_and_what_was_read_is_short() {
    let fields = fields(&[]);
    let good = pick(r#"{"trigger":{"on":"page_view"}}"#).unwrap();
    assert_eq!(good.check(&fields), Ok(()));
    for page in ["javascript:alert(1)", "", "data:text/html,x", "https://a\nb"] {
        let bad = Pick { page: page.to_string(), ..good.clone() };
        assert!(bad.check(&fields).is_err(), "{page}");
    }
    let long = Pick { read: Some(Read::Text("x".repeat(201))), ..good };
    assert!(long.check(&fields).unwrap_err().to_string().contains("at most 200"));
}

fn said(fields: &Fields, mapping: &str, read: &str) -> String {
    let pick = pick(&format!(r#"{{"field":{mapping}}}"#)).unwrap();
    let Picked::Field(mapping) = &pick.what else { panic!("{pick:?}") };
    let read: Option<Read> = serde_json::from_str(read).unwrap();
    let field = fields.get(mapping.name.as_str()).unwrap();
    match worth(field, mapping, read.as_ref()) {
        Ok(value) => value.as_ref().map_or("nothing".into(), shown),
        Err(error) => format!("{}: {}", error.code.code(), error.expected),
    }
}

#[test]
fn it_is_worth_what_an_event_would_carry() {
    let fields = fields(&["total:decimal", "note:text:required", "day:date", "gift:bool"]);
    let table = [
        (r##"{"name":"total","from":{"text":"#t"}}"##, r#""1 299,50 kr""#, "1299.5"),
        (r##"{"name":"total","from":{"text":"#t"}}"##, r#""1,299""#, "wrong_type: a finite number"),
        (r##"{"name":"total","from":{"text":"#t"},"decimals":"point"}"##, r#""1,299""#, "1299.0"),
        (r##"{"name":"total","from":{"data_layer":"value"}}"##, "1.234", "1.234"),
        (r##"{"name":"note","from":{"text":"#n"}}"##, r#""  Hello ""#, "Hello"),
        (r##"{"name":"note","from":{"text":"#n"}}"##, "null", "missing_field: text"),
        (r##"{"name":"note","from":{"text":"#n"}}"##, "true", "wrong_type: text"),
        (r##"{"name":"day","from":{"text":"#d"},"dates":"dmy"}"##, r#""23/11/2026""#, "2026-11-23"),
        (r##"{"name":"gift","from":{"text":"#g"}}"##, r#""Ja""#, "true"),
        (r##"{"name":"gift","from":{"text":"#g"}}"##, "null", "nothing"),
        (r##"{"name":"source","from":{"constant":"Shop"}}"##, r#""Shop""#, "Shop"),
    ];
    for (mapping, read, expected) in table {
        assert_eq!(said(&fields, mapping, read), expected, "{mapping} {read}");
    }
}
