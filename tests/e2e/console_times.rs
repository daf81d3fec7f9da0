//! Times in the console are those of the reader's time zone, wherever that is, and the exact ones can be had without a mouse.

use beaconry_tests::{Browser, Device, Person, beacon, event, event_id, eventually, post};
use serde_json::json;

use crate::setting::{Setting, create, run};

/// A browser of somebody in Tokyo, nine hours before UTC, who is logged in.
async fn in_tokyo(setting: &Setting) -> Browser {
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let zone = json!({ "timezoneId": "Asia/Tokyo" });
    browser.devtools("Emulation.setTimezoneOverride", zone).await;
    browser
}

fn address(setting: &Setting, slug: &str) -> String {
    let shown = setting.server.json(&["event", "show", slug]);
    format!("/events/{}", shown["discriminator"].as_str().unwrap())
}

#[tokio::test]
async fn data_is_shown_and_filtered_in_the_readers_time_zone() {
    let setting = Setting::new();
    let key = setting.event("Order placed", &["at:timestamp"]);
    let data = json!({ "source": "Website", "at": "2026-03-01T12:00:00Z" });
    let body = beacon(vec![event(&event_id(1), &key, 1, data)]);
    assert_eq!(post(&setting.server.collector, "/c", &[], body.as_bytes()).status, 204);
    let data = address(&setting, "order-placed") + "/data";
    let browser = in_tokyo(&setting).await;
    let person = Person::with(&browser, Device::DESKTOP).await;
    browser.open(&format!("{}{data}?from=2026-03-01T00:00", setting.server.console)).await;
    let from = "Arrived from (your time)";
    assert_eq!(person.reads_input(from).await, "2026-03-01T09:00");
    let cell = "return document.querySelector('#rows td time').textContent";
    let shown = browser.run(cell).await;
    assert!(shown.as_str().unwrap().contains("9:00"), "the field's moment in Tokyo: {shown}");
    person.presses("button", "Exact times").await;
    let shown = browser.run(cell).await;
    assert!(shown.as_str().unwrap().contains("GMT+9"), "{shown}");

    person.presses("button", "Filter").await;
    person.finds("link", "Show all").await;
    let sent = "return new URLSearchParams(location.search).get('from')";
    assert_eq!(browser.run(sent).await, json!("2026-03-01T00:00:00.000Z"));
    assert_eq!(person.reads_input(from).await, "2026-03-01T09:00", "and back again");
    assert_eq!(browser.run("return document.querySelectorAll('#rows tr').length").await, json!(1));

    let person = Person::with(&browser, Device::NO_SCRIPTS).await;
    browser
        .open(&format!("{}{data}?from=2026-03-01T09:00:00%2B09:00", setting.server.console))
        .await;
    assert_eq!(person.reads_input("Arrived from (UTC)").await, "2026-03-01T00:00");
}

#[tokio::test]
async fn sentences_name_moments_in_the_readers_time_zone() {
    let setting = Setting::new();
    create(setting.folder.path(), "Order placed", &["total:decimal"], None);
    run(setting.folder.path(), &["event", "edit", "order-placed", "--add-field", "note:text"]);
    let event = address(&setting, "order-placed");
    eventually("the server notices the edit", || {
        setting.session.get(&event).text().contains("Locked for").then_some(())
    });
    let browser = in_tokyo(&setting).await;
    let person = Person::with(&browser, Device::DESKTOP).await;
    browser.open(&format!("{}{event}/why", setting.server.console)).await;
    person.reads("Version 2 is pending until").await;
    let moment = browser.run("return document.querySelector('.checks time').title").await;
    assert!(moment.as_str().unwrap().contains("GMT+9"), "{moment}");

    let refused = setting.session.post(&format!("{event}/tracking/enable"), &[]);
    assert_eq!(refused.status, 409);
    let page = refused.text();
    assert!(page.contains("Version 2 is pending until <time datetime="), "{page}");
    assert!(
        page.contains("when the new version is current") && !page.contains("--when-ready"),
        "{page}"
    );
}
