//! Segments in the console: built as a form with who fits counted meanwhile, edited as text, renamed, exported, deleted.

use beaconry_tests::{Browser, Device, Person, Session, eventually};
use serde_json::{Value, json};

use crate::console_profiles::{Known, known};
use crate::setting::run;

/// Makes a segment by the command line; gives its page, once the server knows it.
fn made(known: &Known, name: &str, condition: &Value) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), condition.to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    run(
        known.setting.folder.path(),
        &["segment", "create", name, "--section", "Shop", "--file", path],
    );
    let page = format!("/segments/{}", segment(known, name)["discriminator"].as_str().unwrap());
    eventually("the server notices the segment", || {
        (known.setting.session.get(&page).status == 200).then_some(())
    });
    page
}

fn segment(known: &Known, name: &str) -> Value {
    let all = known.setting.server.json(&["segment", "list"]);
    let found = all.as_array().unwrap().iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("no segment {name}: {all}")).clone()
}

async fn build(device: Device) {
    let known = known("Ada");
    let browser = Browser::start().await;
    browser.come_in(&known.setting.session).await;
    let person = Person::with(&browser, device).await;
    // Without scripts a button shows what changed choices ask for.
    let refresh = async || {
        if !device.scripts {
            person.presses("button", "Show what changed choices ask for, and count").await;
        }
    };
    browser.open(&format!("{}/", known.setting.server.console)).await;
    person.presses("link", "Segments").await;
    person.reads("No segment yet.").await;
    person.presses("link", "New segment in Shop").await;
    person.types("Name", "Good <b>customers</b>").await;
    person.chooses("Event of condition 1", "Order placed").await;
    refresh().await;
    person.presses("button", "Add a field to condition 1").await;
    person.chooses("Field 1 of condition 1", "total").await;
    refresh().await;
    person.chooses("Comparison of field 1 of condition 1", "is above").await;
    refresh().await;
    person.types("Value of field 1 of condition 1", "cheap").await;
    if device.scripts {
        person.reads("Total: expected a number like 100 or 12.5, got \"cheap\".").await;
    } else {
        person.presses("button", "Save").await;
        person.reads("Total: expected a number like 100 or 12.5, got \"cheap\".").await;
    }
    person.types("Value of field 1 of condition 1", "150").await;
    person.types("At least so often in condition 1", "2").await;
    refresh().await;
    person.reads("1 of 1 profiles fit.").await;
    // A group in the group, and a consent in it.
    person.presses("button", "Add a group to group 1").await;
    person.presses("button", "Add an attribute to group 2").await;
    person.chooses("Attribute of condition 2", "First name").await;
    refresh().await;
    person.types("Value of condition 2", "Grace").await;
    refresh().await;
    person.reads("0 of 1 profiles fit.").await;
    person.presses("button", "Add a consent to group 2").await;
    person.chooses("Topic of condition 3", "News: Weekly").await;
    refresh().await;
    person.reads("1 of 1 profiles fit.").await;
    person.presses("button", "Save").await;
    person.finds("heading", "Good <b>customers</b>").await;
    let condition = segment(&known, "Good <b>customers</b>")["condition"].clone();
    assert_eq!(
        condition,
        json!({ "all": [
            { "event": { "event": known.event, "at_least": 2, "period": "ever", "where": [{ "field": "total", "above": 150.0 }] } },
            { "any": [
                { "attribute": { "attribute": "com.beaconry.attributes.first-name", "equals": "Grace" } },
                { "consent": { "channel": "com.apsis1.channels.email", "list": known.list, "topic": known.topic, "is": ["opt-in", "confirmed-opt-in"] } } ] } ] })
    );
    person.presses("link", "Members").await;
    person.presses("link", "ada@shop.example").await;
    person.presses("link", "Good <b>customers</b>").await;
    person.types("Name", "Best").await;
    person.presses("button", "Save").await;
    person.finds("heading", "Best").await;
    person.presses("link", "Delete…").await;
    person.presses("button", "Delete the segment").await;
    person.reads("No segment yet.").await;
    let audit = known.setting.session.get("/settings/audit").text();
    for action in ["segment.create", "segment.change", "segment.delete"] {
        assert!(audit.contains(action), "{action}: {audit}");
    }
}

#[tokio::test]
async fn a_segment_is_built_renamed_and_deleted() {
    build(Device::DESKTOP).await;
}

