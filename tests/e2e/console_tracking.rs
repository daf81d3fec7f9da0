//! Web tracking in the console: on, off and anew, whether it works, what refuses beacons and how that is mended, and the
//! link for a developer.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use beaconry_tests::{
    Browser, Device, Person, Server, Session, Site, beacon, beaconry, event, event_id, eventually,
    get, post,
};
use serde_json::{Value, json};

use crate::setting::{Setting, create, run};

/// A setting, and a browser in which its administrator is logged in.
async fn come_in() -> (Setting, Browser) {
    let (setting, browser) = (Setting::new(), Browser::start().await);
    browser.come_in(&setting.session).await;
    (setting, browser)
}

fn path(setting: &Setting, slug: &str) -> String {
    let shown = setting.server.json(&["event", "show", slug]);
    format!("/events/{}", shown["discriminator"].as_str().unwrap())
}

/// Sends a beacon as a page of this origin would.
fn send(setting: &Setting, n: u64, key: &str, ver: u32, data: Value, origin: &str) {
    let mut one = event(&event_id(n), key, ver, data);
    one["url"] = json!(format!("{origin}/a-page"));
    let answer = post(
        &setting.server.collector,
        "/c",
        &[&format!("Origin: {origin}")],
        beacon(vec![one]).as_bytes(),
    );
    assert!([200, 204].contains(&answer.status), "{}", answer.text());
}

#[tokio::test]
async fn tracking_is_switched_on_anew_and_off_on_every_device() {
    for device in [Device::DESKTOP, Device::PHONE, Device::NO_SCRIPTS] {
        let (setting, browser) = come_in().await;
        setting.event("Order placed", &["orderid:text"]);
        let person = Person::with(&browser, device).await;
        browser.open(&(setting.server.console.clone() + &path(&setting, "order-placed"))).await;
        person.presses("link", "Web tracking").await;
        person.reads("Beacons of every pasted snippet are refused from then on.").await;
        person.presses("button", "Disable web tracking").await;
        person.reads("Snippets of version 1 that are pasted already work again at once").await;
        assert_eq!(
            setting.server.json(&["tracking", "status", "order-placed"])["enabled"],
            json!(false)
        );
        person.presses("button", "Enable web tracking").await;
        let paste = format!("Into the head of every page of {}", setting.site.origin);
        assert_eq!(person.reads_input(&paste).await, setting.paste("order-placed"));

        person.presses("link", "Triggers and values").await;
        person.presses("button", "Add a trigger").await;
        person.types("CSS selector", ".buy").await;
        person.chooses("Action", "Form submit").await;
        if !device.scripts {
            person.presses("button", "Show what changed choices ask for").await;
        }
        person.types("CSS selector of the form", "#checkout").await;
        person.presses("button", "Only save").await;
        person.reads("It still works; regenerate it, and paste the new code.").await;
        person.reads("the same version with older triggers and values").await;
        person.presses("radio", "Accept until the new snippet has been seen, then reject").await;
        person.presses("button", "Regenerate the snippet").await;
        person.reads("The pasted snippet is up to date.").await;
        let status = setting.server.json(&["tracking", "status", "order-placed"]);
        assert_eq!(
            (&status["pinned"], &status["stale"]),
            (&json!(1), &json!("until-new-seen")),
            "{status}"
        );
        assert_ne!(person.reads_input(&paste).await, "", "the new code");
        person.presses("radio", "Accept for good").await;
        person.presses("button", "Save only this choice").await;
        person.reads("The pasted snippet is up to date.").await;
        keeps(&setting, "accept");
        person.presses("radio", "Accept for 24 more hours, then reject").await;
        person.types("Hours", "48").await;
        person.presses("button", "Save only this choice").await;
        keeps(&setting, "reject-after:48");
    }
}

/// The choice for old snippets is kept.
fn keeps(setting: &Setting, stale: &str) {
    eventually("the choice is kept", || {
        let status = setting.server.json(&["tracking", "status", "order-placed"]);
        (status["stale"] == json!(stale)).then_some(())
    });
}

