//! What must hold in every browser engine, because visitors bring their own: `make test` runs these in Chromium,
//! `make test-browsers` in Firefox and WebKit.

use beaconry_tests::{Browser, Server, eventually};
use serde_json::json;

use crate::setting::Setting;

#[tokio::test]
async fn an_order_is_placed_by_submitting_the_checkout() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_demo(folder.path());
    let browser = Browser::start().await;
    browser.open(&format!("{}/products/skerry-table-lamp", server.shop)).await;
    browser.click("form[action='/basket'] button").await;
    browser.click("a[href='/checkout']").await;
    browser.reads("h1", "Checkout").await;
    let order = browser.run("return document.querySelector('[name=order]').value").await;
    browser.fill("[name=name]", "Ada").await;
    browser.fill("#checkout [name=email]", "ada@example.com").await;
    browser.fill("[name=address]", "Quay 1").await;
    browser.fill("[name=card]", "4111111111111111").await;
    browser.engine_is_up().await;
    browser.click("#checkout button").await;
    browser.reads("h1", "Thank you").await;

    let events = server.events("order-placed", 1);
    assert_eq!(
        events[0]["data"],
        json!({
            "source": "Website", "orderid": order, "totalvalue": 1299.5, "currency": "SEK",
            "productcategories": "Table lamps",
        })
    );
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["version"], &events[0]["unchecked"]), (&json!(1), &json!(false)));
    assert_eq!(events[0]["url"], json!(format!("{}/checkout", server.shop)));
    let on_disk = std::fs::read(folder.path().join("events.db-wal")).unwrap();
    assert!(!on_disk.windows(8).any(|window| window == b"41111111"), "card numbers are never read");
}

#[tokio::test]
async fn a_call_before_the_engine_is_up_is_not_lost() {
    let setting = Setting::new();
    setting.event("Order placed", &["orderid:text:required"]);
    // As soon as the snippet's own script has run; the engine comes only then.
    let paste = setting.paste("order-placed");
    let (engine, snippet) = paste.split_once('\n').unwrap();
    let early = snippet.replace(
        "<script ",
        "<script onload=\"window.answer = beaconry.track('order-placed', {orderid: 'early'}); window.wasUp = !!beaconry.s; \
         document.head.append(document.createRange().createContextualFragment(document.querySelector('template').innerHTML))\" ",
    );
    setting.site.page("/", &format!("<template>{engine}</template>{early}"), "");
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/")).await;
    let answer = "while (!window.answer) await new Promise(next => setTimeout(next)); return await window.answer";
    assert_eq!(browser.settle(answer).await, json!({ "ok": true }));
    assert_eq!(browser.run("return window.wasUp").await, json!(false));
    let events = setting.server.events("order-placed", 1);
    assert_eq!(events[0]["data"], json!({ "source": "Website", "orderid": "early" }));
}

#[tokio::test]
async fn leaving_right_after_the_action_loses_nothing() {
    let setting = Setting::new();
    let capture = "[[trigger]]\non = { click = '.buy' }\n[[field]]\nname = 'item'\nfrom = { attribute = { selector = '.buy', name = 'data-item' } }\n";
    setting.event_capturing("Order placed", &["item:text:required"], capture);
    setting.event("Page left", &["n:number:required"]);
    let tags = setting.paste("order-placed") + &setting.paste("page-left");
    setting.site.page("/", &tags, "<a class=buy data-item=lamp href='/next'>Buy</a>");
    setting.site.page("/next", "", "<p id=next>Next</p>");
    let browser = Browser::start().await;
    for n in 0..10 {
        browser.open(&setting.site.url("/")).await;
        browser.engine_is_up().await;
        browser.run(&format!("document.querySelector('.buy').addEventListener('click', () => beaconry.track('page-left', {{n: {n}}}))")).await;
        browser.click(".buy").await;
        browser.see("#next").await;
    }
    assert_eq!(setting.server.events("order-placed", 10).len(), 10);
    let mut left: Vec<_> = setting
        .server
        .events("page-left", 10)
        .iter()
        .map(|event| event["data"]["n"].as_i64().unwrap())
        .collect();
    left.sort_unstable();
    assert_eq!(left, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn where_wasm_is_refused_values_go_unchecked_and_the_collector_checks() {
    let setting = Setting::new();
    let capture = "[[trigger]]\non = { click = 'button' }\n[[field]]\nname = 'total'\nfrom = { text = '#total' }\n";
    setting.event_capturing("Order placed", &["total:decimal:required"], capture);
    let policy = format!(
        "Content-Security-Policy: script-src {0}; connect-src {0}\r\n",
        setting.server.collector
    );
    let body = "<p id=total>1 299,50 kr</p><button>Buy</button>";
    setting.site.page_with("/", &policy, &setting.paste("order-placed"), body);
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/")).await;
    browser.engine_is_up().await;
    browser.click("button").await;
    let events = setting.server.events("order-placed", 1);
    assert_eq!(events[0]["data"], json!({ "source": "Website", "total": 1299.5 }));
    assert_eq!(events[0]["unchecked"], json!(true));
    // What does not fit is found by the collector, and kept.
    browser.run("document.querySelector('#total').textContent = 'ask us'").await;
    browser.click("button").await;
    let kept = eventually("a beacon in quarantine", || {
        setting
            .server
            .json(&["quarantine", "list"])
            .as_array()
            .filter(|kept| !kept.is_empty())
            .cloned()
    });
    assert_eq!(kept[0]["errors"][0]["field"], json!("total"));
    // The console names the directive that is missing.
    let shown = setting.server.json(&["event", "show", "order-placed"]);
    let path = format!("/events/{}", shown["discriminator"].as_str().unwrap());
    let console = setting.session.get(&path).text();
    assert!(console.contains("1 of the last 1 events came unchecked"), "{console}");
    assert!(console.contains("wasm-unsafe-eval"), "{console}");
}

#[tokio::test]
async fn nothing_is_stored_or_sent_before_consent() {
    let setting = Setting::new();
    setting.event_capturing("It", &["n:number"], "consent = 'hold'");
    setting.site.page("/", &setting.paste("it"), "");
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/")).await;
    browser.engine_is_up().await;
    let traces = "return [localStorage.length, sessionStorage.length, document.cookie]";
    for n in [1, 2] {
        let track = format!("return await beaconry.track('it', {{ n: {n} }})");
        assert_eq!(browser.settle(&track).await, json!({ "ok": true }));
        if n == 1 {
            assert_eq!(browser.run(traces).await, json!([0, 0, ""]));
            assert_eq!(browser.beacons().await, 0);
            browser.run("beaconry.consent(true)").await;
        }
    }
    let events = setting.server.events("it", 2);
    let mut numbers: Vec<_> =
        events.iter().map(|event| event["data"]["n"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    browser.run("beaconry.consent(false)").await;
    let refused = browser.settle("return await beaconry.track('it', { n: 3 })").await;
    assert_eq!(refused["errors"][0]["code"], json!("no_consent"));
    assert_eq!(browser.run(traces).await, json!([0, 0, ""]));
}
