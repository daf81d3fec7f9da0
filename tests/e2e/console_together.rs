//! Forms that stay open while time passes or somebody else saves: nothing is lost, and nobody is overruled without a word.

use beaconry_tests::{Answer, Form, Server, Session, eventually};
use serde_json::{Value, json};

use crate::setting::{Setting, create, run};

/// Two people at one event.
struct Two {
    setting: Setting,
    ada: Session,
    eve: Session,
    /// The event's address.
    event: String,
}

impl Two {
    fn at(fields: &[&str]) -> Two {
        let setting = Setting::new();
        create(setting.folder.path(), "Order placed", fields, None);
        let (ada, eve) = (setting.session.clone(), Session::of_role(&setting.server, "marketer"));
        let event = address(&setting.server);
        eventually("the event in the console", || (ada.get(&event).status == 200).then_some(()));
        Two { setting, ada, eve, event }
    }

    /// The form that somebody opens now.
    fn open(&self, person: &Session, page: &str) -> Form {
        Form::on(&person.get(&format!("{}/{page}", self.event)).text(), "editor")
    }

    fn send(&self, person: &Session, page: &str, form: &Form, button: &str) -> Answer {
        person.post(&format!("{}/{page}", self.event), &pressing(form, button))
    }

    fn shown(&self) -> Value {
        self.setting.server.json(&["event", "show", "order-placed"])
    }

    fn tracking(&self) -> Value {
        self.setting.server.json(&["tracking", "show", "order-placed"])
    }
}

fn address(server: &Server) -> String {
    let shown = server.json(&["event", "show", "order-placed"]);
    format!("/events/{}", shown["discriminator"].as_str().unwrap())
}

fn pressing<'a>(form: &'a Form, button: &'a str) -> Vec<(&'a str, &'a str)> {
    form.pairs().into_iter().chain([("do", button)]).collect()
}

fn versions(shown: &Value) -> usize {
    shown["versions"].as_array().unwrap().len()
}

#[test]
fn a_form_that_was_opened_while_locked_deletes_no_fields_after_the_lock() {
    let Setting { server, folder, session, .. } = Setting::new();
    create(folder.path(), "Order placed", &["orderid:text"], None);
    run(folder.path(), &["event", "edit", "order-placed", "--add-field", "note:text"]);
    let page = address(&server) + "/edit";
    let mut form = eventually("the server notices the edit", || {
        let page = session.get(&page).text();
        page.contains("Locked for").then(|| Form::on(&page, "editor"))
    });
    assert_eq!(form.get("name-0"), None, "it has no rows");
    assert_eq!(server.stop(), 0);

    let server = Server::start_shifted(folder.path(), 61);
    let session = Session::log_in(&server, "administrator@example.com");
    form.set("description", "Saved after the lock.");
    // What it would do is said before.
    let check = session.post(&format!("{page}/check"), &form.pairs()).text();
    assert!(check.contains("The fields stay as they are"), "{check}");
    assert_eq!(session.post(&page, &pressing(&form, "save")).status, 303);
    let shown = server.json(&["event", "show", "order-placed"]);
    assert_eq!((versions(&shown), &shown["description"]), (2, &json!("Saved after the lock.")));
}

#[test]
fn who_saves_fields_second_is_told_and_keeps_what_was_typed() {
    let two = Two::at(&["orderid:text", "total:number"]);
    let (mut first, mut second) = (two.open(&two.ada, "edit"), two.open(&two.eve, "edit"));
    first.set("name-2", "sum");
    second.set("name-1", "ordernumber");
    second.set("description", "What Eve wrote.");
    let untouched = two.open(&two.eve, "edit");
    assert_eq!(two.send(&two.ada, "edit", &first, "save").status, 303);

    // While typing, with each button, and at saving: the rows stay, and the other version is named.
    let said = "Somebody else saved version 2 meanwhile";
    let check = two.eve.post(&format!("{}/edit/check", two.event), &second.pairs()).text();
    assert!(check.contains(said) && !check.contains("Saving makes version"), "{check}");
    let mut more = Form::on(&two.send(&two.eve, "edit", &second, "add").text(), "editor");
    assert_eq!(more.get("name-1"), Some("ordernumber"));
    more.set("name-3", "note");
    let refused = two.send(&two.eve, "edit", &more, "save");
    assert_eq!(refused.status, 422);
    let page = refused.text();
    assert!(
        page.contains(said) && page.contains("the fields are locked until the time above"),
        "{page}"
    );
    let kept = Form::on(&page, "editor");
    let names = ["name-0", "name-1", "name-2", "name-3"].map(|name| kept.get(name).unwrap());
    assert_eq!(names, ["source", "ordernumber", "total", "note"]);
    assert_eq!(kept.get("description"), Some("What Eve wrote."));
    assert_eq!(two.send(&two.eve, "edit", &kept, "save").status, 422, "it is locked");
    let shown = two.shown();
    assert_eq!((versions(&shown), &shown["description"]), (2, &json!("")), "nothing was saved");

    // Whose rows are as they were opened changes no field, so nothing is in their way.
    let mut described = untouched;
    described.set("description", "Only this.");
    assert_eq!(two.send(&two.eve, "edit", &described, "save").status, 303);
    let shown = two.shown();
    assert_eq!((versions(&shown), &shown["description"]), (2, &json!("Only this.")));
}

