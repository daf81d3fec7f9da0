//! Profiles as people and sites use them: a visitor is identified, shown, put into segments, exported, erased.

use std::cell::Cell;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use beaconry_tests::{Browser, beacon, event, event_id, eventually, post};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::setting::{Setting, run};

/// A token as a site's back end makes it.
fn token(secret: &str, claims: Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(&claims));
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&signed);
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// Seconds since 1970, so many from now.
fn seconds(from_now: i64) -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap() + from_now
}

fn secret(setting: &Setting, more: &[&str]) -> String {
    let made = setting.server.json(&[&["section", "secret", "Shop"], more].concat());
    made["secret"].as_str().unwrap().to_owned()
}

/// A beacon of one event with this token; waits until the server knows the section's newest secret.
fn identify(setting: &Setting, key: &str, n: u64, visitor: &str, token: &str) -> (u16, Value) {
    let events = vec![event(&event_id(n), key, 1, json!({"source": "test", "n": n}))];
    let mut body: Value = serde_json::from_str(&beacon(events)).unwrap();
    body["visitor"] = json!(visitor);
    body["identify"] = json!(token);
    let answer = post(&setting.server.collector, "/c", &[], body.to_string().as_bytes());
    let said = if answer.status == 200 { answer.json() } else { Value::Null };
    (answer.status, said)
}

