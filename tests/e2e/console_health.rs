//! Health of events and sections, and *Why don't I see my event?*, with beacons of every fate.

use beaconry_tests::{
    Browser, Device, Form, Person, Server, Session, beacon, event, event_id, post,
};
use serde_json::{Value, json};

use crate::accessible::violations;
use crate::setting::{Setting, edited, run};

fn discriminator(server: &Server, slug: &str) -> String {
    server.json(&["event", "show", slug])["discriminator"].as_str().unwrap().to_owned()
}

fn send(server: &Server, key: &str, n: u64, ver: u32, data: Value, origin: &str) {
    let mut one = event(&event_id(n), key, ver, data);
    one["url"] = json!(format!("{origin}/basket?user=secret"));
    post(&server.collector, "/c", &[&format!("Origin: {origin}")], beacon(vec![one]).as_bytes());
}

#[tokio::test]
async fn health_says_what_arrived_and_why_the_rest_did_not() {
    let setting = Setting::new();
    let key = setting.event("Order placed", &["total:number:required"]);
    let (server, site) = (&setting.server, &setting.site.origin);
    let data = |total: Value| json!({ "source": "Website", "total": total });
    send(server, &key, 1, 1, data(json!(1)), site);
    send(server, &key, 2, 1, data(json!("two")), site);
    send(server, &key, 3, 1, data(json!("three")), site);
    send(server, &key, 4, 9, data(json!(4)), site);
    send(server, &key, 5, 1, data(json!(5)), "https://other.example");
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::with(&browser, Device::DESKTOP).await;
    let to = format!("{}/events/{}", server.console, discriminator(server, "order-placed"));
    // Refused beacons are counted within a second or so.
    beaconry_tests::eventually("the refusal is counted", || {
        setting
            .session
            .get(&format!("{}/health", &to[server.console.len()..]))
            .text()
            .contains("other.example")
            .then_some(())
    });
    browser.open(&to).await;
    person.presses("link", "Health").await;
    person.reads("Accepted 1 Invalid 2 Stale 0 Refused 1").await;
    let chart = "Arrivals in 24 hours: 1 accepted, 2 invalid, 1 otherwise in quarantine, 1 refused; at most 5 in one bar of hour";
    assert!(person.has("image", chart).await || person.has("img", chart).await);
    person.reads("total is not of the field's type 1 2").await;
    person.reads("From a version that was never published (in quarantine): 1").await;
    person.presses("link", "30 days").await;
    person.reads("What arrived in 30 days").await;
    person.presses("button", "Allow https://other.example").await;
    let section = beaconry_tests::eventually("the origin is allowed", || {
        let section = server.json(&["section", "list"]);
        section[0]["origins"].to_string().contains("https://other.example").then_some(section)
    });

    let section = section[0]["id"].as_str().unwrap();
    browser.open(&format!("{}/sections/{section}/health", server.console)).await;
    person.reads("Order placed").await;
    person.reads("1 2 0 1 0").await;
}

#[tokio::test]
async fn pages_with_an_old_snippet_are_named_without_their_query() {
    let edit = ["--add-field", "note:text"];
    let folder = edited("Order placed", "order-placed", "n:number", &edit);
    run(folder.path(), &["tracking", "regenerate", "order-placed"]);
    let server = Server::start(folder.path());
    let session = Session::administrator(&server);
    let shown = server.json(&["event", "show", "order-placed"]);
    let (key, discriminator) =
        (shown["key"].as_str().unwrap(), shown["discriminator"].as_str().unwrap());
    send(&server, key, 1, 1, json!({ "source": "Website" }), "https://shop.example");
    let health = beaconry_tests::eventually("the page is listed", || {
        let health = session.get(&format!("/events/{discriminator}/health")).text();
        health.contains("https://shop.example/basket").then_some(health)
    });
    assert!(!health.contains("secret"), "the query is not kept");
    let why = session.get(&format!("/events/{discriminator}/why")).text();
    assert!(why.contains("1 beacon was sent by an older snippet"), "{why}");
    run(folder.path(), &["tracking", "disable", "order-placed"]);
    beaconry_tests::eventually("it is listed also where tracking is off", || {
        let health = session.get(&format!("/events/{discriminator}/health")).text();
        (health.contains("https://shop.example/basket") && health.contains("Take the tag out"))
            .then_some(())
    });
}

#[tokio::test]
async fn what_came_unchecked_is_in_the_picture_and_in_each_versions_table() {
    let setting = Setting::new();
    let key = setting.event("Order placed", &["total:number:required"]);
    let server = &setting.server;
    for (n, unchecked) in [(1, true), (2, false)] {
        let one = event(&event_id(n), &key, 1, json!({ "source": "Website", "total": n }));
        let mut body: Value = serde_json::from_str(&beacon(vec![one])).unwrap();
        body["unchecked"] = json!(unchecked);
        let answer = post(&server.collector, "/c", &[], body.to_string().as_bytes());
        assert_eq!(answer.status, 204, "{}", answer.text());
    }
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::with(&browser, Device::DESKTOP).await;
    let health =
        format!("{}/events/{}/health", server.console, discriminator(server, "order-placed"));
    browser.open(&health).await;
    let chart =
        "Arrivals in 24 hours: 2 accepted (1 of them unchecked); at most 2 in one bar of hour";
    assert!(person.has("image", chart).await || person.has("img", chart).await);
    browser.click(".by-version summary").await;
    let row = "return [...document.querySelector('.by-version tbody tr').cells].slice(1).map(cell => cell.textContent).join(' ')";
    assert_eq!(browser.run(row).await, json!("2 0 0 0 0 1"));
}

