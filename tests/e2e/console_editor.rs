//! Sections and events in the console, as people make, find, change and hide them: on a desk, on a phone, without scripts,
//! and without a mouse.

use beaconry_tests::{Browser, Device, Person, eventually};
use fantoccini::key::Key;
use serde_json::json;

use crate::setting::{Setting, create};

const DEVICES: [Device; 3] = [Device::DESKTOP, Device::PHONE, Device::NO_SCRIPTS];

/// A setting, and a browser in which its administrator is logged in.
async fn come_in() -> (Setting, Browser) {
    let (setting, browser) = (Setting::new(), Browser::start().await);
    browser.come_in(&setting.session).await;
    (setting, browser)
}

/// The address of an event's page.
fn address(setting: &Setting, slug: &str) -> String {
    let shown = setting.server.json(&["event", "show", slug]);
    format!("{}/events/{}", setting.server.console, shown["discriminator"].as_str().unwrap())
}

/// An event that the command line made, once the console knows it; gives its address.
fn known(setting: &Setting, name: &str, fields: &[&str]) -> String {
    create(setting.folder.path(), name, fields, None);
    let page = address(setting, &name.to_lowercase().replace(' ', "-"));
    let path = page.strip_prefix(&setting.server.console).unwrap();
    eventually("the event in the console", || {
        (setting.session.get(path).status == 200).then_some(())
    });
    page
}

#[tokio::test]
async fn an_event_is_made_from_a_template_on_every_device() {
    for device in DEVICES {
        let (setting, browser) = come_in().await;
        let person = Person::with(&browser, device).await;
        browser.open(&setting.server.console).await;
        person
            .reads("Something was bought or booked, like an order placed or a booking made.")
            .await;
        person.presses("link", "New event in Shop").await;
        person.presses("link", "Booking made").await;
        assert_eq!(person.reads_input("Name").await, "Booking made");
        person.types("Name", "Room booked").await;
        person.types("What it is for (optional)", "A room was booked.").await;
        person.presses("button", "Delete field 3").await;
        person.presses("button", "Add a field").await;
        person.types("Name of field 5", "guests").await;
        person.chooses("Type of field 5", "Number").await;
        person.presses("checkbox", "Required of field 5").await;
        person.presses("button", "Move field 5 up").await;
        person.presses("button", "Only create").await;
        person.reads("Choose how long events are kept.").await;
        person.presses("radio", "1 year, to compare with last season").await;
        person.presses("checkbox", "Write by CRM id").await;
        person.presses("button", "Only create").await;
        person.finds("heading", "Room booked").await;
        person.reads("by CRM id: read").await;
        let made = setting.server.json(&["event", "show", "room-booked"]);
        let fields = made["versions"][0]["fields"].as_array().unwrap();
        let names: Vec<_> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["source", "bookingid", "date", "guests", "value"], "{device:?}");
        assert_eq!((&made["retention"], &fields[3]["required"]), (&json!("1y"), &json!(true)));
    }
}

#[tokio::test]
async fn everything_can_be_done_without_a_mouse() {
    let (setting, browser) = come_in().await;
    let person = Person::at(&browser);
    let section = setting.server.json(&["section", "list"])[0]["id"].as_str().unwrap().to_owned();
    browser.open(&format!("{}/sections/{section}/new/signals", setting.server.console)).await;
    person.keys(&[], "Lamp tried").await;
    person.tabs_to("Name of field 4").await;
    person.keys(&[Key::Enter], "").await;
    person.finds("input", "Name of field 5").await;
    person.tabs_to("Name of field 5").await;
    person.keys(&[], "lampid").await;
    person.keys(&[Key::Alt, Key::Up], "").await;
    person.finds("button", "Move field 5 up").await;
    browser.settle("while (document.querySelector('#name-3').value !== 'lampid') await new Promise(next => setTimeout(next, 10))").await;
    let active = browser.run("return document.activeElement.value").await;
    assert_eq!(active, json!("lampid"), "the cursor stays in the row that moves");
    person.tabs_to("30 days, for trials and short campaigns").await;
    person.keys(&[], " ").await;
    person.tabs_to("Only create").await;
    person.keys(&[Key::Enter], "").await;
    person.finds("heading", "Lamp tried").await;
    let made = setting.server.json(&["event", "show", "lamp-tried"]);
    assert_eq!(made["versions"][0]["fields"][3]["name"], json!("lampid"));
}