fn numbers(profile: &Value) -> Vec<i64> {
    let events = profile["events"].as_array().unwrap();
    let mut numbers: Vec<i64> =
        events.iter().map(|event| event["data"]["n"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn only_a_token_of_the_sections_back_end_joins_a_visitor_with_a_person() {
    let setting = Setting::new();
    let key = setting.event("It", &["n:number"]);
    let first = secret(&setting, &[]);
    let claims = |email: &str| json!({"email": email, "exp": seconds(3_600)});
    let good = token(&first, claims("Ada@Shop.example"));
    let last = Cell::new(0);
    let identify = |visitor: &str, token: &str| {
        last.set(last.get() + 1);
        identify(&setting, &key, last.get(), visitor, token)
    };
    eventually("the server notices the secret", || {
        (identify("visitor-1", &good).0 == 204).then_some(())
    });
    let forged = good.rsplit_once('.').unwrap().0.to_owned() + ".AAAA";
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    for (token, code) in [
        (token("another secret", claims("eve@shop.example")), "wrong_signature"),
        (forged, "wrong_signature"),
        (
            format!("{none}.{}.", URL_SAFE_NO_PAD.encode(claims("eve@shop.example").to_string())),
            "malformed",
        ),
        (token(&first, json!({"email": "eve@shop.example", "exp": seconds(-3_600)})), "expired"),
        (token(&first, json!({"email": "eve@shop.example", "exp": seconds(90_000)})), "too_long"),
        (
            token(&first, json!({"email": "eve@shop.example", "exp": seconds(60), "visitor": "x"})),
            "other_visitor",
        ),
        (token(&first, json!({"email": "nobody", "exp": seconds(60)})), "wrong_key"),
        (token(&first, json!({"exp": seconds(60)})), "malformed"),
        ("hello".to_owned(), "malformed"),
    ] {
        let (status, said) = identify("visitor-2", &token);
        assert_eq!(
            (status, &said["accepted"], said["identify"]["code"].as_str()),
            (200, &json!(1), Some(code))
        );
    }
    let second = secret(&setting, &[]);
    eventually("a rotated secret counts, and the one before still does", || {
        let crm = token(
            &second,
            json!({"crm_id": "4711", "email": "ada@shop.example", "exp": seconds(60)}),
        );
        (identify("visitor-3", &crm).0 == 204).then_some(())
    });
    assert_eq!(identify("visitor-1", &good).0, 204);
    let ada = setting.server.json(&["profile", "show", "crm-id:4711"]);
    let keys: Vec<&str> =
        ada["keys"].as_array().unwrap().iter().map(|key| key["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["visitor-1", "visitor-3", "ada@shop.example", "4711"]);
    assert_eq!(setting.server.json(&["profile", "show", "ada@shop.example"])["id"], ada["id"]);
    let eve = setting.server.beaconry(&["profile", "show", "eve@shop.example"]);
    assert_eq!(eve.code, 1);
    assert!(eve.err.contains("create it by setting an attribute or by a merge"), "{eve:?}");
    secret(&setting, &["--at-once"]);
    eventually("a secret that was withdrawn counts no more", || {
        let (status, said) = identify("visitor-1", &good);
        (status == 200 && said["identify"]["code"] == "wrong_signature").then_some(())
    });
}

#[tokio::test]
async fn a_page_identifies_its_visitor() {
    let setting = Setting::new();
    setting.event("It", &["n:number"]);
    let secret = secret(&setting, &[]);
    setting.site.page("/", &setting.paste("it"), "");
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/")).await;
    browser.engine_is_up().await;
    browser.settle("return await beaconry.track('it', { n: 1 })").await;
    let token = token(&secret, json!({"email": "ada@shop.example", "exp": seconds(600)}));
    browser.run(&format!("beaconry.identify('{token}')")).await;
    browser.settle("return await beaconry.track('it', { n: 2 })").await;
    let ada = eventually("the visitor is joined", || {
        let shown = setting.server.beaconry(&["profile", "show", "ada@shop.example", "--json"]);
        (shown.code == 0).then(|| shown.json())
    });
    assert_eq!(numbers(&ada), [1, 2]);
    browser.run("beaconry.forget()").await;
    browser.settle("return await beaconry.track('it', { n: 3 })").await;
    assert_eq!(setting.server.events("it", 3).len(), 3);
    assert_eq!(numbers(&setting.server.json(&["profile", "show", "ada@shop.example"])), [1, 2]);
}

#[test]
fn a_person_is_found_counted_exported_and_erased_from_the_command_line() {
    let setting = Setting::new();
    let key = setting.event("It", &["n:number"]);
    let (server, folder) = (&setting.server, setting.folder.path());
    for n in 0..30_u64 {
        let events = vec![event(&event_id(n), &key, 1, json!({"source": "test", "n": n}))];
        let mut body: Value = serde_json::from_str(&beacon(events)).unwrap();
        body["visitor"] = json!(format!("visitor-{}", n % 7));
        assert_eq!(post(&server.collector, "/c", &[], body.to_string().as_bytes()).status, 204);
    }
    let event = server.json(&["event", "show", "it"])["discriminator"].as_str().unwrap().to_owned();
    let condition = json!({"event": {"event": event, "at_least": 5, "versions": [1]}}).to_string();
    let made = server.json(&["segment", "create", "Often", "--condition", &condition]);
    assert_eq!((made["broken"].as_bool(), &made["remarks"]), (Some(false), &json!([])));
    let counted = server.json(&["segment", "count", "Often"]);
    assert_eq!((&counted["count"], &counted["of"]), (&json!(2), &json!(7)));
    let members = server.beaconry(&["segment", "export", "Often", "--json"]).out;
    let members: Vec<Value> =
        members.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(members.len(), 2);
    let wrong_id = event_id(40);
    let wrong = beaconry_tests::event(&wrong_id, &key, 1, json!({"source": "test", "n": "x"}));
    let mut body: Value = serde_json::from_str(&beacon(vec![wrong])).unwrap();
    body["visitor"] = json!("visitor-1");
    assert_eq!(post(&server.collector, "/c", &[], body.to_string().as_bytes()).status, 200);
    let all = server.json(&["profile", "export", "visitor-1"]);
    let kept = all["quarantined"].as_array().unwrap();
    assert_eq!(
        (kept.len(), &kept[0]["code"], &kept[0]["event"]),
        (1, &json!("invalid_fields"), &json!(event))
    );
    assert!(kept[0]["raw"].as_str().unwrap().contains(&wrong_id), "{kept:?}");
    assert_eq!(server.json(&["profile", "export", "visitor-2"])["quarantined"], json!([]));
    assert_eq!(
        (numbers(&all), &all["segments"]),
        (vec![1, 8, 15, 22, 29], &json!([made["discriminator"]]))
    );

    let asked = server.beaconry(&["profile", "erase", "visitor-1"]);
    assert_eq!((asked.code, asked.err.contains("--yes")), (2, true));
    run(folder, &["profile", "erase", "visitor-1", "--yes", "--lock"]);
    assert_eq!(server.beaconry(&["profile", "show", "visitor-1"]).code, 1);
    assert_eq!(server.json(&["segment", "count", "Often"])["count"], 1);
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(9).any(|window| window == b"visitor-1"), "{}", path.display());
    }
    let events =
        vec![beaconry_tests::event(&event_id(99), &key, 1, json!({"source": "test", "n": 99}))];
    let mut body: Value = serde_json::from_str(&beacon(events)).unwrap();
    body["visitor"] = json!("visitor-1");
    let answer = post(&server.collector, "/c", &[], body.to_string().as_bytes());
    assert_eq!(answer.json()["rejected"][0]["code"], "profile_locked");

    let asked = server.beaconry(&["event", "hide", "it"]);
    assert!(asked.err.contains("break the segments that name it: Often"), "{asked:?}");
    let shown = setting.session.get(&format!("/events/{event}/hide")).text();
    assert!(shown.contains("marked broken") && shown.contains("<strong>Often</strong>"), "{shown}");
    run(folder, &["event", "hide", "it", "--yes"]);
    let broken = server.beaconry(&["segment", "count", "Often"]);
    assert_eq!(
        (broken.code, broken.err.contains("broken and is not evaluated")),
        (1, true),
        "{broken:?}"
    );
}

#[test]
fn attributes_and_consent_lists_are_defined_from_the_command_line() {
    let setting = Setting::new();
    let server = &setting.server;
    let made =
        server.json(&["attribute", "create", "Shoe size", "--type", "number", "--min", "15"]);
    let edited = server.json(&["attribute", "edit", "Shoe size", "--type", "decimal"]);
    let versions = edited["versions"].as_array().unwrap();
    assert_eq!(
        (&versions[0]["id"], versions[1]["type"].as_str()),
        (&made["versions"][0]["id"], Some("decimal"))
    );
    assert!(versions[0]["deprecated_at"].is_string() && versions[1]["deprecated_at"].is_null());
    let names: Vec<String> = server
        .json(&["attribute", "list"])
        .as_array()
        .unwrap()
        .iter()
        .map(|attribute| attribute["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        names.contains(&"First name".to_owned()) && names.last().unwrap() == "Shoe size",
        "{names:?}"
    );
    server.json(&["consent-list", "create", "Newsletters", "--topic", "Weekly"]);
    let list = server.json(&["consent-list", "add", "Newsletters", "--topic", "Offers"]);
    let topics: Vec<&str> = list["topics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|topic| topic["name"].as_str().unwrap())
        .collect();
    assert_eq!(topics, ["Weekly", "Offers"]);
    let audit = server.json(&["audit"]);
    assert!(
        audit.to_string().contains("attribute.change")
            && !audit.to_string().contains("section.secret")
    );
}