#[test]
fn once_the_lock_has_ended_who_was_told_saves_over_the_other_version() {
    let two = Two::at(&["orderid:text"]);
    let mut typed = two.open(&two.ada, "edit");
    typed.set("name-1", "ordernumber");
    let Two { setting: Setting { server, folder, .. }, event, .. } = two;
    assert_eq!(server.stop(), 0);
    run(folder.path(), &["event", "edit", "order-placed", "--add-field", "note:text"]);
    let server = Server::start_shifted(folder.path(), 61);
    let session = Session::log_in(&server, "administrator@example.com");
    let page = event + "/edit";
    let told = session.post(&page, &pressing(&typed, "save"));
    let text = told.text();
    assert!(told.status == 422 && text.contains("puts it in place of theirs"), "{text}");
    assert!(text.contains("<code>note</code> is removed"), "what saving would do now: {text}");
    let again = Form::on(&text, "editor");
    assert_eq!(session.post(&page, &pressing(&again, "save")).status, 303);
    let shown = server.json(&["event", "show", "order-placed"]);
    assert_eq!(shown["versions"][2]["fields"][1]["name"], json!("ordernumber"));
}

#[test]
fn who_saves_triggers_second_is_told_and_keeps_what_was_chosen() {
    let two = Two::at(&["orderid:text"]);
    let (mut first, mut second) = (two.open(&two.ada, "capture"), two.open(&two.eve, "capture"));
    first.set("what-0", "#checkout");
    second.set("what-0", "#order");
    assert_eq!(two.send(&two.ada, "capture", &first, "save").status, 303);
    // The same once more changes nothing, so it is in nobody's way.
    assert_eq!(two.send(&two.eve, "capture", &first, "save").status, 303);

    let said = "Somebody else saved triggers and values meanwhile";
    let check = two.eve.post(&format!("{}/capture/check", two.event), &second.pairs()).text();
    assert!(check.contains(said), "{check}");
    let more = Form::on(&two.send(&two.eve, "capture", &second, "add-url-0").text(), "editor");
    let less = Form::on(&two.send(&two.eve, "capture", &more, "remove-url-0-0").text(), "editor");
    for button in ["save", "publish"] {
        let refused = two.send(&two.eve, "capture", &less, button);
        assert!(refused.status == 422 && refused.text().contains(said), "{}", refused.text());
    }
    assert_eq!(two.tracking()["trigger"][0]["on"]["submit"], json!("#checkout"));
    let told = Form::on(&two.send(&two.eve, "capture", &less, "save").text(), "editor");
    assert_eq!(told.get("what-0"), Some("#order"));
    assert_eq!(two.send(&two.eve, "capture", &told, "save").status, 303, "who is told may");
    assert_eq!(two.tracking()["trigger"][0]["on"]["submit"], json!("#order"));
}

#[test]
fn a_snippet_is_not_made_by_a_form_that_did_not_say_what_becomes_stale() {
    let two = Two::at(&["orderid:text"]);
    let folder = two.setting.folder.path();
    run(folder, &["tracking", "enable", "order-placed"]);
    eventually("the server notices", || {
        let page = two.ada.get(&format!("{}/capture", two.event)).text();
        page.contains("Save and regenerate").then_some(())
    });
    let form = two.open(&two.ada, "capture");
    assert_eq!(form.get("stale"), None, "nothing becomes stale, so nothing is asked");
    let Two { setting: Setting { server, folder, .. }, event, .. } = two;
    assert_eq!(server.stop(), 0);
    run(folder.path(), &["event", "edit", "order-placed", "--add-field", "note:text"]);
    let server = Server::start_shifted(folder.path(), 61);
    let session = Session::log_in(&server, "administrator@example.com");
    let page = event + "/capture";
    let refused = session.post(&page, &pressing(&form, "publish"));
    assert!(refused.status == 422 && refused.text().contains("Choose this before"));
    let mut asked = Form::on(&refused.text(), "editor");
    asked.set("stale", "reject-after");
    asked.set("hours", "many");
    let wrong = session.post(&page, &pressing(&asked, "publish"));
    assert!(wrong.status == 422 && wrong.text().contains("value=\"many\""), "{}", wrong.text());
    asked.set("hours", "48");
    assert_eq!(session.post(&page, &pressing(&asked, "publish")).status, 303);
    let status = server.json(&["tracking", "status", "order-placed"]);
    assert_eq!((&status["pinned"], &status["stale"]), (&json!(2), &json!("reject-after:48")));
}
