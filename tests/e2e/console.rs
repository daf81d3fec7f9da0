//! The console on the real binary: the live list, and who may come in.

use beaconry_tests::{Browser, beacon, event, event_id, eventually, get, post};
use serde_json::json;

use crate::setting::{Setting, run};

#[test]
fn a_search_finds_an_event_by_the_slug_people_see() {
    let setting = Setting::new();
    setting.event("Order placed", &["total:decimal"]);
    run(setting.folder.path(), &["event", "edit", "order-placed", "--name", "Lamp ordered"]);
    eventually("the new name is found by its slug", || {
        setting.session.get("/?q=lamp-ordered").text().contains("Lamp ordered</a>").then_some(())
    });
    assert!(!setting.session.get("/?q=lamps-ordered").text().contains("Lamp ordered</a>"));
}

#[tokio::test]
async fn beacons_show_live_as_they_arrive() {
    let setting = Setting::new();
    let key = setting.event("Order placed", &["orderid:text:required"]);
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    browser.open(&format!("{}/live", setting.server.console)).await;
    browser
        .settle("while (!document.querySelector('#live-state').textContent.startsWith('Connected')) await new Promise(next => setTimeout(next, 10))")
        .await;
    let send = |n, data| {
        let body = beacon(vec![event(&event_id(n), &key, 1, data)]);
        post(&setting.server.collector, "/c", &[], body.as_bytes()).status
    };
    assert_eq!(send(1, json!({ "source": "test", "orderid": "<i>1</i>" })), 204);
    browser.see("#arrivals li.accepted").await;
    assert_eq!(send(2, json!({ "source": "test", "orderid": 2 })), 200);
    browser.see("#arrivals li.quarantined").await;
    assert!(
        browser
            .text("#arrivals li.quarantined .why + .why")
            .await
            .contains("orderid: expected text, got the number 2")
    );
}

#[test]
fn the_console_answers_to_loopback_names_and_its_own_forms_only() {
    let setting = Setting::new();
    let url = &setting.server.console;
    let cookie = format!("Cookie: {}", setting.session.cookie);
    assert_eq!(get(url, "/", &[&cookie]).status, 200);
    let port = url.rsplit(':').next().unwrap();
    assert_eq!(get(url, "/", &[&cookie, &format!("Host: localhost:{port}")]).status, 200);
    assert_eq!(get(url, "/", &[&cookie, &format!("Host: evil.example:{port}")]).status, 421);
    setting.event("Order placed", &["orderid:text"]);
    let shown = setting.server.json(&["event", "show", "order-placed"]);
    let disable = format!("/events/{}/tracking/disable", shown["discriminator"].as_str().unwrap());
    let foreign = "Origin: https://evil.example";
    assert_eq!(post(url, &disable, &[&cookie, foreign], b"").status, 403);
    assert_eq!(
        setting.server.json(&["tracking", "status", "order-placed"])["enabled"],
        json!(true)
    );
    let policy = get(url, "/", &[]).header("content-security-policy").unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"), "{policy}");
    assert_eq!(
        get(&setting.server.collector, "/events", &[]).status,
        404,
        "the collector never serves the console"
    );
}
