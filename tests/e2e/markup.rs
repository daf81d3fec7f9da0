//! Names, descriptions, values, addresses of pages and origins full of markup are text on every page of the console.

use beaconry_tests::{Browser, Person, beacon, event, event_id, post};
use serde_json::json;

use crate::setting::{Setting, run};

const MARKUP: &str = "<img src=x onerror=owned=1>\"'&amp;";

#[tokio::test]
async fn markup_from_outside_is_text_on_every_page() {
    let setting = Setting::new();
    let folder = setting.folder.path();
    run(
        folder,
        &["section", "create", &format!("Hotels {MARKUP}"), "--origin", "https://hotel.example"],
    );
    let name = format!("It {MARKUP}");
    let fields = tempfile::NamedTempFile::new().unwrap();
    let allowed =
        format!("[[field]]\nname = \"kind\"\ntype = \"text\"\nallowed = ['''{MARKUP}''']\n");
    std::fs::write(fields.path(), allowed).unwrap();
    run(
        folder,
        &[
            "event",
            "create",
            "--section",
            "Shop",
            "--category",
            "signals",
            "--name",
            &name,
            "--retention",
            "1y",
            "--description",
            MARKUP,
            "--field",
            "note:text",
            "--field",
            "n:number",
            "--file",
            fields.path().to_str().unwrap(),
        ],
    );
    let listed = setting.server.json(&["event", "list"]);
    let made =
        listed.as_array().unwrap().iter().find(|event| event["name"] == json!(name)).unwrap();
    let slug = made["slug"].as_str().unwrap();
    run(folder, &["tracking", "enable", slug]);
    let key = setting.key(slug);
    let page = format!("/events/{}", made["discriminator"].as_str().unwrap());
    let section = made["section"].as_str().unwrap();
    setting.session.post("/account/name", &[("name", MARKUP)]);
    let key_of = ["key", "create", MARKUP, "--section", section, "--keyspace", "email", "--read"];
    run(folder, &key_of);
    let topic = format!("{section} received {}", made["discriminator"].as_str().unwrap());
    let hook = [("name", MARKUP), ("url", "https://crm.example/in"), ("topic", topic.as_str())];
    let hook = [hook.as_slice(), &[("keyspace-email", "yes")]].concat();
    let hook = setting.session.post("/settings/webhooks", &hook);
    assert_eq!(hook.status, 200, "{}", hook.text());
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::at(&browser);
    let console = &setting.server.console;

    browser.open(&format!("{console}{page}/tracking")).await;
    person.reads("Waiting for the first beacon…").await;
    let send = |n, note: serde_json::Value| {
        let mut one =
            event(&event_id(n), &key, 1, json!({ "source": MARKUP, "note": note, "n": 1 }));
        one["url"] = json!(format!("{}/?{MARKUP}", setting.site.origin));
        let origin = format!("Origin: {}", setting.site.origin);
        post(&setting.server.collector, "/c", &[&origin], beacon(vec![one]).as_bytes())
    };
    assert_eq!(send(1, json!(MARKUP)).status, 204);
    person.reads("It works").await;
    person.reads(MARKUP).await;
    is_text(&browser).await;
    assert_eq!(send(2, json!({ MARKUP: 1 })).status, 200);
    person.reads("The values do not fit the fields").await;
    is_text(&browser).await;

    browser.open(&format!("{console}{page}/tracking")).await;
    person.presses("button", "Make a link").await;
    let link = person.reads_input("The link; it is shown only now").await;
    let data = setting.session.get(&format!("{page}/data")).text();
    let stored = data.split('"').find(|part| part.contains("/data/") && part.contains('.'));
    for below in [
        link.strip_prefix(console.as_str()).unwrap(),
        stored.expect("a stored event is linked"),
        "/quarantine/1",
        &format!("/sections/{section}/health"),
        "/settings/keys",
        "/settings/webhooks",
        "/",
        &page,
        &format!("{page}/edit"),
        &format!("{page}/hide"),
        &format!("{page}/versions"),
        &format!("{page}/capture"),
        &format!("/?q={}", "%3Cimg%20src%3Dx%3E"),
        &format!("{page}/data"),
        &format!("{page}/health"),
        &format!("{page}/why"),
        "/quarantine",
        "/settings",
        "/settings/people",
        "/settings/audit",
        &format!("/settings/audit?thing={}", "%3Cimg%20src%3Dx%3E"),
        "/settings/storage",
        "/account",
    ] {
        browser.open(&format!("{console}{below}")).await;
        person.reads("<img src=x").await;
        is_text(&browser).await;
    }
    browser.open(&format!("{console}/live")).await;
    person.reads("Connected").await;
    assert_eq!(send(3, json!(MARKUP)).status, 204);
    person.reads(&name).await;
    is_text(&browser).await;
}

/// The page has no picture that nobody put there, and nothing ran.
async fn is_text(browser: &Browser) {
    let found = browser.run("return [document.querySelectorAll('img').length, typeof owned]").await;
    assert_eq!(found, json!([0, "undefined"]));
}
