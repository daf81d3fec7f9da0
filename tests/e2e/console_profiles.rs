//! Profiles in the console: found by any key, shown with all that is known, exported, erased, locked.

use beaconry_tests::{
    Browser, Device, Person, Session, beacon, event, event_id, eventually, get, post, request,
};
use serde_json::{Value, json};

use crate::setting::{Setting, run};

const MARKUP: &str = "<img src=x onerror=owned=1>\"'&amp;";

/// A shop with a person: a visitor with two orders on a page, an order by the API, an attribute and a consent.
pub(crate) struct Known {
    pub(crate) setting: Setting,
    /// The profile's page.
    pub(crate) page: String,
    pub(crate) section: String,
    pub(crate) event: String,
    pub(crate) list: String,
    pub(crate) topic: String,
}

pub(crate) fn known(name: &str) -> Known {
    let setting = Setting::new();
    let key = setting.event("Order placed", &["total:number", "note:text"]);
    let folder = setting.folder.path();
    run(folder, &["consent-list", "create", "News", "--topic", "Weekly"]);
    let key_made = ["key", "create", "it", "--section", "Shop", "--keyspace", "email"];
    let more = ["--keyspace", "web", "--read", "--write"];
    let api_key = setting.server.json(&[&key_made[..], &more].concat());
    for n in 1..=2 {
        let data = json!({ "source": "Website", "total": n * 100, "note": name });
        let mut one = event(&event_id(n), &key, 1, data);
        one["url"] = json!("https://shop.example/thanks");
        let mut body: Value = serde_json::from_str(&beacon(vec![one])).unwrap();
        body["visitor"] = json!("visitor-ada");
        let sent = post(&setting.server.collector, "/c", &[], body.to_string().as_bytes());
        assert_eq!(sent.status, 204);
    }
    let api = Api::of(&setting, &api_key);
    let of = |path: &str| api.get(&format!("/audience/sections/{}{path}", api.section));
    let list = eventually("the server notices the list", || {
        of("/consent-lists")["items"][0]["discriminator"].as_str().map(str::to_owned)
    });
    let topic = eventually("the server notices the topic", || {
        let topics = of(&format!("/consent-lists/{list}/topics"));
        topics["items"][0]["discriminator"].as_str().map(str::to_owned)
    });
    let (email, web) = ("com.apsis1.keyspaces.email", "com.apsis1.keyspaces.web");
    let keys = json!({ "profiles": [
        { "keyspace_discriminator": email, "profile_key": "ada@shop.example" },
        { "keyspace_discriminator": web, "profile_key": "visitor-ada" } ] });
    api.send("PUT", "/audience/profiles/merges", &keys);
    let attributes = of("/attributes");
    let attributes = attributes["items"].as_array().unwrap();
    let first_name = attributes.iter().find(|one| one["name"] == "First name").unwrap();
    let of_ada =
        format!("/audience/keyspaces/{email}/profiles/ada%40shop.example/sections/{}", api.section);
    let mut values = serde_json::Map::new();
    values.insert(first_name["versions"][0]["id"].as_str().unwrap().to_owned(), json!(name));
    api.send("PATCH", &format!("{of_ada}/attributes"), &Value::Object(values));
    let channel = "/audience/channels/com.apsis1.channels.email/addresses/ada%40shop.example";
    let consent = json!({ "section_discriminator": api.section, "consent_list_discriminator": list,
        "topic_discriminator": topic, "type": "opt-in" });
    api.send("POST", &format!("{channel}/consents"), &consent);
    let events = of("/events");
    let event = &events["items"][0];
    let item = json!({ "version_id": event["versions"][0]["id"], "data": { "source": "ERP", "total": 300 } });
    api.send("POST", &format!("{of_ada}/events"), &json!({ "items": [item] }));
    let shown = eventually("all three events are on the timeline", || {
        let shown = setting.server.json(&["profile", "show", "ada@shop.example"]);
        (shown["events"].as_array().map(Vec::len) == Some(3)).then_some(shown)
    });
    Known {
        page: format!("/profiles/{}", shown["id"].as_str().unwrap()),
        section: api.section.clone(),
        event: event["discriminator"].as_str().unwrap().to_owned(),
        list,
        topic,
        setting,
    }
}

/// The API, as a back end has it.
struct Api {
    console: String,
    token: String,
    section: String,
}

