//! What administrators define and mend by API: attributes, consent lists, secrets, segments, the quarantine.

use beaconry_tests::{beacon, beaconry, event, event_id, eventually, post};
use serde_json::{Value, json};

use crate::api::{Api, UNBOUND};
use crate::setting::a_number_and_then_a_text;

#[test]
fn what_a_section_knows_of_people_is_defined_by_administrators() {
    let api = Api::new();
    let person = api.person();
    let of = |rest: &str| format!("/v1/sections/{}/{rest}", api.section);
    let ask = |method: &str, path: &str, body: Value| api.ask(method, &of(path), &person, &body);
    let size = json!({ "name": "Shoe size", "type": "number", "limits": { "min": 15 } });
    let made = ask("POST", "attributes", size.clone());
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(made["versions"][0]["limits"]["min"], json!(15.0));
    let one = format!("attributes/{}", made["discriminator"].as_str().unwrap());
    let decimal = json!({ "type": "decimal" });
    let changed = ask("PUT", &one, decimal.clone()).json();
    assert_eq!(changed["versions"][1]["type"], json!("decimal"));
    assert!(changed["versions"][0]["deprecated_at"].is_string());
    assert_eq!(Api::problem(&ask("PUT", &one, decimal)).0, 409, "it is so already");
    let listed = api.get(&format!("/audience/sections/{}/attributes", api.section)).json();
    let last = listed["items"].as_array().unwrap().last().unwrap();
    assert_eq!(last["name"], json!("Shoe size"));

    let made = ask("POST", "consent-lists", json!({ "name": "Letters", "topics": ["Weekly"] }));
    assert_eq!(made.status, 201, "{}", made.text());
    let topics = format!("consent-lists/{}/topics", made.json()["discriminator"].as_str().unwrap());
    let added = ask("POST", &topics, json!({ "topics": ["Offers", "Events"] })).json();
    let names = added["topics"].as_array().unwrap().iter().map(|topic| topic["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["Weekly", "Offers", "Events"]);

    let secret = ask("POST", "secret", json!({}));
    assert_eq!(secret.status, 201, "{}", secret.text());
    let secret = secret.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 64);
    for (method, path, body, status) in [
        ("POST", "attributes", json!({ "name": "", "type": "text" }), 400),
        ("POST", "attributes", json!({ "name": "Size", "type": "size" }), 400),
        (
            "POST",
            "attributes",
            json!({ "name": "Size", "type": "text", "limits": { "min": 1 } }),
            400,
        ),
        ("PUT", "attributes/com.beaconry.attributes.city", json!({ "type": "date" }), 404),
        ("PUT", "attributes/none", json!({ "type": "date" }), 404),
        ("POST", &topics, json!({ "topics": ["Weekly"] }), 400),
        ("POST", &topics, json!({ "topics": [] }), 400),
        ("POST", "consent-lists/none/topics", json!({ "topics": ["Weekly"] }), 404),
        ("POST", "secret", json!({ "at_once": "yes" }), 400),
    ] {
        assert_eq!(Api::problem(&ask(method, path, body.clone())).0, status, "{path} {body}");
    }
    for path in ["attributes", "consent-lists", "secret"] {
        let by_key = api.ask("POST", &of(path), &api.token, &size);
        assert_eq!(Api::problem(&by_key).0, 403, "{path}: an outside system never defines");
    }
    let audit = beaconry(api.folder.path(), 0, &["audit", "--json"]).out;
    for action in ["attribute.create", "attribute.change", "consent_list.change", "section.secret"]
    {
        assert!(audit.contains(action), "{action}");
    }
    assert!(!audit.contains(&secret));
}

#[test]
fn a_segment_is_changed_and_an_event_is_read() {
    let api = Api::new();
    let person = api.person();
    let segments = format!("/v1/sections/{}/segments", api.section);
    let everybody = json!({ "name": "Everybody", "condition": { "all": [] } });
    let made = api.ask("POST", &segments, &person, &everybody).json();
    let segment = made["discriminator"].as_str().unwrap();
    let path = format!("/v1/segments/{segment}");
    let condition = json!({ "event": { "event": api.event, "at_least": 2 } });
    let body = json!({ "name": "Bought twice", "condition": condition });
    let changed = api.ask("PUT", &path, &person, &body);
    assert_eq!(changed.status, 200, "{}", changed.text());
    let read = api.get(&format!("/audience/segments/{segment}")).json();
    assert_eq!(read, changed.json());
    assert_eq!((&read["name"], &read["discriminator"]), (&json!("Bought twice"), &json!(segment)));
    assert_eq!(read["condition"]["event"]["at_least"], json!(2));
    for (body, status) in [
        (json!({ "name": "", "condition": condition }), 400),
        (json!({ "name": "Bought", "condition": { "event": {} } }), 400),
        (json!({ "name": "Bought" }), 400),
    ] {
        assert_eq!(Api::problem(&api.ask("PUT", &path, &person, &body)).0, status, "{body}");
    }
    assert_eq!(Api::problem(&api.ask("PUT", "/v1/segments/none", &person, &body)).0, 404);
    assert_eq!(Api::problem(&api.ask("PUT", &path, &api.token, &body)).0, 403);

    let event = api.get("/v1/events/order-placed");
    assert_eq!(event.status, 200, "{}", event.text());
    let event = event.json();
    assert_eq!(
        (&event["discriminator"], &event["section_discriminator"]),
        (&json!(api.event), &json!(api.section))
    );
    assert_eq!((&event["retention"], &event["tracking"]["enabled"]), (&json!("2y"), &json!(false)));
    assert_eq!(Api::problem(&api.get("/v1/events/none")).0, 404);
}

/// An event whose first version wants a number and whose second, current and pinned one, wants a text.
fn with_two_versions() -> Api {
    Api::on(a_number_and_then_a_text("Order placed", "order-placed"), &UNBOUND)
}

#[test]
fn the_quarantine_is_replayed_as_what_it_came_under_and_as_the_current_version() {
    let api = with_two_versions();
    let person = api.person();
    let of = |rest: &str| format!("/v1/events/order-placed{rest}");
    let moved =
        api.ask("POST", &of("/tracking/regenerate"), &person, &json!({ "stale": "reject" }));
    assert_eq!(moved.status, 200, "{}", moved.text());
    let shown = api.server.json(&["event", "show", "order-placed"]);
    let key = shown["key"].as_str().unwrap();
    for (n, total) in [(1, json!(12)), (2, json!("13")), (3, json!(true))] {
        let sent = event(&event_id(n), key, 1, json!({ "source": "Website", "total": total }));
        let answer = post(&api.server.collector, "/c", &[], beacon(vec![sent]).as_bytes());
        assert_eq!(answer.json()["rejected"][0]["code"], json!("stale_version"));
    }
    let replay = |body: Value| {
        let answer = api.ask("POST", &of("/quarantine/replay"), &person, &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        let refused = answer["refused"].as_array().unwrap().len();
        (answer["stored"].as_u64().unwrap(), refused)
    };
    assert_eq!(replay(json!({})), (1, 2), "the number, as the version it came under");
    assert_eq!(replay(json!({ "as_current": true })), (1, 1), "the text, as the current version");
    let left = eventually("one is left", || {
        let kept = api.ask("GET", &of("/quarantine"), &person, &Value::Null).json();
        (kept["items"].as_array().unwrap().len() == 1).then_some(kept)
    });
    assert!(left["items"][0]["raw"].as_str().unwrap().contains("true"));
    let mut stored: Vec<(u64, Value)> = (api.server.events("order-placed", 2).iter())
        .map(|one| (one["version"].as_u64().unwrap(), one["data"]["total"].clone()))
        .collect();
    stored.sort_by_key(|(version, _)| *version);
    assert_eq!(stored, [(1, json!(12)), (2, json!("13"))]);
}
