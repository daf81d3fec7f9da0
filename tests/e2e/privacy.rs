//! What a visitor agreed to: consent, Global Privacy Control, and being forgotten.

use beaconry_tests::Browser;
use serde_json::{Value, json};

use crate::setting::Setting;

const GPC: &str =
    "<script>Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })</script>";

/// Everything a page can leave in a browser, and what it has sent.
const TRACES: &str = "return [localStorage.length, sessionStorage.length, document.cookie, performance.getEntriesByType('resource').filter(entry => entry.name.endsWith('/c')).length]";

async fn page(consent: &str, head: &str) -> (Setting, Browser) {
    let setting = Setting::new();
    setting.event_capturing("It", &["n:number"], consent);
    setting.site.page("/", &(head.to_owned() + &setting.paste("it")), "");
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/")).await;
    browser.engine_is_up().await;
    (setting, browser)
}

fn numbers(events: &[Value]) -> Vec<i64> {
    let mut numbers: Vec<_> =
        events.iter().map(|event| event["data"]["n"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

async fn track(browser: &Browser, n: i64) -> Value {
    browser.settle(&format!("return await beaconry.track('it', {{ n: {n} }})")).await
}

fn refused() -> Value {
    json!({ "ok": false, "errors": [{ "field": "", "code": "no_consent" }] })
}

#[tokio::test]
async fn what_is_dropped_before_consent_is_gone() {
    let (setting, browser) = page("consent = 'drop'", "").await;
    assert_eq!(track(&browser, 1).await, refused());
    assert_eq!(browser.run(TRACES).await, json!([0, 0, "", 0]));
    browser.run("beaconry.consent(true)").await;
    track(&browser, 2).await;
    assert_eq!(numbers(&setting.server.events("it", 1)), [2]);
}

#[tokio::test]
async fn global_privacy_control_stops_everything_whatever_the_page_says() {
    let (setting, browser) = page("", GPC).await;
    assert_eq!(track(&browser, 1).await, refused());
    browser.run("beaconry.consent(true)").await;
    assert_eq!(track(&browser, 2).await, refused());
    assert_eq!(browser.run(TRACES).await, json!([0, 0, "", 0]));
    assert_eq!(setting.server.json(&["events", "it"]), json!([]));
}

#[tokio::test]
async fn forgetting_clears_what_the_browser_keeps() {
    let (setting, browser) = page("", "").await;
    track(&browser, 1).await;
    setting.server.events("it", 1);
    let first = browser.run("return localStorage['beaconry.visitor']").await;
    assert!(first.is_string());
    browser.offline(true).await;
    track(&browser, 2).await;
    browser.run("localStorage.ours = 1; beaconry.forget()").await;
    assert_eq!(browser.run("return Object.keys(localStorage)").await, json!(["ours"]));
    browser.offline(false).await;
    track(&browser, 3).await;
    assert_eq!(numbers(&setting.server.events("it", 2)), [1, 3]);
    assert_ne!(browser.run("return localStorage['beaconry.visitor']").await, first);
}
