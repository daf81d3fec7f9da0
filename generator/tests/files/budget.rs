//! What a page downloads, with the engine that was built: bytes after brotli, as DESIGN promises them.

use beaconry_generator::{Engine, generate};

use crate::input::Parts;

/// For a page with one event: a template's fields, two triggers, three mappings.
const ONE_EVENT: usize = 7_800;
/// For each further event, with ten mapped fields.
const FURTHER_EVENT: usize = 600;

#[test]
fn a_page_with_one_event_stays_within_its_budget() {
    let fields = r#"[
        {"name":"source","type":"text","required":true},
        {"name":"orderid","type":"text"},
        {"name":"totalvalue","type":"decimal"},
        {"name":"currency","type":"text"},
        {"name":"productcategories","type":"text"}
    ]"#;
    let capture = r##"{
        "trigger":[{"on":{"submit":"#checkout"}},{"on":"page_view","url":[{"prefix":"/thanks"}]}],
        "field":[
            {"name":"orderid","from":{"text":"#order-number"}},
            {"name":"totalvalue","from":{"text":".total"}},
            {"name":"currency","from":{"constant":"EUR"}}
        ]
    }"##;
    let parts = Parts::new("Order placed", fields, capture, Engine::embedded().clone());
    let snippet = generate(&parts.input());
    for file in snippet.served() {
        println!(
            "{:>6} bytes, {:>5} brotli  {}",
            file.bytes().len(),
            file.brotli().len(),
            file.path()
        );
    }
    println!("{:>21} brotli in all, of {ONE_EVENT}", snippet.page_bytes());
    assert!(snippet.page_bytes() <= ONE_EVENT, "{} of {ONE_EVENT} bytes", snippet.page_bytes());
}

#[test]
fn a_further_event_stays_within_its_budget() {
    let names = [
        "bookingid",
        "location",
        "value",
        "currency",
        "adults",
        "children",
        "nights",
        "campaign",
        "promotion",
        "channel",
    ];
    let fields = names.map(|name| format!(r#"{{"name":"{name}","type":"text"}}"#)).join(",");
    let mappings =
        names.map(|name| format!(r##"{{"name":"{name}","from":{{"text":"#booking .{name}"}}}}"##));
    let capture = format!(
        r#"{{"trigger":[{{"on":{{"submit":"form.book"}}}}],"field":[{}]}}"#,
        mappings.join(",")
    );
    let parts =
        Parts::new("Booking made", &format!("[{fields}]"), &capture, Engine::embedded().clone());
    let snippet = generate(&parts.input());
    println!("{}", String::from_utf8_lossy(snippet.script.bytes()));
    let bytes = snippet.script.brotli().len();
    println!("{bytes} brotli, of {FURTHER_EVENT}");
    assert!(bytes <= FURTHER_EVENT, "{bytes} of {FURTHER_EVENT} bytes");
}