#[tokio::test]
async fn while_a_version_is_pending_the_snippet_is_scheduled_or_not_on_every_device() {
    let (setting, browser) = come_in().await;
    setting.event("Order placed", &["orderid:text"]);
    create(setting.folder.path(), "Booking made", &["bookingid:text"], None);
    let pages = ["order-placed", "booking-made"].map(|slug| {
        run(setting.folder.path(), &["event", "edit", slug, "--add-field", "note:text"]);
        let page = path(&setting, slug) + "/tracking";
        eventually("the server notices the edit", || {
            setting.session.get(&page).text().contains("when the new version").then_some(())
        });
        page
    });
    let asks = [
        (
            "order-placed",
            "regenerate",
            "Regenerate when the new version is current",
            "Do not regenerate",
        ),
        ("booking-made", "enable", "Enable when the new version is current", "Do not enable"),
    ];
    for device in [Device::DESKTOP, Device::PHONE, Device::NO_SCRIPTS] {
        let person = Person::with(&browser, device).await;
        for ((slug, what, schedule, drop), page) in asks.iter().zip(&pages) {
            browser.open(&(setting.server.console.clone() + page)).await;
            let before = setting.server.json(&["tracking", "status", slug]);
            assert_eq!(before["scheduled"], Value::Null);
            person.presses("button", schedule).await;
            person
                .reads("Scheduled: a new snippet is made the moment the pending version becomes current")
                .await;
            assert!(!person.has("button", schedule).await, "it is scheduled already");
            let status = setting.server.json(&["tracking", "status", slug]);
            assert_eq!(status["scheduled"], json!(what), "{status}");
            // What is scheduled can be dropped, and nothing else changes by it.
            person.presses("button", drop).await;
            person.finds("button", schedule).await;
            assert_eq!(setting.server.json(&["tracking", "status", slug]), before);
        }
    }
    let again = setting.session.post(&pages[0].replace("/tracking", "/tracking/unschedule"), &[]);
    assert!(
        again.status == 409 && again.text().contains("nothing is scheduled"),
        "{}",
        again.text()
    );
}

#[tokio::test]
async fn a_refused_origin_is_allowed_and_the_next_beacon_works() {
    let (setting, browser) = come_in().await;
    let key = setting.event("Order placed", &["orderid:text"]);
    let page = path(&setting, "order-placed") + "/tracking";
    let person = Person::at(&browser);
    browser.open(&(setting.server.console.clone() + &page)).await;
    person.reads("Waiting for the first beacon…").await;
    watched(&browser).await;
    let elsewhere = Site::start().origin;
    let data = json!({ "source": "Website", "orderid": "1" });
    send(&setting, 1, &key, 1, data.clone(), &elsewhere);
    person.reads("That web site may not send yet").await;
    person.presses("button", &format!("Allow this origin: {elsewhere}")).await;
    person.reads("Waiting for the first beacon…").await;
    watched(&browser).await;
    send(&setting, 2, &key, 1, data, &elsewhere);
    person.reads("It works").await;
    person.reads(&format!("from {elsewhere}/a-page")).await;
}

#[tokio::test]
async fn an_origin_that_was_refused_while_nobody_looked_can_be_allowed_too() {
    let (setting, browser) = come_in().await;
    let key = setting.event("Order placed", &["orderid:text"]);
    let page = path(&setting, "order-placed") + "/tracking";
    let elsewhere = Site::start().origin;
    send(&setting, 1, &key, 1, json!({ "source": "Website", "orderid": "1" }), &elsewhere);
    eventually("the refusal is counted", || {
        setting.session.get(&page).text().contains("may not send yet").then_some(())
    });
    let person = Person::with(&browser, Device::NO_SCRIPTS).await;
    browser.open(&(setting.server.console.clone() + &page)).await;
    person.reads(&format!("the section does not allow {elsewhere}.")).await;
    // The same by the stream, for a page that was made before it was counted.
    let status = format!("{}/tracking/status?since=0", path(&setting, "order-placed"));
    assert!(first_message(&setting, &status).contains(&format!("Allow this origin: {elsewhere}")));
    person.presses("button", &format!("Allow this origin: {elsewhere}")).await;
    person.reads("Waiting for the first beacon…").await;
    send(&setting, 2, &key, 1, json!({ "source": "Website", "orderid": "2" }), &elsewhere);
    person.presses("link", "Look again").await;
    person.reads("It works").await;
}

