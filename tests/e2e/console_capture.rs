//! Triggers and values as people choose them by form, and what making the snippet anew does: on a desk, on a phone, without
//! scripts.

use beaconry_tests::{Browser, Device, Person, Server, Session, Site, beaconry, eventually};
use serde_json::json;

use crate::setting::{Setting, create};

/// Opens the form of an event that nobody has set up yet.
async fn open(setting: &Setting, browser: &Browser, slug: &str) {
    let shown = setting.server.json(&["event", "show", slug]);
    let page = format!("/events/{}/capture", shown["discriminator"].as_str().unwrap());
    eventually("the event in the console", || {
        (setting.session.get(&page).status == 200).then_some(())
    });
    browser.open(&format!("{}{page}", setting.server.console)).await;
}

#[tokio::test]
async fn triggers_and_values_are_chosen_by_form_on_every_device() {
    let (setting, browser) = (Setting::new(), Browser::start().await);
    browser.come_in(&setting.session).await;
    let devices = [
        ("on-a-desk", Device::DESKTOP),
        ("on-a-phone", Device::PHONE),
        ("without-scripts", Device::NO_SCRIPTS),
    ];
    for (slug, device) in devices {
        let fields = ["orderid:text", "total:decimal", "day:date", "page:text"];
        create(setting.folder.path(), &slug.replace('-', " "), &fields, None);
        let person = Person::with(&browser, device).await;
        open(&setting, &browser, slug).await;
        // What changed choices ask for comes by itself, or by a button.
        let changed = async || {
            if !device.scripts {
                person.presses("button", "Show what changed choices ask for").await;
            }
        };
        assert_eq!(
            person.reads_input("CSS selector of the form").await,
            "form:has([name=orderid])"
        );
        person.types("CSS selector of the form", "#checkout").await;
        person.chooses("It counts", "once the address contains").await;
        changed().await;
        person.finds("input", "Address").await;
        person.chooses("It counts", "once an element is on the page").await;
        changed().await;
        person.types("CSS selector of the sign", ".thanks").await;
        person.presses("button", "Only on some pages").await;
        person.chooses("On pages whose address", "contains").await;
        person.types("Address", "/checkout").await;

        assert_eq!(person.reads_input("Name of the input for orderid").await, "orderid");
        person.chooses("Comes from (for total)", "Text of an element").await;
        changed().await;
        person.types("CSS selector for total", "#total").await;
        person.chooses("Decimals are written for total", "with a comma: 1.299,50").await;
        person.chooses("Comes from (for day)", "Attribute of an element").await;
        changed().await;
        person.types("CSS selector for day", "#summary").await;
        person.types("Attribute for day", "data-day").await;
        person.chooses("Dates are written for day", "day first: 23/11/2026").await;
        let first = "The first on the page, not the nearest to the action (for day)";
        person.presses("checkbox", first).await;
        person.chooses("Comes from (for page)", "Title of the page").await;
        changed().await;
        person.reads("What the browser's tab shows.").await;
        let hold = "Hold events until beaconry.consent(true); nothing is stored or sent before";
        person.presses("radio", hold).await;
        let test = "Test mode: everything from this snippet is a trial that is kept a day and counts nowhere";
        person.presses("checkbox", test).await;
        person.presses("button", "Only save").await;
        person.finds("button", "Enable web tracking").await;

        let saved = setting.server.json(&["tracking", "show", slug]);
        assert_eq!(
            (&saved["consent"], &saved["test"]),
            (&json!("hold"), &json!(true)),
            "{device:?}"
        );
        let trigger = json!([{ "on": { "submit": "#checkout" }, "url": [{ "contains": "/checkout" }],
            "success": { "element": ".thanks" } }]);
        assert_eq!(saved["trigger"], trigger, "{device:?}");
        let from = |name: &str| {
            let all = saved["field"].as_array().unwrap();
            all.iter().find(|field| field["name"] == name).unwrap().clone()
        };
        assert_eq!(from("orderid")["from"], json!({ "form_input": "orderid" }));
        assert_eq!(from("total")["from"], json!({ "text": "#total" }));
        assert_eq!(from("total")["decimals"], json!("comma"));
        let day = json!({ "attribute": { "selector": "#summary", "name": "data-day" } });
        assert_eq!((&from("day")["from"], &from("day")["dates"]), (&day, &json!("dmy")));
        assert_eq!(
            (&from("day")["anywhere"], &from("page")["from"]),
            (&json!(true), &json!("title"))
        );
    }
}

/// A server on an event whose snippet is pinned to version 1, while version 2 is current.
fn left_behind() -> (Setting, String) {
    let (folder, site) = (tempfile::tempdir().unwrap(), Site::start());
    let two_hours_ago = |arguments: &[&str]| {
        let run = beaconry(folder.path(), -120, arguments);
        assert_eq!(run.code, 0, "{run:?}");
    };
    let new = ["event", "create", "--category", "transactions", "--name", "Order placed"];
    two_hours_ago(&["section", "create", "Shop", "--origin", &site.origin]);
    two_hours_ago(&[new.as_slice(), &["--retention", "2y", "--field", "orderid:text"]].concat());
    two_hours_ago(&["tracking", "enable", "order-placed"]);
    two_hours_ago(&["event", "edit", "order-placed", "--add-field", "note:text"]);
    let server = Server::start(folder.path());
    let session = Session::administrator(&server);
    let shown = server.json(&["event", "show", "order-placed"]);
    let page =
        format!("{}/events/{}/capture", server.console, shown["discriminator"].as_str().unwrap());
    (Setting { server, site, folder, session }, page)
}

#[tokio::test]
async fn who_saves_and_regenerates_is_told_what_becomes_stale_and_chooses() {
    for device in [Device::PHONE, Device::NO_SCRIPTS] {
        let (setting, page) = left_behind();
        let status = || setting.server.json(&["tracking", "status", "order-placed"]);
        let browser = Browser::start().await;
        browser.come_in(&setting.session).await;
        let person = Person::with(&browser, device).await;
        browser.open(&page).await;
        person
            .reads(
                "The new snippet carries version 2. Snippets that are pasted now carry version 1.",
            )
            .await;
        let choice = "Accept until the new snippet has been seen, then reject";
        person.presses("radio", choice).await;
        // The choice stays while the form is changed, and what is only saved changes nothing for what is out.
        person.presses("button", "Add a trigger").await;
        person.types("CSS selector", ".buy").await;
        assert!(person.finds("radio", choice).await.is_selected().await.unwrap());
        person.presses("button", "Only save").await;
        person.reads("It still works; regenerate it, and paste the new code.").await;
        assert_eq!((&status()["pinned"], &status()["stale"]), (&json!(1), &json!("reject")));

        browser.open(&page).await;
        person.presses("radio", choice).await;
        person.presses("button", "Save and regenerate the snippet").await;
        person.reads("The pasted snippet is up to date.").await;
        assert_eq!(
            (&status()["pinned"], &status()["stale"]),
            (&json!(2), &json!("until-new-seen"))
        );
        browser.open(&page).await;
        person.finds("button", "Save and regenerate the snippet").await;
        assert!(
            !person.page().await.contains("Snippets that are pasted already"),
            "none is left behind"
        );
    }
}
