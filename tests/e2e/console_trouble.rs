//! What goes wrong in the console is said in its own words, where somebody looks, and nothing that was typed is lost.

use beaconry_tests::{Browser, Device, Person, eventually, get, post};

use crate::accessible::violations;
use crate::setting::{Setting, run};

fn address(setting: &Setting, slug: &str) -> String {
    let shown = setting.server.json(&["event", "show", slug]);
    format!("/events/{}", shown["discriminator"].as_str().unwrap())
}

#[tokio::test]
async fn what_fails_in_the_background_is_said_and_the_form_stays() {
    let setting = Setting::new();
    setting.event("Order placed", &["total:decimal"]);
    let edit = address(&setting, "order-placed") + "/edit";
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::with(&browser, Device::DESKTOP).await;
    browser.open(&format!("{}{edit}", setting.server.console)).await;
    person.types("Name", "Lamp ordered").await;
    browser.offline(true).await;
    person.presses("button", "Add a field").await;
    let unreached = "The server could not be reached, so nothing was done.";
    person.reads(unreached).await;
    person.reads("What you typed is still here.").await;
    assert_eq!(person.reads_input("Name").await, "Lamp ordered");
    assert_eq!(violations(&browser).await, [""; 0]);

    browser.offline(false).await;
    person.presses("button", "Add a field").await;
    person.types("Name of field 3", "lampid").await;
    assert!(!person.page().await.contains(unreached), "it is over");

    run(setting.folder.path(), &["event", "hide", "order-placed", "--yes"]);
    eventually("the server notices", || (setting.session.get(&edit).status == 404).then_some(()));
    person.presses("button", "Add a field").await;
    person.reads("This event is hidden, which cannot be undone").await;
    assert_eq!(person.reads_input("Name of field 3").await, "lampid", "the draft is still there");
}

#[tokio::test]
async fn a_page_that_waits_says_when_its_connection_is_lost() {
    let setting = Setting::new();
    setting.event("Order placed", &["total:decimal"]);
    let tracking = address(&setting, "order-placed") + "/tracking";
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::with(&browser, Device::PHONE).await;
    browser.open(&format!("{}{tracking}", setting.server.console)).await;
    person.reads("Waiting for the first beacon…").await;
    assert_eq!(setting.server.stop(), 0);
    person.reads("The connection is lost; trying again…").await;
}

#[test]
fn what_an_address_or_a_form_gets_wrong_is_a_page_that_says_what_to_do() {
    let setting = Setting::new();
    setting.event("Order placed", &["total:decimal"]);
    let event = address(&setting, "order-placed");
    for (path, status, said) in [
        ("/quarantine/abc", 400, "something else than was expected there"),
        ("/quarantine?before=x", 400, "something else than was expected there"),
        ("/events/none", 404, "There is no event “none” here"),
        ("/sections/none/health", 404, "There is no section “none” here"),
        (&format!("{event}/tracking/disable"), 405, "Nothing is done by opening this address"),
    ] {
        let answer = setting.session.get(path);
        let page = answer.text();
        assert_eq!(answer.status, status, "{path}");
        assert!(page.contains(said) && page.contains("Back to the events"), "{path}: {page}");
        assert!(page.contains("aria-label=\"Main\""), "{path}: it is a page as any other");
        assert!(!page.contains("beaconry event list"), "{path}: {page}");
    }
    let cookie = format!("Cookie: {}", setting.session.cookie);
    let own = format!("Origin: {}", setting.server.console);
    let json = ["Content-Type: application/json", &*cookie, &*own];
    let answer = post(&setting.server.console, "/sections", &json, b"{}");
    assert_eq!(answer.status, 415);
    assert!(answer.text().contains("This was not sent by a form"), "{}", answer.text());
    let strange = get(&setting.server.console, "/", &["Host: evil.example"]);
    assert_eq!(strange.status, 421);
    assert!(strange.text().contains("role=\"alert\">The console answers to"), "{}", strange.text());
}

#[test]
fn hours_that_are_none_are_said_beside_them() {
    let setting = Setting::new();
    setting.event("Order placed", &["total:decimal"]);
    let stale = address(&setting, "order-placed") + "/tracking/stale";
    for hours in ["", "0", "many", "8761"] {
        let form = [("stale", "reject-after"), ("hours", hours)];
        let answer = setting.session.post(&stale, &form);
        let page = answer.text();
        assert_eq!(answer.status, 422, "{hours}");
        assert!(page.contains("Say for how many hours: a whole number from 1 to 8760."), "{page}");
        assert!(page.contains(&format!("max=\"8760\" value=\"{hours}\"")), "{page}");
        assert!(page.contains("The code to paste"), "the rest of the page is there");
    }
    let form = [("stale", "reject-after"), ("hours", " 48 ")];
    assert_eq!(setting.session.post(&stale, &form).status, 303);
    let status = setting.server.json(&["tracking", "status", "order-placed"]);
    assert_eq!(status["stale"], "reject-after:48");
}

#[tokio::test]
async fn an_event_that_is_hidden_still_says_why_nothing_arrives() {
    let setting = Setting::new();
    setting.event("Order placed", &["total:decimal"]);
    let event = address(&setting, "order-placed");
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::with(&browser, Device::DESKTOP).await;
    browser.open(&setting.server.console).await;
    person.presses("link", "Health of Shop").await;
    person.finds("heading", "Health of Shop").await;
    browser.open(&format!("{}{event}", setting.server.console)).await;
    person.presses("link", "Why don't I see my event?").await;
    person.reads("In short: No beacon has reached the collector").await;
    browser.open(&format!("{}{event}/tracking", setting.server.console)).await;
    person.finds("link", "Why don't I see my event?").await;

    setting.session.post(&format!("{event}/hide"), &[("name", "Order placed")]);
    browser.open(&format!("{}{event}", setting.server.console)).await;
    person.presses("link", "Why nothing more arrives").await;
    person.reads("Hidden: It was hidden at").await;
    browser.open(&format!("{}/settings/audit?action=event.hide", setting.server.console)).await;
    person.presses("link", "Order placed").await;
    person.reads("It was hidden at").await;
}

#[tokio::test]
async fn an_audit_entry_opens_to_what_it_was_and_what_it_became() {
    let setting = Setting::new();
    let section = setting.server.json(&["section", "list"])[0]["id"].as_str().unwrap().to_owned();
    let key = ["key", "create", "Back end", "--all-sections", "--keyspace", "email", "--read"];
    let key = setting.server.json(&key)["client_id"].as_str().unwrap().to_owned();
    setting.session.post(&format!("/settings/keys/{key}/revoke"), &[]);
    let renamed = [("name", "Lamps"), ("origins", setting.site.origin.as_str())];
    setting.session.post(&format!("/sections/{section}"), &renamed);
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::with(&browser, Device::DESKTOP).await;
    let audit = format!("{}/settings/audit?action=", setting.server.console);
    browser.open(&format!("{audit}section.change")).await;
    person.reads("changed the section Lamps").await;
    browser.click(".versions summary").await;
    person.reads("name: Shop → Lamps").await;
    browser.open(&format!("{audit}key.revoke")).await;
    person.reads("revoked the API key Back end").await;
    browser.click(".versions summary").await;
    person.finds("link", "Back end").await;
    let moment = browser.run("return document.querySelector('.changes ins time').title").await;
    assert!(moment.as_str().unwrap().contains("T"), "when, in the reader's time: {moment}");
}