impl Api {
    fn of(setting: &Setting, key: &Value) -> Api {
        let console = setting.server.console.clone();
        let asked = json!({ "grant_type": "client_credentials",
            "client_id": key["client_id"], "client_secret": key["client_secret"] });
        let headers = ["Content-Type: application/json"];
        let answer = post(&console, "/oauth/token", &headers, asked.to_string().as_bytes());
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let section =
            setting.server.json(&["section", "list"])[0]["id"].as_str().unwrap().to_owned();
        Api { console, token, section }
    }

    fn get(&self, path: &str) -> Value {
        let bearer = format!("Authorization: Bearer {}", self.token);
        // Who waits for the server to notice something asks more often than one key may.
        let answer = eventually("the limit lets it through", || {
            let answer = get(&self.console, path, &[&bearer]);
            (answer.status != 429).then_some(answer)
        });
        answer.json()
    }

    fn send(&self, method: &str, path: &str, body: &Value) {
        let body = body.to_string();
        let headers = [
            &*format!("Authorization: Bearer {}", self.token),
            "Content-Type: application/json",
            &*format!("Content-Length: {}", body.len()),
        ];
        let answer = eventually("the limit lets it through", || {
            let answer = request(&self.console, method, path, &headers, body.as_bytes());
            (answer.status != 429).then_some(answer)
        });
        assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.text());
    }
}

async fn find_and_look(device: Device) {
    let known = known("Ada");
    let browser = Browser::start().await;
    browser.come_in(&known.setting.session).await;
    let person = Person::with(&browser, device).await;
    let console = &known.setting.server.console;
    browser.open(&format!("{console}/")).await;
    person.presses("link", "Profiles").await;
    person.reads("There is one.").await;
    person.types("Key", "nobody@shop.example").await;
    person.presses("button", "Find").await;
    person.reads("Nobody has this key.").await;
    person.types("Key", "not an address").await;
    person.chooses("Which kind of key", "Email").await;
    person.presses("button", "Find").await;
    person.reads("Email: expected an address like ada@shop.example.").await;
    person.types("Key", " ADA@shop.example ").await;
    person.presses("button", "Find").await;
    person.finds("heading", "ada@shop.example").await;
    let address = browser.run("return location.href").await;
    assert_eq!(address.as_str().unwrap(), format!("{console}{}", known.page), "it names nobody");

    let page = person.page().await;
    for said in [
        "By the API, from ERP",
        "On https://shop.example/thanks",
        "Version 1",
        "visitor-ada",
        "First name Ada Shop, version 1",
        "opt-in Weekly",
        "News, by email to ada@shop.example",
    ] {
        assert!(page.contains(said), "{said:?}: {page}");
    }
    for key in ["visitor-ada", "ada@shop.example"] {
        browser.open(&format!("{console}/profiles")).await;
        person.types("Key", key).await;
        person.presses("button", "Find").await;
        person.finds("heading", "ada@shop.example").await;
    }
}

#[tokio::test]
async fn a_person_is_found_by_any_key() {
    find_and_look(Device::DESKTOP).await;
}

#[tokio::test]
async fn a_person_is_found_by_any_key_on_a_phone() {
    find_and_look(Device::PHONE).await;
}

#[tokio::test]
async fn a_person_is_found_by_any_key_without_scripts() {
    find_and_look(Device::NO_SCRIPTS).await;
}

async fn erase(device: Device, lock: bool) {
    let known = known("Ada");
    let browser = Browser::start().await;
    browser.come_in(&known.setting.session).await;
    let person = Person::with(&browser, device).await;
    let console = &known.setting.server.console;
    let export = known.setting.session.get(&format!("{}/export", known.page));
    assert!(export.header("content-disposition").unwrap().contains("attachment"));
    let kept = export.json();
    assert_eq!(kept["events"].as_array().unwrap().len(), 3);
    assert_eq!(kept["attributes"][0]["value"], "Ada");

    browser.open(&format!("{console}{}", known.page)).await;
    person.presses("link", "Erase…").await;
    person.reads("This cannot be undone.").await;
    person.reads("3 events on the timeline").await;
    if lock {
        let name = "Lock: refuse them for ever, by every key they have. What is kept for that are hashes that name nobody, and it cannot be lifted";
        person.presses("radio", name).await;
    }
    person.types("To erase them, type the word erase", "no").await;
    person.presses("button", "Erase for good").await;
    person.reads("Type erase, to show that you mean it.").await;
    person.types("To erase them, type the word erase", "erase").await;
    person.presses("button", "Erase for good").await;
    person.reads("No file of the data folder holds anything of this person any more.").await;
    person.reads("3 events on the timeline").await;
    person.reads("2 keys").await;
    person.presses("link", "Back to the profiles").await;
    person.types("Key", "ada@shop.example").await;
    person.presses("button", "Find").await;
    person.reads(if lock { "erased and locked" } else { "Nobody has this key." }).await;
    assert_eq!(known.setting.session.get(&known.page).status, 404);
    let audit = known.setting.session.get("/settings/audit").text();
    assert!(audit.contains(if lock { "profile.lock" } else { "profile.erase" }), "{audit}");
    assert!(!audit.contains("ada@shop.example"), "the log names nobody who was erased");
}

