//! Pages that do their worst: the snippet does its work there or does nothing, and never harms the page.

use beaconry_tests::Browser;
use serde_json::json;

use crate::setting::Setting;

/// Keeps every error that reaches the page.
const ERRORS: &str = "<script>window.errors = [];
    addEventListener('error', event => errors.push('' + event.message));
    addEventListener('unhandledrejection', event => errors.push('' + event.reason))</script>";

const CLICK: &str =
    "[[trigger]]\non = { click = '.buy' }\n[[field]]\nname = 'item'\nfrom = { data = 'item' }\n";
const BUTTON: &str = "<button class=buy data-item=lamp>Buy</button>";

/// What a page does to the browser before the snippet comes; each still has its click stored.
const PAGES: &[(&str, &str)] = &[
    ("a plain page", ""),
    (
        "frozen prototypes",
        "[Object, Array, String, Function, Promise, History].forEach(it => Object.freeze(it.prototype))",
    ),
    ("a frozen history", "Object.freeze(history)"),
    (
        "storage that throws",
        "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { get() { throw new Error('refused') } })",
    ),
    ("no locks", "Object.defineProperty(navigator, 'locks', { value: undefined })"),
    ("locks that fail", "navigator.locks.request = async () => { throw new Error('no') }"),
    ("a wrapped fetch", "{ const real = fetch; window.fetch = (...given) => real(...given) }"),
    ("a history that is not one", "history.pushState = history.replaceState = null"),
    ("a data layer that is none", "window.dataLayer = { push: 1 }"),
    ("old libraries", "Array.prototype.each = Object.prototype.extra = function () {}"),
    (
        "no crypto of modern browsers",
        "delete crypto.randomUUID; crypto.subtle && Object.defineProperty(crypto, 'subtle', { value: undefined })",
    ),
    (
        "a click handler that removes the element",
        "document.addEventListener('click', event => event.target.remove(), true)",
    ),
    (
        "a click handler that stops everything",
        "document.addEventListener('click', event => event.stopImmediatePropagation(), true)",
    ),
];

#[tokio::test]
async fn a_page_that_changed_the_browser_gets_no_error_and_loses_no_event() {
    let setting = Setting::new();
    setting.event_capturing("It", &["item:text:required"], CLICK);
    let tag = setting.paste("it");
    let browser = Browser::start().await;
    for (at, (what, script)) in PAGES.iter().enumerate() {
        let path = format!("/{at}");
        setting.site.page(&path, &format!("{ERRORS}<script>{script}</script>{tag}"), BUTTON);
        browser.open(&setting.site.url(&path)).await;
        browser.engine_is_up().await;
        browser.click(".buy").await;
        let events = setting.server.events("it", at + 1);
        assert_eq!((events.len(), &events[0]["data"]["item"]), (at + 1, &json!("lamp")), "{what}");
        assert_eq!(browser.run("return errors").await, json!([]), "{what}");
    }
}

#[tokio::test]
async fn a_fetch_that_the_page_broke_is_no_error_and_leaving_sends() {
    let setting = Setting::new();
    setting.event_capturing("It", &["item:text:required"], CLICK);
    let tag = setting.paste("it");
    let browser = Browser::start().await;
    for (at, broken) in [
        "() => { throw new Error('no') }",
        "() => undefined",
        "() => Promise.reject(new Error('no'))",
    ]
    .iter()
    .enumerate()
    {
        let path = format!("/{at}");
        setting.site.page(&path, &format!("{ERRORS}{tag}"), BUTTON);
        browser.open(&setting.site.url(&path)).await;
        browser.engine_is_up().await;
        browser.run(&format!("window.fetch = {broken}")).await;
        browser.click(".buy").await;
        // Past the moment in which the failure may be the leaving itself.
        browser.settle("await new Promise(next => setTimeout(next, 150))").await;
        assert_eq!(browser.run("return errors").await, json!([]), "{broken}");
        browser.open(&setting.site.url("/none")).await;
        assert_eq!(setting.server.events("it", at + 1).len(), at + 1, "{broken}");
    }
}

#[tokio::test]
async fn however_it_is_pasted_an_event_counts_once() {
    let setting = Setting::new();
    setting.event_capturing("It", &["item:text:required"], CLICK);
    let tag = setting.paste("it");
    let urls: Vec<&str> = tag.lines().map(|line| line.split('"').nth(1).unwrap()).collect();
    let manager = format!(
        "<script>{}.forEach(src => document.head.append(Object.assign(document.createElement('script'), {{ src }})))</script>",
        json!(urls)
    );
    let written = format!(
        "<script>document.write({})</script>",
        json!(tag).to_string().replace("</", "<\\/")
    );
    let frame = format!(
        "<iframe id=frame srcdoc='{}'></iframe>",
        format!("{tag}{BUTTON}").replace('\'', "&#39;")
    );
    let pages = [
        ("in the head", tag.clone(), BUTTON.to_owned()),
        ("at the end of the body", String::new(), format!("{BUTTON}{tag}")),
        ("twice", format!("{tag}{tag}"), format!("{BUTTON}{tag}")),
        ("the event before its engine", tag.lines().rev().collect(), BUTTON.to_owned()),
        ("with defer", tag.replace("async", "defer"), BUTTON.to_owned()),
        ("neither async nor defer", tag.replace("async", ""), BUTTON.to_owned()),
        ("by a tag manager", manager, BUTTON.to_owned()),
        ("by document.write", written, BUTTON.to_owned()),
        ("in a frame", String::new(), frame),
    ];
    let browser = Browser::start().await;
    for (at, (what, head, body)) in pages.iter().enumerate() {
        let path = format!("/{at}");
        setting.site.page(&path, &format!("{ERRORS}{head}"), body);
        browser.open(&setting.site.url(&path)).await;
        let clicked = "const page = document.querySelector('#frame')?.contentWindow || window;
            while (!page.beaconry?.s || page.beaconry.q.length) await new Promise(next => setTimeout(next, 10));
            page.document.querySelector('.buy').click(); return errors";
        assert_eq!(browser.settle(clicked).await, json!([]), "{what}");
        assert_eq!(setting.server.events("it", at + 1).len(), at + 1, "{what}");
    }
}

#[tokio::test]
async fn a_thousand_clicks_in_a_second_all_arrive_or_are_counted() {
    let setting = Setting::new();
    setting.event_capturing("It", &["item:text:required"], CLICK);
    setting.site.page("/", &(ERRORS.to_owned() + &setting.paste("it")), BUTTON);
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/")).await;
    browser.engine_is_up().await;
    let clicks = "const button = document.querySelector('.buy');
        for (let burst = 0; burst < 50; burst++) {
          for (let n = 0; n < 20; n++) button.click();
          await new Promise(next => setTimeout(next, 20));
        }
        return errors";
    assert_eq!(browser.settle(clicks).await, json!([]));
    let arrived = || {
        let metrics = beaconry_tests::get(&setting.server.collector, "/metrics", &[]).text();
        let count = |name: &str| {
            let line = metrics.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).unwrap_or_default()
        };
        count("beaconry_events_accepted_total") + count("beaconry_events_dropped_by_browsers_total")
    };
    beaconry_tests::eventually("a thousand events", || (arrived() >= 1_000).then_some(()));
}