#[tokio::test]
async fn mistakes_are_said_beside_the_field_while_typing_and_the_page_stays() {
    let (setting, browser) = come_in().await;
    let many: Vec<_> = (1..100).map(|n| format!("field{n}:text")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let page = known(&setting, "Much said", &many);
    let person = Person::at(&browser);
    browser.open(&format!("{page}/edit")).await;
    browser
        .run(
            "window.added = 0; window.form = document.querySelector('#editor');
             new MutationObserver(changes => changes.forEach(change => { added += change.addedNodes.length; }))
                 .observe(document.body, { childList: true, subtree: true })",
        )
        .await;
    let took = browser
        .settle(
            "const name = document.querySelector('#name-99'), error = document.querySelector('#error-field-99');
             const started = performance.now();
             name.value = 'Not a name'; name.dispatchEvent(new Event('input', { bubbles: true }));
             while (!document.querySelector('#error-field-99').textContent) await new Promise(next => setTimeout(next, 5));
             return performance.now() - started",
        )
        .await;
    person.reads("Field name: expected").await;
    let described = person.finds("input", "Name of field 100").await;
    assert_eq!(described.attr("aria-invalid").await.unwrap().as_deref(), Some("true"));
    let (added, same) = (
        browser.run("return added").await,
        browser.run("return form === document.querySelector('#editor')").await,
    );
    println!(
        "100 fields: a mistake is said {took} ms after the key, 300 of them waiting for more keys; {added} nodes put in"
    );
    assert!(same == json!(true) && added.as_u64().unwrap() < 20, "{added} nodes were put in");
    assert!(took.as_f64().unwrap() < 2_000.0, "{took} ms");
    // The server says it again, to whoever sends it all the same.
    person.presses("button", "Save").await;
    person.reads("The form has mistakes: 1.").await;
    assert_eq!(
        setting.server.json(&["event", "show", "much-said"])["versions"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn an_edit_is_reviewed_saved_and_locks_on_every_device() {
    for device in DEVICES {
        let (setting, browser) = come_in().await;
        let page = known(&setting, "Order placed", &["orderid:text", "total:number"]);
        let person = Person::with(&browser, device).await;
        browser.open(&page).await;
        person.presses("link", "Edit").await;
        person.types("Name of field 2", "ordernumber").await;
        if device.scripts {
            person.chooses("Type of field 3", "Number with decimals").await;
            person.reads("locked until").await;
            let warned = "const leaving = new Event('beforeunload', { cancelable: true }); dispatchEvent(leaving); return leaving.defaultPrevented";
            assert_eq!(browser.run(warned).await, json!(true), "an unsaved draft warns");
        } else {
            person.chooses("Type of field 3", "Number with decimals").await;
            person.presses("button", "Show what saving does").await;
        }
        person.reads("ordernumber is added: Text").await;
        person.reads("total changes from Number to Number with decimals").await;
        person.reads("orderid is removed (it was: Text)").await;
        person.reads("Saving makes version 2.").await;
        person.reads("Version 1 stays live until then.").await;
        person.presses("button", "Save").await;
        person.reads("because the fields were changed less than an hour ago").await;
        if device.scripts {
            eventually_counts_down(&browser).await;
        }
        person.presses("link", "What version 2 changed").await;
        person.reads("3 fields differ.").await;
        browser.open(&format!("{page}/edit")).await;
        assert!(!person.has("button", "Add a field").await, "its fields are locked");
        person.types("What it is for (optional)", "Changed while locked.").await;
        person.presses("button", "Save").await;
        person.reads("Changed while locked.").await;
    }
}

/// The lock counts down in minutes and seconds.
async fn eventually_counts_down(browser: &Browser) {
    let read = "return document.querySelector('[data-countdown]').textContent";
    let first = browser.run(read).await;
    assert!(
        ["60:", "59:"].iter().any(|minutes| first.as_str().unwrap().starts_with(minutes)),
        "{first}"
    );
    let later = browser
        .settle(&format!(
            "const read = () => {{ {read} }}; while (read() === '{}') await new Promise(next => setTimeout(next, 50)); return read()",
            first.as_str().unwrap()
        ))
        .await;
    assert!(later.as_str().unwrap().starts_with("59:"), "{later}");
}

#[tokio::test]
async fn hiding_asks_for_the_name_and_the_event_is_gone() {
    for device in DEVICES {
        let (setting, browser) = come_in().await;
        let page = known(&setting, "Order placed", &["orderid:text"]);
        let person = Person::with(&browser, device).await;
        browser.open(&page).await;
        person.presses("link", "Hide").await;
        person.reads("This cannot be undone.").await;
        person.types("To hide it, type its name: Order placed", "order").await;
        person.presses("button", "Hide it for good").await;
        person.reads("That is not the event's name.").await;
        person.types("To hide it, type its name: Order placed", "Order placed").await;
        person.presses("button", "Hide it for good").await;
        person.finds("heading", "Data model").await;
        assert!(!person.page().await.contains("A visitor"), "no row is left");
        assert!(
            !person.has("link", "Order placed").await
                || person.page().await.contains("No event here yet")
        );
        let path = page.strip_prefix(&setting.server.console).unwrap().to_owned();
        assert_eq!(setting.session.get(&path).status, 404);
    }
}

#[tokio::test]
async fn events_are_found_by_what_they_are_called_and_for() {
    let (setting, browser) = come_in().await;
    known(&setting, "Order placed", &["orderid:text"]);
    known(&setting, "Parcel sent", &["parcelid:text"]);
    let person = Person::at(&browser);
    browser.open(&setting.server.console).await;
    person.types("Search events", "parc").await;
    browser.settle("while (document.body.textContent.includes('Order placed')) await new Promise(next => setTimeout(next, 10))").await;
    person.finds("link", "Parcel sent").await;
    person.types("Search events", "nothing").await;
    person.reads("No event fits “nothing”.").await;
    person.presses("link", "Show all events").await;
    person.finds("link", "Order placed").await;
    // Without scripts the search is a form.
    let person = Person::with(&browser, Device::NO_SCRIPTS).await;
    browser.open(&setting.server.console).await;
    person.types("Search events", "parc").await;
    person.presses("button", "Search").await;
    person.finds("link", "Parcel sent").await;
    assert!(!person.has("link", "Order placed").await);
}

#[tokio::test]
async fn a_section_is_made_and_changed_on_every_device() {
    for device in DEVICES {
        let (setting, browser) = come_in().await;
        let person = Person::with(&browser, device).await;
        browser.open(&setting.server.console).await;
        person.presses("link", "New section").await;
        person.types("Name", "Hotels").await;
        person.types("Web sites whose pages may send events, one a line", "not an address").await;
        person.presses("button", "Create the section").await;
        person.reads("expected scheme, host and perhaps port").await;
        person
            .types(
                "Web sites whose pages may send events, one a line",
                "https://hotel.example/rooms?a=1",
            )
            .await;
        person.presses("button", "Create the section").await;
        person.reads("Events come from https://hotel.example.").await;
        person.presses("link", "Settings of Hotels").await;
        person.types("Name", "Hotels and inns").await;
        person.presses("button", "Save").await;
        person.finds("heading", "Hotels and inns").await;
    }
}