#[test]
fn why_leads_nobody_where_they_may_not_go() {
    let setting = Setting::new();
    // A section that names no web site is a check with a link, for administrators.
    let shop = setting.server.json(&["section", "list"])[0]["id"].as_str().unwrap().to_owned();
    let bare = [("name", "Shop"), ("origins", "")];
    assert_eq!(setting.session.post(&format!("/sections/{shop}"), &bare).status, 303);
    let new = ["event", "create", "--category", "signals", "--retention", "1y"];
    for name in ["Seen", "Gone"] {
        run(setting.folder.path(), &[new.as_slice(), &["--name", name]].concat());
    }
    let pages =
        ["seen", "gone"].map(|slug| format!("/events/{}", discriminator(&setting.server, slug)));
    run(setting.folder.path(), &["event", "hide", "gone", "--yes"]);
    beaconry_tests::eventually("the event is hidden", || {
        let page = setting.session.get(&format!("{}/why", pages[1])).text();
        page.contains("It was hidden at").then_some(())
    });
    // Outside systems may not do everything with it, so this is a check with a link too.
    let page = setting.session.get(&format!("{}/edit", pages[0])).text();
    let form = Form::on(&page, "editor");
    let without = form.pairs().into_iter().filter(|(name, _)| *name != "write-email");
    let pairs: Vec<_> = without.chain([("do", "save")]).collect();
    assert_eq!(setting.session.post(&format!("{}/edit", pages[0]), &pairs).status, 303);

    for role in ["viewer", "marketer", "administrator"] {
        let session = Session::of_role(&setting.server, role);
        let checks = pages.each_ref().map(|page| session.get(&format!("{page}/why")).text());
        let checks =
            checks.map(|page| page[page.find("aria-label=\"Checks\"").unwrap()..].to_owned());
        for link in checks.iter().flat_map(|page| page.split("href=\"").skip(1)) {
            let path = link.split(['"', '#']).next().unwrap();
            assert_ne!(session.get(path).status, 403, "{role}: {path}");
        }
        let [seen, gone] = &checks;
        let (section, edit) =
            (seen.contains("Section settings</a>"), seen.contains("Edit the event</a>"));
        assert_eq!((section, edit), (role == "administrator", role != "viewer"), "{role}");
        assert_eq!(gone.contains("New event</a>"), role != "viewer", "{role}");
        assert_eq!(seen.contains("Ask an administrator to do it."), role != "administrator");
        assert_eq!(gone.contains("Ask a marketer or an administrator to do it."), role == "viewer");
    }
}

#[tokio::test]
async fn why_answers_in_order_and_says_what_to_do() {
    let setting = Setting::new();
    let key = setting.event("Order placed", &["total:number:required"]);
    let server = &setting.server;
    let discriminator = discriminator(server, "order-placed");
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::with(&browser, Device::PHONE).await;
    let why = format!("{}/events/{discriminator}/why", server.console);
    browser.open(&why).await;
    person.reads("In short: No beacon has reached the collector").await;
    let page = person.page().await;
    let order = [
        "Section",
        "Saved",
        "Pending",
        "Tracking",
        "Origin",
        "Stale",
        "Invalid",
        "Quarantine",
        "Allowed operations",
        "Hidden",
    ];
    let mut after = page.find("✓").unwrap();
    for thing in order {
        let at = page[after..].find(thing).unwrap_or_else(|| panic!("{thing} in {page}"));
        after += at;
    }
    assert_eq!(violations(&browser).await, Vec::<String>::new());

    send(server, &key, 1, 1, json!({ "source": "Website", "total": 1 }), &setting.site.origin);
    browser.open(&why).await;
    person.reads("In short: Events arrive").await;
    send(server, &key, 2, 1, json!({ "source": "Website", "total": "two" }), &setting.site.origin);
    browser.open(&why).await;
    person.reads("1 were stored and 1 turned away").await;
    person.reads("total (is not of the field's type)").await;
    person.presses("link", "Open the quarantine").await;
    person.reads("Order placed: 1 in quarantine").await;

    run(setting.folder.path(), &["tracking", "disable", "order-placed"]);
    beaconry_tests::eventually("tracking is off", || {
        setting
            .session
            .get(&format!("/events/{discriminator}/why"))
            .text()
            .contains("Tracking: Web tracking is off")
            .then_some(())
    });
    run(setting.folder.path(), &["event", "hide", "order-placed", "--yes"]);
    beaconry_tests::eventually("the event is hidden", || {
        let why = setting.session.get(&format!("/events/{discriminator}/why")).text();
        (why.contains("It was hidden at") && why.contains("Create a new event")).then_some(())
    });
    assert_eq!(setting.session.get(&format!("/events/{discriminator}/health")).status, 404);
}
