//! Health, Live, Quarantine and Data under axe-core, with something in each, in light and dark, on a desk and on a phone.

use beaconry_tests::{Browser, Device, Person, beacon, event, event_id, eventually, post};
use serde_json::{Value, json};

use crate::accessible::violations;
use crate::console_profiles::known;
use crate::setting::{Setting, run};

const PAGES: [&str; 14] = [
    "/sections/SECTION/health",
    "/events/EVENT/health",
    "/events/EVENT/health?span=month",
    "/events/EVENT/why",
    "/events/EVENT/data",
    "/events/EVENT/data?field=n&op=at-least&value=1",
    "/events/EVENT/data?field=n&value=99",
    "/events/EVENT/data?to=nonsense",
    "/events/OTHER/data",
    "/quarantine",
    "/quarantine?event=EVENT&reason=invalid_fields",
    "/quarantine?event=OTHER",
    "/quarantine/1",
    "/live?event=EVENT",
];

const PEOPLE_PAGES: [&str; 10] = [
    "/profiles",
    "PROFILE",
    "PROFILE?before=0.0",
    "PROFILE/erase",
    "/segments",
    "/segments/new/SECTION",
    "/segments/SEGMENT",
    "/segments/SEGMENT/members",
    "/segments/SEGMENT/delete",
    "/segments/TEXT",
];

#[tokio::test]
async fn no_page_on_people_has_a_barrier() {
    let known = known("Ada");
    let asks = json!({ "all": [
        { "event": { "event": known.event, "versions": [1], "period": { "last_days": 30 }, "where": [
            { "field": "total", "above": 1 }, { "field": "gone", "one_of": ["a", "b"] } ] } },
        { "any": [
            { "not": { "attribute": { "attribute": "com.beaconry.attributes.city", "exists": true } } },
            { "consent": { "channel": "email", "list": known.list, "topic": known.topic, "is": ["opt-in"] } } ] } ] });
    let made = |name: &str, asks: &Value| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), asks.to_string()).unwrap();
        let path = file.path().to_str().unwrap();
        let folder = known.setting.folder.path();
        run(folder, &["segment", "create", name, "--section", "Shop", "--file", path]);
        let all = known.setting.server.json(&["segment", "list"]);
        let made = all.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
        made["discriminator"].as_str().unwrap().to_owned()
    };
    let (segment, text) = (made("All", &asks), made("Text", &json!({ "not": { "not": asks } })));
    eventually("the server notices the segments", || {
        (known.setting.session.get(&format!("/segments/{text}")).status == 200).then_some(())
    });
    let pages = PEOPLE_PAGES.map(|page| {
        page.replace("PROFILE", &known.page)
            .replace("SECTION", &known.section)
            .replace("SEGMENT", &segment)
            .replace("TEXT", &text)
    });
    let barriers = barriers(&known.setting, &pages).await;
    assert!(barriers.is_empty(), "{}", barriers.join("\n"));
}

#[tokio::test]
async fn no_page_on_arrivals_has_a_barrier() {
    let setting = Setting::new();
    let key = setting.event("Order placed", &["n:number:required"]);
    setting.event("Booking made", &["n:number"]);
    let server = &setting.server;
    let events = (0..3).map(|n| {
        let value = if n == 2 { json!("two") } else { json!(n) };
        event(&event_id(n), &key, 1, json!({ "source": "Website", "n": value }))
    });
    post(&server.collector, "/c", &[], beacon(events.collect()).as_bytes());
    let address = |slug: &str| {
        let shown = server.json(&["event", "show", slug]);
        shown["discriminator"].as_str().unwrap().to_owned()
    };
    let (event, other) = (address("order-placed"), address("booking-made"));
    let section = server.json(&["section", "list"])[0]["id"].as_str().unwrap().to_owned();
    let pages = PAGES.map(|page| {
        page.replace("EVENT", &event).replace("OTHER", &other).replace("SECTION", &section)
    });
    let barriers = barriers(&setting, &pages).await;
    assert!(barriers.is_empty(), "{}", barriers.join("\n"));
}

/// What keeps somebody out of these pages, in light on a desk and in dark on a phone.
async fn barriers(setting: &Setting, pages: &[String]) -> Vec<String> {
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let mut barriers = Vec::new();
    for (scheme, device) in [("light", Device::DESKTOP), ("dark", Device::PHONE)] {
        Person::with(&browser, device).await;
        browser.scheme(scheme).await;
        for page in pages {
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
    }
    barriers
}