/// What a stream says first.
fn first_message(setting: &Setting, path: &str) -> String {
    let address = setting.server.console.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let cookie = &setting.session.cookie;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\n\r\n").unwrap();
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let lines = lines.skip_while(|line| !line.starts_with("event:"));
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn only_an_origin_that_was_refused_can_be_allowed_from_an_event() {
    let setting = Setting::new();
    let key = setting.event("Order placed", &["orderid:text"]);
    let marketer = Session::of_role(&setting.server, "marketer");
    let allow = |origin: &str| {
        let to = path(&setting, "order-placed") + "/tracking/origin";
        marketer.post(&to, &[("origin", origin)])
    };
    let allowed = || setting.server.json(&["section", "list"])[0]["origins"].clone();
    let never = allow("https://evil.example");
    assert!(never.status == 409 && never.text().contains("nothing to allow"), "{}", never.text());
    assert_eq!(allow("null").status, 409, "a sandboxed page");
    assert_eq!(allowed(), json!([setting.site.origin]));
    // At once, although it is counted only within a second.
    let data = json!({ "source": "Website", "orderid": "1" });
    send(&setting, 1, &key, 1, data, "https://other.example");
    assert_eq!(allow("https://other.example").status, 303);
    assert_eq!(allow("https://other.example").status, 303, "a second click");
    assert_eq!(allowed(), json!([setting.site.origin, "https://other.example"]));
}

/// Waits until the server tells this page what arrives: streams that a browser opens are answered in order.
async fn watched(browser: &Browser) {
    browser
        .settle(
            "await new Promise(next => { const probe = new EventSource(document.querySelector('#status').dataset.status);
                 probe.onopen = () => { probe.close(); next(); }; })",
        )
        .await;
}

#[tokio::test]
async fn what_refuses_a_beacon_is_said_with_how_to_mend_it() {
    let (setting, browser) = come_in().await;
    let key = setting.event("Order placed", &["orderid:number"]);
    let page = path(&setting, "order-placed") + "/tracking";
    let person = Person::at(&browser);
    let good = json!({ "source": "Website", "orderid": 1 });
    browser.open(&(setting.server.console.clone() + &page)).await;
    watched(&browser).await;

    send(
        &setting,
        1,
        &key,
        1,
        json!({ "source": "Website", "orderid": "x" }),
        &setting.site.origin,
    );
    person.reads("The values do not fit the fields").await;
    person.reads("got the text \"x\"").await;
    send(&setting, 2, &key, 7, good.clone(), &setting.site.origin);
    person.reads("That version was never published").await;
    person.reads("put the code from this page in its place").await;
    send(&setting, 3, &key, 1, good.clone(), &setting.site.origin);
    person.reads("It works").await;
    // What came while nobody looked is there when the page is opened.
    browser.open(&(setting.server.console.clone() + &page)).await;
    person.reads("It works").await;

    person.presses("button", "Disable web tracking").await;
    person.reads("Web tracking is off.").await;
    watched(&browser).await;
    send(&setting, 4, &key, 1, good, &setting.site.origin);
    person.reads("Web tracking is off, and a tag is still on a page").await;
    person.reads("Left where it is, it does no harm.").await;
}

#[tokio::test]
async fn a_page_that_still_carries_the_old_snippet_is_named() {
    let (folder, site) = (tempfile::tempdir().unwrap(), Site::start());
    let two_hours_ago: [&[&str]; 4] = [
        &["section", "create", "Shop", "--origin", &site.origin],
        &[
            "event",
            "create",
            "--category",
            "transactions",
            "--name",
            "Order placed",
            "--retention",
            "2y",
        ],
        &["tracking", "enable", "order-placed"],
        &["event", "edit", "order-placed", "--add-field", "note:text"],
    ];
    for arguments in two_hours_ago {
        let run = beaconry(folder.path(), -120, arguments);
        assert_eq!(run.code, 0, "{run:?}");
    }
    let server = Server::start(folder.path());
    let session = Session::administrator(&server);
    let setting = Setting { server, site, folder, session };
    let (key, browser) = (setting.key("order-placed"), Browser::start().await);
    browser.come_in(&setting.session).await;
    let person = Person::at(&browser);
    browser
        .open(&(setting.server.console.clone() + &path(&setting, "order-placed") + "/tracking"))
        .await;
    person.reads("It still works; regenerate it, and paste the new code.").await;
    person
        .reads("Snippets that are pasted now carry version 1. From then on their beacons are stale")
        .await;
    person.presses("button", "Regenerate the snippet").await;
    person.reads("The pasted snippet is up to date.").await;
    watched(&browser).await;
    send(&setting, 1, &key, 1, json!({ "source": "Website" }), &setting.site.origin);
    person.reads("An older snippet is pasted there").await;
    person.reads(&format!("from {}/a-page", setting.site.origin)).await;
    send(&setting, 2, &key, 2, json!({ "source": "Website" }), &setting.site.origin);
    person.reads("It works").await;
    browser.open(&setting.server.console).await;
    person.reads("50% stale").await;
}