#[tokio::test]
async fn a_segment_is_built_renamed_and_deleted_on_a_phone() {
    build(Device::PHONE).await;
}

#[tokio::test]
async fn a_segment_is_built_renamed_and_deleted_without_scripts() {
    build(Device::NO_SCRIPTS).await;
}

#[tokio::test]
async fn what_the_form_cannot_hold_is_edited_as_text() {
    let known = known("Ada");
    let event = json!({ "event": { "event": known.event } });
    let page = made(&known, "Twice not", &json!({ "not": { "not": event } }));
    let browser = Browser::start().await;
    browser.come_in(&known.setting.session).await;
    let person = Person::with(&browser, Device::NO_SCRIPTS).await;
    browser.open(&format!("{}{page}", known.setting.server.console)).await;
    assert!(person.reads_input("The JSON that the API takes").await.contains("\"not\""));
    person.presses("button", "Edit as a form").await;
    person.reads("the form cannot show all of it").await;
    person.types("The JSON that the API takes", "{\"some\": []}").await;
    person.presses("button", "Save").await;
    person.reads("The text is no condition: unknown variant `some`").await;
    person.types("The JSON that the API takes", &json!({ "not": event }).to_string()).await;
    person.presses("button", "Edit as a form").await;
    person.finds("combobox", "Event of condition 1").await;
    person.presses("button", "Edit as text").await;
    person.presses("button", "Save").await;
    person.finds("combobox", "Event of condition 1").await;
    assert_eq!(
        segment(&known, "Twice not")["condition"]["all"][0]["not"]["event"]["event"],
        known.event
    );
}

#[tokio::test]
async fn what_is_absent_is_said_and_what_is_hidden_breaks() {
    let known = known("Ada");
    let asks =
        json!({ "event": { "event": known.event, "where": [{ "field": "gone", "equals": 1 }] } });
    let page = made(&known, "Shaky", &asks);
    let session = &known.setting.session;
    let text = session.get(&page).text();
    assert!(text.contains("has no field"), "{text}");
    assert!(session.get("/segments").text().contains("1 warning"));
    run(known.setting.folder.path(), &["event", "hide", "order-placed", "--yes"]);
    eventually("the segment is marked broken", || {
        session.get("/segments").text().contains("Broken").then_some(())
    });
    let text = session.get(&page).text();
    assert!(text.contains("hidden or not there"), "{text}");
    assert!(session.get(&format!("{page}/members")).text().contains("Broken"));
    assert_eq!(session.get(&format!("{page}/csv")).status, 409);
    assert!(session.get(&format!("{page}/review")).text().contains("not evaluated"));
}

#[test]
fn an_export_carries_only_what_may_be_read() {
    let known = known("Ada");
    let page = made(&known, "Bought", &json!({ "event": { "event": known.event } }));
    let csv = |session: &Session| session.get(&format!("{page}/csv"));
    let text = csv(&known.setting.session).text();
    let line = |start: &str| text.lines().any(|line| line.starts_with(start));
    assert!(line("profile,email,mobile,crm-id,created"), "{text}");
    assert_eq!(text.matches(",ada@shop.example,,,").count(), 1, "{text}");
    assert!(!text.contains("visitor-ada"), "web visitors' ids stay here");
    let both = "read = true\nwrite = true\n";
    let allowed = format!(
        "[allowed.email]\nread = false\nwrite = true\n[allowed.mobile]\n{both}[allowed.crm_id]\n{both}"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), allowed).unwrap();
    let edit = ["event", "edit", "order-placed", "--file", file.path().to_str().unwrap()];
    run(known.setting.folder.path(), &edit);
    let page_of_members = format!("{page}/members");
    eventually("email is left out", || {
        let text = known.setting.session.get(&page_of_members).text();
        text.contains("Email is left out: the event Order placed").then_some(())
    });
    let text = csv(&known.setting.session).text();
    assert!(!text.contains("ada@shop.example") && text.contains("profile,mobile,crm-id,created"));
    let viewer = Session::of_role(&known.setting.server, "viewer");
    assert_eq!(csv(&viewer).status, 403);
    assert_eq!(viewer.get(&page).status, 200);
    assert_eq!(viewer.post(&page, &[("do", "save"), ("name", "Mine")]).status, 403);
    assert_eq!(viewer.get(&format!("/segments/new/{}", known.section)).status, 403);
    let marketer = Session::of_role(&known.setting.server, "marketer");
    assert_eq!(csv(&marketer).status, 200);
}