#[tokio::test]
async fn a_person_is_erased_after_a_word() {
    erase(Device::DESKTOP, false).await;
}

#[tokio::test]
async fn a_person_is_locked_without_scripts() {
    erase(Device::NO_SCRIPTS, true).await;
}

#[test]
fn a_long_timeline_is_paged_and_hidden_events_do_not_show() {
    let setting = Setting::new();
    let key = setting.event("It", &["n:number"]);
    let other = setting.event("Other", &["n:number"]);
    for (part, key) in [(0, &key), (1, &key), (2, &other)] {
        let one = |n: u64| {
            let data = json!({ "source": "Website", "n": part * 1000 + n });
            event(&event_id(part * 1000 + n), key, 1, data)
        };
        let mut body: Value = serde_json::from_str(&beacon((0..60).map(one).collect())).unwrap();
        body["visitor"] = json!("visitor-1");
        let sent = post(&setting.server.collector, "/c", &[], body.to_string().as_bytes());
        assert_eq!(sent.status, 204);
    }
    let id = eventually("the visitor is a profile", || {
        let shown = setting.server.json(&["profile", "export", "web:visitor-1"]);
        (shown["events"].as_array()?.len() == 180).then(|| shown["id"].as_str().unwrap().to_owned())
    });
    let (mut page, mut seen, mut pages) = (format!("/profiles/{id}"), Vec::new(), 0);
    loop {
        let text = setting.session.get(&page).text();
        seen.extend(
            text.split("<dt>n</dt><dd>")
                .skip(1)
                .map(|rest| rest.split('<').next().unwrap().parse::<u64>().unwrap()),
        );
        pages += 1;
        let older = text.split("href=\"").filter(|rest| rest.contains(">Older</a>")).last();
        let Some(older) = older.map(|rest| rest.split('"').next().unwrap()) else { break };
        if !older.contains("before=") || pages > 10 {
            break;
        }
        page = older.replace("&#38;", "&").replace("&amp;", "&");
    }
    assert_eq!((seen.len(), pages), (180, 4));
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 180, "each once");
    run(setting.folder.path(), &["event", "hide", "other", "--yes"]);
    eventually("hidden events leave the timeline", || {
        let text = setting.session.get(&format!("/profiles/{id}")).text();
        (!text.contains("Other") && text.contains("It")).then_some(())
    });
}

#[test]
fn who_may_only_look_erases_and_exports_nobody() {
    let known = known("Ada");
    let viewer = Session::of_role(&known.setting.server, "viewer");
    let page = viewer.get(&known.page);
    assert!(page.status == 200 && !page.text().contains("Erase…"));
    assert_eq!(viewer.get(&format!("{}/export", known.page)).status, 403);
    let erase = format!("{}/erase", known.page);
    for role in ["viewer", "marketer"] {
        let session = Session::of_role(&known.setting.server, role);
        assert_eq!(session.post(&erase, &[("word", "erase")]).status, 403, "{role}");
    }
    assert_eq!(viewer.get(&known.page).status, 200, "still there");
}

#[tokio::test]
async fn what_people_are_called_is_text() {
    let known = known(MARKUP);
    let browser = Browser::start().await;
    browser.come_in(&known.setting.session).await;
    let person = Person::at(&browser);
    browser.open(&format!("{}{}", known.setting.server.console, known.page)).await;
    person.reads(MARKUP).await;
    let found = browser.run("return [document.querySelectorAll('img').length, typeof owned]").await;
    assert_eq!(found, json!([0, "undefined"]));
    browser.open(&format!("{}/profiles", known.setting.server.console)).await;
    person.types("Key", MARKUP).await;
    person.presses("button", "Find").await;
    person.reads("Nobody has this key.").await;
    assert_eq!(person.reads_input("Key").await, MARKUP);
}