#[tokio::test]
async fn the_code_for_a_tag_manager_sends_what_the_code_to_paste_does() {
    let (setting, browser) = come_in().await;
    setting.event("It", &["n:number"]);
    browser.open(&(setting.server.console.clone() + &path(&setting, "it") + "/tracking")).await;
    let code = browser.run("return document.querySelector('#gtm').textContent").await;
    let code = code.as_str().unwrap();
    assert_eq!(code.matches("sha256-").count(), 2, "both are checked: {code}");
    setting.site.page("/", code, "");
    browser.open(&setting.site.url("/")).await;
    browser.engine_is_up().await;
    let answer = browser.settle("return await beaconry.track('it', { n: 1 })").await;
    assert_eq!(answer, json!({ "ok": true }));
    assert_eq!(setting.server.events("it", 1)[0]["unchecked"], json!(false));
}

#[tokio::test]
async fn events_that_came_unchecked_say_what_the_policy_lacks() {
    let (setting, browser) = come_in().await;
    setting.event("It", &["n:number"]);
    let policy = format!(
        "Content-Security-Policy: script-src {0}; connect-src {0}\r\n",
        setting.server.collector
    );
    setting.site.page_with("/", &policy, &setting.paste("it"), "");
    browser.open(&(setting.server.console.clone() + &path(&setting, "it") + "/tracking")).await;
    let (person, console) = (Person::at(&browser), browser.tab().await);
    watched(&browser).await;
    browser.new_tab().await;
    browser.open(&setting.site.url("/")).await;
    browser.settle("while (!window.beaconry) await new Promise(next => setTimeout(next)); await beaconry.track('it', { n: 1 })").await;
    browser.go_to_tab(console).await;
    person.reads("It works").await;
    person.reads("add 'wasm-unsafe-eval' to its script-src").await;
}

#[tokio::test]
async fn a_developer_gets_a_link_to_the_code_and_nothing_else() {
    for device in [Device::DESKTOP, Device::PHONE, Device::NO_SCRIPTS] {
        let (setting, browser) = come_in().await;
        setting.event("Order placed", &["orderid:text", "total:decimal"]);
        let page = path(&setting, "order-placed") + "/tracking";
        let person = Person::with(&browser, device).await;
        browser.open(&(setting.server.console.clone() + &page)).await;
        person.presses("button", "Make a link").await;
        let link = person.reads_input("The link; it is shown only now").await;
        assert!(link.starts_with(&format!("{}/share/", setting.server.console)), "{link}");
        assert!(!setting.session.get(&page).text().contains(&link), "it is shown again");

        browser.open(&link).await;
        person.finds("heading", "Code to paste for “Order placed”").await;
        let paste = person.reads_input("1. Paste this into the head of every page").await;
        assert_eq!(paste, setting.paste("order-placed"));
        person.reads("beaconry.track(\"order-placed\", { orderid: 'text', total: 1299.5 });").await;
        assert!(!person.has("navigation", "Main").await && !person.has("link", "Data model").await);
        let path = link.strip_prefix(&setting.server.console).unwrap().to_owned();
        let answer = get(&setting.server.console, &path, &[]);
        assert_eq!(
            (answer.header("cache-control"), answer.header("referrer-policy")),
            (Some("no-store"), Some("no-referrer"))
        );

        browser.open(&(setting.server.console.clone() + &page)).await;
        person.presses("button", "End it now: link 1, made by administrator@example.com").await;
        person.reads("Make a link").await;
        eventually("the link has ended", || {
            (get(&setting.server.console, &path, &[]).status == 404).then_some(())
        });
    }
}
