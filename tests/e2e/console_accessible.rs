//! Health, Live, Quarantine and Data under axe-core, with something in each, in light and dark, on a desk and on a phone.

use beaconry_tests::{Browser, Person, beacon, event, event_id, eventually, post};
use serde_json::{Value, json};

use crate::accessible::{LOOKS, barriers, look, obstacles};
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
    let browser = Browser::start().await;
    browser.come_in(&known.setting.session).await;
    let barriers = barriers(&browser, &known.setting, &pages).await;
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
    let data = setting.session.get(&format!("/events/{event}/data")).text();
    let stored = data.split('"').find(|part| part.contains("/data/") && part.contains('.'));
    let stored = stored.expect("a stored event is linked").to_owned();
    let rehearsal = setting.session.post("/quarantine/replays", &[("number", "1")]);
    let rehearsal = rehearsal.header("location").unwrap().to_owned();
    let mut pages = PAGES
        .map(|page| {
            page.replace("EVENT", &event).replace("OTHER", &other).replace("SECTION", &section)
        })
        .to_vec();
    pages.extend([stored, rehearsal]);
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let barriers = barriers(&browser, &setting, &pages).await;
    assert!(barriers.is_empty(), "{}", barriers.join("\n"));
}

#[tokio::test]
async fn nor_has_what_forms_answer_with() {
    let setting = Setting::new();
    let section = setting.server.json(&["section", "list"])[0]["id"].as_str().unwrap().to_owned();
    let console = &setting.server.console;
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::at(&browser);
    let mut found = Vec::new();
    for (scheme, device) in LOOKS {
        look(&browser, scheme, device).await;
        browser.open(&format!("{console}/sections/{section}/new/signals")).await;
        person.presses("button", "Only create").await;
        person.reads("Choose how long events are kept.").await;
        found.extend(obstacles(&browser).await);
        browser.open(&format!("{console}/settings/keys")).await;
        person.types("Name", "Shop's back end").await;
        person.presses("checkbox", "Shop").await;
        person.presses("checkbox", "Read profiles and their events").await;
        person.presses("button", "Make the key").await;
        person.reads("keyspaces").await;
        found.extend(obstacles(&browser).await);
        person.presses("checkbox", "Email").await;
        person.presses("button", "Make the key").await;
        person.reads("The secret is shown this once").await;
        found.extend(obstacles(&browser).await);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
