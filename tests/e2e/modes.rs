//! Debug mode and test mode: what developers and marketers switch on to see what happens, without spoiling data.

use beaconry_tests::{Browser, Server};
use serde_json::json;

use crate::setting::{Setting, paste, run};

/// Keeps what is said in the browser's console.
const LISTEN: &str = "<script>window.said = [];
    for (const level of ['info', 'warn']) console[level] = (...words) => said.push(words.slice(2).map(word => typeof word == 'string' ? word : JSON.stringify(word)).join(' '))</script>";

/// Waits until the console has said something that holds this.
async fn says(browser: &Browser, text: &str) {
    let body = format!(
        "while (!said.some(line => line.includes({}))) await new Promise(next => setTimeout(next, 10)); return true",
        json!(text)
    );
    let heard = browser.settle(&body).await;
    assert_eq!(heard, json!(true), "{text}: {}", browser.run("return said").await);
}

#[tokio::test]
async fn debug_mode_says_what_happens_in_sentences() {
    let setting = Setting::new();
    let capture = "[[trigger]]\non = { click = 'button' }\n[[field]]\nname = 'total'\nfrom = { text = '#total' }\n";
    setting.event_capturing("Order placed", &["total:decimal:required"], capture);
    let tag = LISTEN.to_owned() + &setting.paste("order-placed");
    setting.site.page("/", &tag, "<p id=total>ask us</p><button>Buy</button>");
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/")).await;
    browser.engine_is_up().await;
    assert_eq!(browser.loaded("debug").await, 0, "ordinary visitors never download it");
    assert_eq!(browser.run("return said").await, json!([]));

    browser.open(&setting.site.url("/?beaconry-debug")).await;
    browser.engine_is_up().await;
    says(&browser, "The snippet of “order-placed”, version 1 (settings 2), is on this page").await;
    says(&browser, "It waits for a click on button").await;
    browser.click("button").await;
    says(&browser, "“total” must be a decimal, got the text “ask us”").await;
    browser.run("document.querySelector('#total').textContent = '1 299,50 kr'").await;
    browser.click("button").await;
    says(&browser, "“order-placed” was captured: {\"source\":\"Website\",\"total\":1299.5}").await;
    says(&browser, "The collector has stored one event: order-placed").await;

    // The mode holds for the tab, until it is switched off.
    browser.open(&setting.site.url("/")).await;
    says(&browser, "Debug mode is on").await;
    browser.run("beaconry.debug(false)").await;
    says(&browser, "Debug mode is off").await;
    assert_eq!(browser.run("return sessionStorage.length").await, json!(0));
}

#[tokio::test]
async fn trials_count_nowhere() {
    let setting = Setting::new();
    setting.event("It", &["n:number"]);
    setting.event_capturing("Trial", &["n:number"], "test = true");
    setting.site.page("/", &(setting.paste("it") + &setting.paste("trial")), "");
    let browser = Browser::start().await;
    for (query, slug, n) in [("?beaconry-test", "it", 1), ("", "it", 2), ("", "trial", 3)] {
        browser.open(&setting.site.url(&format!("/{query}"))).await;
        browser.engine_is_up().await;
        if n == 3 {
            browser.run("sessionStorage.clear()").await;
        }
        browser.settle(&format!("return await beaconry.track('{slug}', {{ n: {n} }})")).await;
    }
    for (slug, trials) in [("it", 2), ("trial", 1)] {
        let shown = beaconry_tests::eventually("the trials", || {
            let shown = setting.server.json(&["events", slug, "--tests"]).as_array().cloned();
            shown.filter(|shown| shown.len() == trials)
        });
        assert!(shown.iter().all(|event| event["test"] == json!(true)), "{shown:?}");
        assert_eq!(setting.server.json(&["events", slug]), json!([]));
    }
}

#[tokio::test]
async fn a_stale_answer_is_final_for_the_page_and_says_what_to_do() {
    let setting = Setting::new();
    setting.event("It", &["n:number"]);
    let Setting { server, site, folder, .. } = setting;
    site.page("/", &(LISTEN.to_owned() + &paste(folder.path(), "it")), "");
    let collector = server.collector.clone();
    run(folder.path(), &["event", "edit", "it", "--add-field", "note:text"]);
    assert_eq!(server.stop(), 0);
    let regenerated =
        beaconry_tests::beaconry(folder.path(), 61, &["tracking", "regenerate", "it"]);
    assert_eq!(regenerated.code, 0, "{regenerated:?}");
    let server = Server::start_at(folder.path(), 61, &collector);

    let browser = Browser::start().await;
    browser.open(&site.url("/?beaconry-debug")).await;
    browser.engine_is_up().await;
    let track = "return await beaconry.track('it', { n: 1 })";
    assert_eq!(browser.settle(track).await, json!({ "ok": true }));
    says(&browser, "version 1 of \"it\" is stale; the current one is version 2: paste its snippet")
        .await;
    let refused = browser.settle(track).await;
    assert_eq!(refused["errors"][0]["code"], json!("stale_version"));
    assert_eq!(browser.beacons().await, 1, "this page sends no more of it");
    assert_eq!(server.json(&["quarantine", "list"]).as_array().unwrap().len(), 1);
}
