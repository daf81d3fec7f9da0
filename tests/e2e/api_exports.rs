//! Exports by API carry only identifiers that may be read, in every format.

use serde_json::{Value, json};

use crate::api::{Api, CRM_ID, EMAIL};

const FORMATS: [&str; 3] = ["csv", "jsonl", "parquet"];

/// Every byte of an export, as text: short texts stand in all formats as they are.
fn export(api: &Api, token: &str, format: &str) -> (u16, String) {
    let path = format!("/v1/sections/{}/events/order-placed/export?format={format}", api.section);
    let answer = api.ask("GET", &path, token, &Value::Null);
    (answer.status, answer.text())
}

#[test]
fn exports_carry_only_identifiers_that_may_be_read() {
    let api = Api::new();
    let named = |keyspace: &str, key: &str| json!({ "keyspace_discriminator": keyspace, "profile_key": key });
    let keys =
        json!({ "profiles": [named(EMAIL, "ada@shop.example"), named(CRM_ID, "customer-17")] });
    assert_eq!(api.ask("PUT", "/audience/profiles/merges", &api.token, &keys).status, 204);
    let events = api.events_of("ada%40shop.example");
    let post = json!({ "items": [api.item("order-1")] });
    assert_eq!(api.ask("POST", &events, &api.token, &post).status, 201);
    let by_email = api.token_of(&["--all-sections", "--keyspace", "email", "--read"]);
    let holds = |token: &str, format: &str| {
        let (status, text) = export(&api, token, format);
        assert_eq!(status, 200, "{format}: {text}");
        assert!(text.contains("order-1"), "{format}: {text}");
        ["ada@shop.example", "customer-17"].map(|key| text.contains(key))
    };
    for format in FORMATS {
        assert_eq!(holds(&api.token, format), [true, true], "{format}");
        assert_eq!(holds(&by_email, format), [true, false], "{format}: what the key reaches");
    }
    api.forbid_email();
    beaconry_tests::eventually("a key that may read nothing of it gets nothing", || {
        (export(&api, &by_email, "csv").0 == 403).then_some(())
    });
    for format in FORMATS {
        assert_eq!(export(&api, &by_email, format).0, 403, "{format}");
        assert_eq!(
            holds(&api.token, format),
            [false, true],
            "{format}: what the event lets be read"
        );
    }
}
