//! Health, Live, Quarantine and Data under axe-core, with something in each, in light and dark, on a desk and on a phone.

use beaconry_tests::{Browser, Device, Person, beacon, event, event_id, post};
use serde_json::json;

use crate::accessible::violations;
use crate::setting::Setting;

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
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let mut barriers = Vec::new();
    for (scheme, device) in [("light", Device::DESKTOP), ("dark", Device::PHONE)] {
        Person::with(&browser, device).await;
        browser.scheme(scheme).await;
        for page in PAGES {
            let page =
                page.replace("EVENT", &event).replace("OTHER", &other).replace("SECTION", &section);
            browser.open(&format!("{}{page}", server.console)).await;
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
    assert!(barriers.is_empty(), "{}", barriers.join("\n"));
}
