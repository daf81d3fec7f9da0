//! The quarantine in the console: by event and reason, one opened, and replays that are rehearsed first.

use beaconry_store::{Folder, Registry};
use beaconry_tests::{Browser, Device, Person, Server, Session, beacon, event, event_id, post};
use serde_json::{Value, json};

use crate::setting::{a_number_and_then_a_text, create, run};

/// An event whose first version wants a number and whose second, current one, wants a text; two of three beacons of the
/// first version fit the second.
fn setting() -> (tempfile::TempDir, Server, String) {
    let folder = a_number_and_then_a_text("Order <b>placed</b>", "order-b-placed-b");
    let server = Server::start(folder.path());
    let shown = server.json(&["event", "show", "order-b-placed-b"]);
    for (n, total) in [json!("<script>12</script>"), json!("13"), json!(true)].iter().enumerate() {
        send(&server, shown["key"].as_str().unwrap(), n as u64, total);
    }
    (folder, server, shown["discriminator"].as_str().unwrap().to_owned())
}

fn send(server: &Server, key: &str, n: u64, total: &Value) {
    let data = json!({ "source": "Website", "total": total });
    let body = beacon(vec![event(&event_id(n), key, 1, data)]);
    let answer = post(&server.collector, "/c", &[], body.as_bytes());
    assert_eq!(answer.json()["rejected"][0]["code"], "invalid_fields");
}

async fn rehearse_and_replay(device: Device) {
    let (_folder, server, _) = setting();
    let browser = Browser::start().await;
    browser.come_in(&Session::administrator(&server)).await;
    let person = Person::with(&browser, device).await;
    browser.open(&format!("{}/quarantine", server.console)).await;
    person.reads("All events: 3 in quarantine").await;
    person.presses("link", "Order <b>placed</b>").await;
    person.reads("Order <b>placed</b>: 3 in quarantine").await;

    person.presses("button", "Rehearse all 3").await;
    person.reads("0 of 3 would be stored as the version each came under.").await;
    person.reads("total: is not of the field's type 3").await;
    assert!(!person.has("button", "Replay 0").await, "there is nothing to replay");

    person.presses("link", "Back to the quarantine").await;
    person.presses("radio", "As the current version, where it is valid").await;
    person.presses("button", "Rehearse all 3").await;
    person.reads("2 of 3 would be stored as the current version.").await;
    person.reads("total: is not of the field's type 1").await;
    let events = server.json(&["events", "order-b-placed-b"]);
    assert_eq!(events, json!([]), "a rehearsal stores nothing");

    person.presses("button", "Replay 2").await;
    person.reads("2 of 3 are stored now").await;
    let stored = server.events("order-b-placed-b", 2);
    assert!(stored.iter().all(|event| event["version"] == 2));
    person.presses("link", "See the stored events").await;
    person.reads("<script>12</script>").await;
}

#[tokio::test]
async fn a_replay_is_rehearsed_first() {
    rehearse_and_replay(Device::DESKTOP).await;
}

#[tokio::test]
async fn a_replay_is_rehearsed_first_on_a_phone() {
    rehearse_and_replay(Device::PHONE).await;
}

#[tokio::test]
async fn a_replay_is_rehearsed_first_without_scripts() {
    rehearse_and_replay(Device::NO_SCRIPTS).await;
}

#[tokio::test]
async fn one_is_opened_and_some_are_ticked() {
    let (folder, server, discriminator) = setting();
    let browser = Browser::start().await;
    browser.come_in(&Session::administrator(&server)).await;
    let person = Person::with(&browser, Device::DESKTOP).await;
    let reason = format!("/quarantine?event={discriminator}&reason=invalid_fields");
    browser.open(&format!("{}{reason}", server.console)).await;
    person.reads("got the text \"13\"").await;
    person.presses("checkbox", "Choose beacon 2").await;
    person.presses("radio", "As the current version, where it is valid").await;
    person.presses("button", "Rehearse those ticked").await;
    person.presses("button", "Replay 1").await;
    person.reads("1 of 1 are stored now").await;
    assert_eq!(server.events("order-b-placed-b", 1)[0]["data"]["total"], "13");

    browser.open(&format!("{}/quarantine/1", server.console)).await;
    person.reads("A beacon of Order <b>placed</b>").await;
    person.reads("<script>12</script>").await;
    person.reads("an integer").await;
    person.reads("Leaves the quarantine").await;
    person.presses("button", "Rehearse as the current version 2").await;
    person.presses("button", "Replay 1").await;
    person.reads("1 of 1 are stored now").await;
    let session = Session::administrator(&server);
    assert_eq!(session.get("/quarantine/1").status, 404);

    let registry = Registry::open(&Folder::open(folder.path()).unwrap()).unwrap();
    let audit = registry.audit(2).unwrap();
    assert!(audit.iter().all(|entry| entry.action == "quarantine.replay"), "{audit:?}");
    assert!(audit[0].after.as_ref().unwrap().contains("\"stored\":1"), "{audit:?}");
}

#[tokio::test]
async fn all_on_a_page_are_ticked_at_once() {
    let (_folder, server, _) = setting();
    let browser = Browser::start().await;
    browser.come_in(&Session::administrator(&server)).await;
    let person = Person::with(&browser, Device::PHONE).await;
    browser.open(&format!("{}/quarantine", server.console)).await;
    person.presses("checkbox", "All on this page").await;
    person.presses("checkbox", "Choose beacon 2").await;
    let all = browser.run("return document.querySelector('#tick-all input').checked").await;
    assert_eq!(all, json!(false), "one is not ticked any more");
    person.presses("checkbox", "All on this page").await;
    person.presses("button", "Rehearse those ticked").await;
    person.reads("0 of 3 would be stored as the version each came under.").await;
}

#[tokio::test]
async fn nothing_chosen_and_nothing_there_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["section", "create", "Shop", "--origin", "https://shop.example"]);
    create(folder.path(), "Order placed", &["n:number"], None);
    let server = Server::start(folder.path());
    let session = Session::administrator(&server);
    let quarantine = session.get("/quarantine").text();
    assert!(quarantine.contains("Nothing is in quarantine"));
    for (form, said) in [
        (vec![("event", ""), ("reason", "")], "tick the beacons to replay"),
        (vec![("event", ""), ("all", "yes")], "Choose an event first"),
        (vec![("event", "order-placed")], "tick the beacons to replay"),
    ] {
        let answer = session.post("/quarantine/replays", &form);
        assert_eq!(answer.status, 422, "{form:?}");
        assert!(answer.text().contains(said), "{form:?}: {}", answer.text());
    }
    assert_eq!(session.get("/quarantine/replays/unknown").status, 404);
}
