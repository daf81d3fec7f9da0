//! Live in the console: filtered by what the address says, paused, each arrival opened.

use beaconry_tests::{Browser, Device, Person, Server, beacon, event, event_id, post};
use serde_json::{Value, json};

use crate::accessible::violations;
use crate::setting::Setting;

fn send(server: &Server, key: &str, n: u64, data: Value) {
    post(&server.collector, "/c", &[], beacon(vec![event(&event_id(n), key, 1, data)]).as_bytes());
}

#[tokio::test]
async fn arrivals_are_filtered_by_the_address_and_opened() {
    let setting = Setting::new();
    let orders = setting.event("Order placed", &["orderid:text:required"]);
    let bookings = setting.event("Booking made", &["guests:number"]);
    let server = &setting.server;
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::with(&browser, Device::DESKTOP).await;
    browser.open(&server.console).await;
    person.presses("link", "Live").await;
    person.chooses("Event", "Order placed").await;
    person.chooses("Outcome", "In quarantine").await;
    person.presses("button", "Filter").await;
    person.reads("Connected").await;
    let address = browser.run("return location.search").await;
    assert!(address.as_str().unwrap().contains("outcome=quarantined"), "{address}");

    send(server, &bookings, 1, json!({ "source": "Website", "guests": "two" }));
    send(server, &orders, 2, json!({ "source": "Website", "orderid": "A-1" }));
    send(server, &orders, 3, json!({ "source": "Website", "orderid": 7, "note": "<i>no</i>" }));
    person.reads("orderid: expected text, got the number 7").await;
    let page = person.page().await;
    assert!(!page.contains("A-1") && !page.contains("guests"), "{page}");
    browser.click("#arrivals summary").await;
    person.reads("\"note\": \"<i>no</i>\"").await;
    assert_eq!(violations(&browser).await, Vec::<String>::new());

    // The same address shows the same to somebody else.
    let link = browser.run("return location.href").await;
    browser.new_tab().await;
    browser.open(link.as_str().unwrap()).await;
    person.reads("Connected").await;
    send(server, &orders, 4, json!({ "source": "Website", "orderid": 8 }));
    person.reads("got the number 8").await;
}

#[tokio::test]
async fn a_paused_list_holds_back_and_goes_on() {
    let setting = Setting::new();
    let key = setting.event("Order placed", &["orderid:text:required"]);
    let server = &setting.server;
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::with(&browser, Device::PHONE).await;
    browser.open(&format!("{}/live", server.console)).await;
    person.reads("Connected").await;
    person.presses("button", "Pause").await;
    for n in 0..2 {
        send(server, &key, n, json!({ "source": "Website", "orderid": format!("A-{n}") }));
    }
    person.reads("Paused. 2 new beacons wait.").await;
    assert_eq!(browser.run("return document.querySelectorAll('#arrivals li').length").await, 0);
    person.presses("button", "Go on").await;
    person.reads("Accepted Order placed").await;
    assert_eq!(browser.run("return document.querySelectorAll('#arrivals li').length").await, 2);
}

#[tokio::test]
async fn the_list_is_bounded_and_says_what_it_left_out() {
    let setting = Setting::new();
    let key = setting.event("Order placed", &["n:number:required"]);
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::with(&browser, Device::DESKTOP).await;
    browser.open(&format!("{}/live", setting.server.console)).await;
    person.reads("Connected").await;
    for part in 0..6 {
        let events = (0..100).map(|n| {
            let n = part * 100 + n;
            event(&event_id(n), &key, 1, json!({ "source": "Website", "n": n }))
        });
        let body = beacon(events.collect());
        assert_eq!(post(&setting.server.collector, "/c", &[], body.as_bytes()).status, 204);
    }
    let last = "document.querySelector('#arrivals li')?.textContent.includes('\"n\": 599')";
    let seen =
        format!("while (!({last})) await new Promise(next => setTimeout(next, 20)); return true");
    assert_eq!(browser.settle(&seen).await, json!(true));
    let shown = browser.run("return document.querySelectorAll('#arrivals li').length").await;
    assert!(shown.as_u64().unwrap() <= 200, "{shown}");
}
