//! Every file of a snippet, byte for byte. `UPDATE_GOLDEN=1 cargo test -p beaconry-generator` writes them anew.

use std::fs;
use std::path::Path;

use beaconry_generator::generate;

use crate::input::{Parts, fixture_engine};

fn check(folder: &str, parts: &Parts) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/golden").join(folder);
    let snippet = generate(&parts.input());
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    if update && folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    for file in snippet.files().filter(|file| !file.path().starts_with("engine/")) {
        let golden = folder.join(file.path());
        if update {
            fs::create_dir_all(golden.parent().unwrap()).unwrap();
            fs::write(&golden, file.bytes()).unwrap();
        }
        let expected = fs::read(&golden).unwrap_or_else(|_| panic!("no golden {}", file.path()));
        let made = String::from_utf8_lossy(file.bytes());
        assert_eq!(made, String::from_utf8_lossy(&expected), "{}", file.path());
    }
}

#[test]
fn an_event_with_every_kind_of_field_trigger_and_source() {
    let fields = r#"[
        {"name":"source","type":"text","required":true},
        {"name":"orderid","type":"text","required":true,"max_length":40},
        {"name":"total","type":"decimal","required":true,"min":0,"max":1e21},
        {"name":"items","type":"number","min":-1},
        {"name":"currency","type":"text","allowed":["SEK","EUR","</script>"]},
        {"name":"gift","type":"bool"},
        {"name":"delivery","type":"date","required":true},
        {"name":"paid","type":"timestamp"},
        {"name":"campaign","type":"text"},
        {"name":"segment","type":"text"},
        {"name":"sku","type":"text"},
        {"name":"about","type":"text"},
        {"name":"price","type":"decimal"},
        {"name":"brand","type":"text"},
        {"name":"item","type":"text"},
        {"name":"title","type":"text"},
        {"name":"address","type":"text"},
        {"name":"referrer","type":"text"},
        {"name":"note","type":"text"}
    ]"#;
    let capture = r##"{
        "consent":"hold","test":true,
        "trigger":[
            {"on":"page_view","url":[{"exact":"/thanks"},{"prefix":"https://shop.example/done"}]},
            {"on":{"click":"button[data-buy=\"é\"]"},"url":[{"contains":"?step=(3)"},{"contains":"/cart"}]},
            {"on":{"submit":"#checkout"},"url":[{"wildcard":"/*/checkout/*?*step=*"},{"wildcard":"*.example/"},{"wildcard":"/köp/*"}]},
            {"on":{"submit":"#ask"},"success":{"element":".thanks"}},
            {"on":{"submit":"#ask"},"url":[{"exact":"/ask"}],"success":{"url":{"prefix":"/thanks"}}},
            {"on":{"element_seen":{"selector":".offer","share":75,"seconds":2}}},
            {"on":{"scroll_depth":50}},
            {"on":{"time_on_page":30}},
            {"on":{"data_layer":"purchase"}},
            {"on":{"custom_event":"order:placed"}}
        ],
        "field":[
            {"name":"orderid","from":{"text":"#order"}},
            {"name":"total","from":{"text":".total"},"decimals":"comma"},
            {"name":"items","from":{"attribute":{"selector":".cart","name":"data-count"}}},
            {"name":"gift","from":{"form_input":"gift"}},
            {"name":"delivery","from":{"value":"#day"},"dates":"dmy"},
            {"name":"campaign","from":{"url_param":"utm_campaign"}},
            {"name":"paid","from":{"event_detail":"order.paid"}},
            {"name":"segment","from":{"path_segment":2}},
            {"name":"sku","from":{"data":"sku"},"anywhere":true},
            {"name":"about","from":{"meta":"og:\"title\""}},
            {"name":"price","from":{"json_ld":{"path":"offers.price","type":"Product"}}},
            {"name":"brand","from":{"json_ld":{"path":"brand"}}},
            {"name":"item","from":{"data_layer":"ecommerce.items.0.name"}},
            {"name":"title","from":"title"},
            {"name":"address","from":"url"},
            {"name":"referrer","from":"referrer"},
            {"name":"note","from":{"constant":"40 \\ \"quoted\" \u2028 ü"}}
        ]
    }"##;
    check("everything", &Parts::new("Order placed", fields, capture, fixture_engine()));
}

#[test]
fn an_event_that_only_track_records() {
    let parts = Parts::new("Newsletter signed up", "[]", "{}", fixture_engine());
    check("bare", &parts);
}

#[test]
fn the_same_input_gives_the_same_files() {
    let parts = Parts::new("Order placed", "[]", "{}", fixture_engine());
    let (first, second) = (generate(&parts.input()), generate(&parts.input()));
    assert!(first.files().eq(second.files()));
}
