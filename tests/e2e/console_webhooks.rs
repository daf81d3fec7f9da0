//! Webhooks in the console: made by a form, looked at while the receiver fails, sent again, deleted; no page has a barrier.

use beaconry_tests::{
    Browser, Device, Person, Receiver, Server, Session, Site, beacon, event, event_id, eventually,
    post,
};
use serde_json::json;

use crate::accessible::violations;
use crate::setting::{Setting, run};

const PAGE: &str = "/settings/webhooks";

fn setting() -> Setting {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::start();
    run(folder.path(), &["section", "create", "Shop", "--origin", &site.origin]);
    let options =
        ["--webhooks-to-private-addresses", "--webhook-tries", "2", "--webhook-wait", "20"];
    let server = Server::start_with(folder.path(), &options);
    let session = Session::administrator(&server);
    Setting { server, site, folder, session }
}

fn send(setting: &Setting, key: &str, n: u64) {
    let data = json!({ "source": "Website", "n": n });
    let event = event(&event_id(n), key, 1, data);
    let answer = post(&setting.server.collector, "/c", &[], beacon(vec![event]).as_bytes());
    assert_eq!(answer.status, 204);
}

/// The address of the first webhook's page.
fn first(setting: &Setting) -> String {
    let page = setting.session.get(PAGE).text();
    let at = page.find("/settings/webhooks/com.beaconry.").expect("there is one");
    page[at..].split('"').next().unwrap().to_owned()
}

#[test]
fn a_webhook_is_made_by_a_form_and_says_how_it_does() {
    let setting = setting();
    let key = setting.event("Order placed", &["n:number:required"]);
    let shown = setting.server.json(&["event", "show", "order-placed"]);
    let section = setting.server.json(&["section", "list"])[0]["id"].as_str().unwrap().to_owned();
    let named = shown["discriminator"].as_str().unwrap().to_owned();
    let topic = format!("{section} received {named}");
    let receiver = Receiver::start();
    let form = |url: &str, versions: &str| {
        let fields = [
            ("name", "CRM"),
            ("url", url),
            ("topic", &topic),
            ("versions", versions),
            ("keyspace-email", "yes"),
        ];
        setting.session.post(PAGE, &fields)
    };
    for (url, versions, place, words) in [
        ("ftp://crm.example/", "", "error-url", "begins with https"),
        (receiver.url.as_str(), "two", "error-versions", "numbers of versions"),
        (receiver.url.as_str(), "7", "error-topics", "has no version 7"),
    ] {
        let refused = form(url, versions);
        assert_eq!(refused.status, 422, "{url} {versions}");
        let text = refused.text();
        let error = text.split(&format!("id=\"{place}\"")).nth(1).unwrap_or_default();
        let error = error.split("</p>").next().unwrap_or_default();
        assert!(error.contains(words), "{url} {versions}: {error}");
        assert!(text.contains(&format!("value=\"{topic}\" checked")), "what was ticked stays so");
    }
    let none = setting
        .session
        .post(PAGE, &[("name", "CRM"), ("url", &receiver.url), ("keyspace-email", "yes")]);
    assert!(none.status == 422 && none.text().contains("at least one event or segment"));

    let made = form(&receiver.url, "1").text();
    let secret = made.split("whsec_").nth(1).expect("the secret is shown once");
    let secret = format!("whsec_{}", secret.split('"').next().unwrap());
    assert!(!setting.session.get(PAGE).text().contains("whsec_"));
    let hide = setting.session.get(&format!("/events/{named}/hide")).text();
    assert!(hide.contains("<strong>CRM</strong>"), "hiding the event names the webhook");

    send(&setting, &key, 1);
    assert!(receiver.wait_taken(1)[0].signed_by(&secret).0);
    receiver.answer_with(503);
    send(&setting, &key, 2);
    let page = first(&setting);
    let failing = eventually("it is given up", || {
        let text = setting.session.get(&page).text();
        text.contains("Send all again").then_some(text)
    });
    for words in
        ["Failing", "it answered 503", "event.received", "Order placed received, version 1"]
    {
        assert!(failing.contains(words), "{words}");
    }
    assert!(setting.session.get(PAGE).text().contains(">failing</span>"));
    receiver.answer_with(204);
    assert_eq!(setting.session.post(&format!("{page}/resend"), &[]).status, 303);
    receiver.wait_taken(2);
    eventually("nothing is left", || {
        setting.session.get(&page).text().contains("Nothing was given up").then_some(())
    });
    assert_eq!(setting.session.post(&format!("{page}/delete"), &[]).status, 303);
    assert!(setting.session.get(PAGE).text().contains("No webhook yet"));
    let audit = setting.session.get("/settings/audit").text();
    for words in ["made the webhook", "sent again what was given up of", "deleted the webhook"] {
        assert!(audit.contains(words), "{words}");
    }
}

#[tokio::test]
async fn no_page_of_webhooks_has_a_barrier() {
    let setting = setting();
    let key = setting.event("Order placed", &["n:number:required"]);
    let shown = setting.server.json(&["event", "show", "order-placed"]);
    let section = setting.server.json(&["section", "list"])[0]["id"].as_str().unwrap().to_owned();
    let topic = format!("{section} received {}", shown["discriminator"].as_str().unwrap());
    let receiver = Receiver::start();
    receiver.answer_with(500);
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let mut pages = vec![PAGE.to_owned()];
    let mut barriers = Vec::new();
    for (round, (scheme, device)) in
        [("light", Device::DESKTOP), ("dark", Device::PHONE)].into_iter().enumerate()
    {
        Person::with(&browser, device).await;
        browser.scheme(scheme).await;
        for page in &pages {
            browser.open(&format!("{}{page}", setting.server.console)).await;
            let found = violations(&browser).await;
            barriers.extend(found.into_iter().map(|why| format!("{scheme} {page}: {why}")));
            let wider = browser
                .run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
                .await;
            if wider.as_i64() > Some(0) {
                barriers.push(format!("{scheme} {page}: {wider} pixels wider than the window"));
            }
        }
        if round == 0 {
            let fields = [
                ("name", "CRM"),
                ("url", &*receiver.url),
                ("topic", &*topic),
                ("keyspace-email", "yes"),
            ];
            assert_eq!(setting.session.post(PAGE, &fields).status, 200);
            pages.push(first(&setting));
            send(&setting, &key, 1);
            eventually("it is given up", || {
                setting.session.get(&pages[1]).text().contains("Send all again").then_some(())
            });
        }
    }
    assert!(barriers.is_empty(), "{}", barriers.join("\n"));
}
