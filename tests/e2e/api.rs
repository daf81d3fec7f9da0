//! The API over plain sockets, against the binary: each path with its statuses, who may what, and the limits.

use std::path::Path;

use beaconry_tests::{Answer, Server, Session, beaconry, request};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::setting::{create, run};

pub(crate) const EMAIL: &str = "com.apsis1.keyspaces.email";
pub(crate) const CRM_ID: &str = "com.apsis1.keyspaces.crm-id";
const WEB: &str = "com.apsis1.keyspaces.web";
/// Options for a server that may be asked as often as one likes.
pub(crate) const UNBOUND: [&str; 6] =
    ["--api-rate", "0", "--api-profile-rate", "0", "--api-token-rate", "0"];

/// A server with a section, an event and an API key for everything but web visitors.
pub(crate) struct Api {
    pub(crate) server: Server,
    pub(crate) folder: TempDir,
    pub(crate) token: String,
    pub(crate) section: String,
    pub(crate) event: String,
}

impl Api {
    /// Without bounds on how often it is asked.
    pub(crate) fn new() -> Api {
        Api::with(&UNBOUND)
    }

    fn with(options: &[&str]) -> Api {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), &["section", "create", "Shop", "--origin", "https://shop.example"]);
        create(folder.path(), "Order placed", &["orderid:text:required", "total:decimal"], None);
        Api::on(folder, options)
    }

    /// A server on a folder that has a section "Shop" with an event "Order placed".
    pub(crate) fn on(folder: TempDir, options: &[&str]) -> Api {
        let (section, event) =
            (section(folder.path(), "Shop"), event(folder.path(), "order-placed"));
        let server = Server::start_with(folder.path(), options);
        let mut api = Api { server, folder, token: String::new(), section, event };
        api.token = api.token_of(&[
            "--all-sections",
            "--keyspace",
            "email",
            "--keyspace",
            "crm-id",
            "--read",
            "--write",
        ]);
        api
    }

    /// An access token of a new key with these grants.
    pub(crate) fn token_of(&self, grants: &[&str]) -> String {
        let key = beaconry(
            self.folder.path(),
            0,
            &[&["key", "create", "Test", "--json"], grants].concat(),
        )
        .json();
        let answer = self.sign_in(&key);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn sign_in(&self, key: &Value) -> Answer {
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": key["client_id"],
            "client_secret": key["client_secret"],
        });
        self.ask("POST", "/oauth/token", "", &body)
    }

    pub(crate) fn person(&self) -> String {
        let made = beaconry(self.folder.path(), 0, &["token", "create", "Laptop", "--json"]).json();
        made["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn ask(&self, method: &str, path: &str, token: &str, body: &Value) -> Answer {
        self.ask_with(method, path, token, &[], body)
    }

    fn ask_with(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[&str],
        body: &Value,
    ) -> Answer {
        let authorization = format!("Authorization: Bearer {token}");
        let mut headers = headers.to_vec();
        if !token.is_empty() {
            headers.push(&authorization);
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let length = format!("Content-Length: {}", body.len());
        headers.extend(["Content-Type: application/json", &length]);
        request(&self.server.console, method, path, &headers, body.as_bytes())
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &self.token, &Value::Null)
    }

    /// A problem's status and detail, where it is one as it must be.
    pub(crate) fn problem(answer: &Answer) -> (u16, String) {
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{}",
            answer.text()
        );
        let problem = answer.json();
        assert_eq!(problem["status"], json!(answer.status));
        assert!(problem["title"].is_string() && problem["code"].is_string());
        (answer.status, problem["detail"].as_str().unwrap().to_owned())
    }

    #[track_caller]
    fn refuses(&self, method: &str, path: &str, body: &Value, status: u16, words: &str) {
        let answer = self.ask(method, path, &self.token, body);
        let (got, detail) = Api::problem(&answer);
        assert_eq!(got, status, "{method} {path}: {detail}");
        assert!(detail.contains(words), "{method} {path}: {detail}");
    }

    fn profile(&self, keyspace: &str, key: &str, rest: &str) -> String {
        format!("/audience/keyspaces/{keyspace}/profiles/{key}{rest}")
    }

    pub(crate) fn events_of(&self, key: &str) -> String {
        self.profile(EMAIL, key, &format!("/sections/{}/events", self.section))
    }

    /// The id of the version to post with.
    fn version(&self) -> String {
        let events = self.get(&format!("/audience/sections/{}/events", self.section)).json();
        let versions = events["items"][0]["versions"].as_array().unwrap().clone();
        let current = versions.iter().find(|version| version["deprecated_at"].is_null()).unwrap();
        current["id"].as_str().unwrap().to_owned()
    }

    /// The id of the current version of an attribute.
    fn attribute(&self, name: &str) -> String {
        let path = format!("/audience/sections/{}/attributes", self.section);
        let items = self.get(&path).json()["items"].as_array().unwrap().clone();
        let found = items.iter().find(|item| item["name"] == json!(name)).unwrap();
        found["versions"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Makes a profile with this email address.
    fn make(&self, key: &str) {
        let path = self.profile(EMAIL, key, &format!("/sections/{}/attributes", self.section));
        let body = json!({ self.attribute("First name"): "Ada" });
        assert_eq!(self.ask("PATCH", &path, &self.token, &body).status, 204);
    }

    /// Lets nobody read or write the event by email addresses.
    pub(crate) fn forbid_email(&self) {
        let file = self.folder.path().join("allowed.toml");
        let both = "read = true\nwrite = true\n";
        let toml = format!(
            "[allowed.email]\nread = false\nwrite = false\n[allowed.mobile]\n{both}[allowed.crm_id]\n{both}"
        );
        std::fs::write(&file, toml).unwrap();
        let file = file.to_str().unwrap();
        run(self.folder.path(), &["event", "edit", "order-placed", "--file", file]);
    }

    pub(crate) fn item(&self, order: &str) -> Value {
        json!({
            "event_time": "2026-01-01T12:00:00+01:00",
            "version_id": self.version(),
            "data": { "source": "ERP", "orderid": order, "total": 12.5 },
        })
    }
}

fn section(data: &Path, name: &str) -> String {
    let sections = beaconry(data, 0, &["section", "list", "--json"]).json();
    let found = sections.as_array().unwrap().iter().find(|section| section["name"] == json!(name));
    found.unwrap()["id"].as_str().unwrap().to_owned()
}

fn event(data: &Path, slug: &str) -> String {
    let shown = beaconry(data, 0, &["event", "show", slug, "--json"]).json();
    shown["discriminator"].as_str().unwrap().to_owned()
}

#[test]
fn a_token_is_for_who_knows_the_secret() {
    let api = Api::new();
    let grants = ["--all-sections", "--keyspace", "email", "--read", "--json"];
    let key = beaconry(api.folder.path(), 0, &[&["key", "create", "Reader"][..], &grants].concat())
        .json();
    let answer = api.sign_in(&key).json();
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("bearer"), &json!(86_400)));
    // Clients read when it is over from the token itself.
    assert_eq!(answer["access_token"].as_str().unwrap().split('.').count(), 3);
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        key["client_id"].as_str().unwrap(),
        key["client_secret"].as_str().unwrap()
    );
    let length = format!("Content-Length: {}", form.len());
    let headers = ["Content-Type: application/x-www-form-urlencoded", &length];
    assert_eq!(
        request(&api.server.console, "POST", "/oauth/token", &headers, form.as_bytes()).status,
        200
    );
    let table = [
        (
            json!({ "grant_type": "client_credentials", "client_id": key["client_id"], "client_secret": "other" }),
            401,
        ),
        (
            json!({ "grant_type": "client_credentials", "client_id": "none", "client_secret": "other" }),
            401,
        ),
        (json!({ "grant_type": "password", "client_id": "none", "client_secret": "other" }), 400),
        (json!({ "grant_type": "client_credentials" }), 400),
        (json!([]), 400),
    ];
    for (body, status) in table {
        assert_eq!(Api::problem(&api.ask("POST", "/oauth/token", "", &body)).0, status, "{body}");
    }
    // What no longer lets in.
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(api.ask("GET", "/audience/sections", token, &Value::Null).status, 200);
    for token in ["", "a.b.c", "bcn_0", &format!("{token}A")] {
        let answer = api.ask("GET", "/audience/sections", token, &Value::Null);
        assert_eq!(Api::problem(&answer).0, 401, "{token}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    }
    run(api.folder.path(), &["key", "revoke", key["client_id"].as_str().unwrap()]);
    beaconry_tests::eventually("a revoked key lets nobody in", || {
        (api.ask("GET", "/audience/sections", token, &Value::Null).status == 401).then_some(())
    });
}

#[test]
fn definitions_are_lists_of_items_with_discriminator_and_name() {
    let api = Api::new();
    let section = &api.section;
    for path in [
        "/audience/keyspaces".to_owned(),
        "/audience/channels".to_owned(),
        "/audience/sections".to_owned(),
        format!("/audience/sections/{section}/events"),
        format!("/audience/sections/{section}/attributes"),
    ] {
        let answer = api.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let items = answer.json()["items"].as_array().unwrap().clone();
        assert!(!items.is_empty(), "{path}");
        assert!(
            items.iter().all(|item| item["discriminator"].is_string() && item["name"].is_string())
        );
    }
    for path in [
        format!("/audience/sections/{section}/consent-lists"),
        "/audience/segments/".to_owned(),
        "/audience/segments".to_owned(),
    ] {
        assert_eq!(api.get(&path).json(), json!({ "items": [] }), "{path}");
    }
    let keyspaces = api.get("/audience/keyspaces").json();
    assert_eq!(keyspaces["items"][0]["discriminator"], json!(EMAIL));
    let event = &api.get(&format!("/audience/sections/{section}/events")).json()["items"][0];
    assert_eq!(event["discriminator"], json!(api.event));
    let version = &event["versions"][0];
    assert_eq!((&version["number"], &version["deprecated_at"]), (&json!(1), &Value::Null));
    assert_eq!(
        version["fields"],
        json!([
            { "name": "source", "type": "text", "required": true },
            { "name": "orderid", "type": "text", "required": true },
            { "name": "total", "type": "decimal", "required": false },
        ])
    );
    for (method, path, status) in [
        ("GET", "/audience/sections/com.beaconry.sections.none-0000000000/events", 404),
        ("GET", "/audience/segments/none", 404),
        ("GET", "/audience/none", 404),
        ("GET", "/v1/none", 404),
        ("DELETE", "/audience/sections", 405),
        ("GET", "/audience/sections/%zz/events", 400),
        ("GET", "/audience/sections/%ff/events", 400),
    ] {
        assert_eq!(
            Api::problem(&api.ask(method, path, &api.token, &Value::Null)).0,
            status,
            "{method} {path}"
        );
    }
}

#[test]
fn events_are_posted_to_a_profile_and_read_back() {
    let api = Api::new();
    let path = api.events_of("ada%40shop.example");
    let post = |items: Value| api.ask("POST", &path, &api.token, &json!({ "items": items }));
    api.refuses(
        "POST",
        &path,
        &json!({ "items": [api.item("A-1")] }),
        404,
        "create it by setting an attribute or by a merge",
    );
    api.make("ada%40shop.example");
    let answer = post(json!([api.item("A-1"), api.item("A-2")]));
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json(), json!({ "stored": 2, "duplicates": 0 }));
    // The same person, however the address is written.
    for key in ["ada@shop.example", "ADA%40Shop.Example", "%61da%40shop.example"] {
        let answer = api.get(&api.events_of(key));
        assert_eq!(
            answer.json()["items"].as_array().map(Vec::len),
            Some(2),
            "{key}: {}",
            answer.text()
        );
    }
    let item = api.get(&path).json()["items"][1].clone();
    assert_eq!(item["event_time"], json!("2026-01-01T11:00:00.000Z"));
    assert_eq!(
        (&item["version_id"], &item["discriminator"]),
        (&json!(api.version()), &json!(api.event))
    );
    assert_eq!(item["data"], json!({ "source": "ERP", "orderid": "A-1", "total": 12.5 }));
    // Decoded once, and no more.
    for (key, other) in [
        ("100%25", "100"),
        ("%2540", "%40"),
        ("a%2Fb", "a"),
        ("a+b", "a%20b"),
        ("%E6%97%A5", "%25E6"),
    ] {
        let path =
            |key: &str| api.profile(CRM_ID, key, &format!("/sections/{}/attributes", api.section));
        assert_eq!(api.ask("PATCH", &path(key), &api.token, &json!({})).status, 204, "{key}");
        assert_eq!((api.get(&path(key)).status, api.get(&path(other)).status), (200, 404), "{key}");
    }
    // A page at a time.
    let first = api.get(&format!("{path}?limit=1")).json();
    let next = first["next"].as_str().unwrap();
    let second = api.get(&format!("{path}?limit=1&before={next}")).json();
    assert_ne!(first["items"], second["items"]);
    let last = second["next"].as_str().unwrap();
    assert_eq!(
        api.get(&format!("{path}?before={last}")).json(),
        json!({ "items": [], "next": null })
    );
    for query in
        ["limit=0", "limit=1001", "limit=-1", "limit=x", "before=x", "from=yesterday", "from=%zz"]
    {
        assert_eq!(Api::problem(&api.get(&format!("{path}?{query}"))).0, 400, "{query}");
    }
    assert_eq!(api.get(&format!("{path}?from=2026-01-02T00:00:00Z")).json()["items"], json!([]));
    assert_eq!(
        api.get(&format!("{path}?event={}", api.event)).json()["items"].as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(Api::problem(&api.get(&format!("{path}?event=none"))).0, 404);
}

#[test]
fn all_items_of_a_post_are_taken_or_none() {
    let api = Api::new();
    api.make("ada%40shop.example");
    let path = api.events_of("ada%40shop.example");
    let mut wrong = api.item("A-2");
    wrong["data"] = json!({ "source": "ERP", "total": "12", "colour": "red" });
    let answer = api.ask("POST", &path, &api.token, &json!({ "items": [api.item("A-1"), wrong] }));
    assert_eq!(answer.status, 400);
    let problem = answer.json();
    let faults: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            (
                fault["item"].as_u64().unwrap(),
                fault["field"].as_str().unwrap(),
                fault["code"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        faults,
        [
            (1, "colour", "unexpected_field"),
            (1, "orderid", "missing_field"),
            (1, "total", "wrong_type")
        ]
    );
    assert_eq!(api.get(&path).json()["items"], json!([]), "nothing was stored");
    let mut unknown = api.item("A-1");
    unknown["version_id"] = json!("00000000-0000-4000-8000-000000000000");
    let mut future = api.item("A-1");
    future["event_time"] = json!("2999-01-01T00:00:00Z");
    let mut untimed = api.item("A-1");
    untimed["event_time"] = json!("yesterday");
    for (body, words) in [
        (json!({ "items": [unknown] }), "items[0].version_id: expected the id of a version"),
        (json!({ "items": [future] }), "items[0].event_time: expected a moment that has come"),
        (json!({ "items": [untimed] }), "items[0].event_time"),
        (json!({ "items": [] }), "items: expected at least one"),
        (json!({ "items": [1] }), "items[0]"),
        (json!({}), "body: expected"),
    ] {
        api.refuses("POST", &path, &body, 400, words);
    }
}

#[test]
fn a_second_try_is_known_as_one() {
    let api = Api::new();
    api.make("ada%40shop.example");
    let path = api.events_of("ada%40shop.example");
    let body = json!({ "items": [api.item("A-1"), api.item("A-2")] });
    let post = |key: &str| {
        let answer =
            api.ask_with("POST", &path, &api.token, &[&format!("Idempotency-Key: {key}")], &body);
        (answer.status, answer.json())
    };
    assert_eq!(post("one"), (201, json!({ "stored": 2, "duplicates": 0 })));
    assert_eq!(post("one"), (201, json!({ "stored": 0, "duplicates": 2 })));
    assert_eq!(post("two"), (201, json!({ "stored": 2, "duplicates": 0 })));
    let mut item = api.item("A-3");
    item["id"] = json!("order A-3");
    for stored in [1, 0] {
        let answer = api.ask("POST", &path, &api.token, &json!({ "items": [item] }));
        assert_eq!(answer.json()["stored"], json!(stored));
    }
    assert_eq!(post(&"k".repeat(201)).0, 400);
    let twice = json!({ "items": [item, item] });
    api.refuses("POST", &path, &twice, 400, "items[1].id: expected one that no other item has");
    let other = json!({ "items": [api.item("A-4")] });
    let reused = api.ask_with("POST", &path, &api.token, &["Idempotency-Key: one"], &other);
    assert_eq!(Api::problem(&reused).0, 409);
    assert_eq!(reused.json()["code"], json!("idempotency_key_reused"));
}

#[test]
fn a_version_is_posted_with_from_when_it_is_current_to_when_it_is_deprecated() {
    let api = Api::new();
    api.make("ada%40shop.example");
    let (path, first) = (api.events_of("ada%40shop.example"), api.version());
    run(api.folder.path(), &["event", "edit", "order-placed", "--add-field", "coupon:text"]);
    let events = format!("/audience/sections/{}/events", api.section);
    let pending = beaconry_tests::eventually("the pending version", || {
        let pending = api.get(&events).json()["items"][0]["pending_version"].clone();
        pending["id"].as_str().map(str::to_owned)
    });
    assert_eq!(api.version(), first, "the one to post with stays the one before");
    let with = |version: &str| json!({ "items": [{ "version_id": version, "data": { "source": "ERP", "orderid": "A" } }] });
    assert_eq!(api.ask("POST", &path, &api.token, &with(&first)).status, 201);
    api.refuses("POST", &path, &with(&pending), 400, "is pending until");
    // An hour later.
    let (folder, token, person) = (api.folder.path(), api.token.clone(), api.person());
    api.server.stop();
    let server = Server::start_shifted(folder, 61);
    let ask = |version: &str| {
        let body = with(version).to_string();
        let headers =
            [format!("Authorization: Bearer {token}"), format!("Content-Length: {}", body.len())];
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        request(&server.console, "POST", &path, &headers, body.as_bytes())
    };
    assert_eq!(ask(&pending).status, 201);
    let refused = Api::problem(&ask(&first));
    assert_eq!(refused.0, 400);
    assert!(
        refused.1.contains("is deprecated; use the current one, version 2")
            && refused.1.contains(&pending),
        "{}",
        refused.1
    );
    // Unless the event accepts old versions.
    let (path, body) = ("/v1/events/order-placed/tracking/enable", r#"{"stale":"accept"}"#);
    let headers =
        [format!("Authorization: Bearer {person}"), format!("Content-Length: {}", body.len())];
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let on = request(&server.console, "POST", path, &headers, body.as_bytes());
    assert_eq!(on.status, 200, "{}", on.text());
    assert_eq!(ask(&first).status, 201);
}

#[test]
fn attributes_are_patched_read_and_cleared_by_version() {
    let api = Api::new();
    let path = api.profile(
        EMAIL,
        "j%C3%B6rgen%2Blists%40shop.example",
        &format!("/sections/{}/attributes", api.section),
    );
    let (first, birthday) = (api.attribute("First name"), api.attribute("Birthday"));
    let patch = |body: &Value| api.ask("PATCH", &path, &api.token, body);
    assert_eq!(Api::problem(&api.get(&path)).0, 404);
    assert_eq!(patch(&json!({ &first: "Jörgen", &birthday: "1815-12-10" })).status, 204);
    assert_eq!(api.get(&path).json(), json!({ &first: "Jörgen", &birthday: "1815-12-10" }));
    assert_eq!(
        api.get(&format!("{path}/{first}")).json(),
        json!({ "version_id": first, "value": "Jörgen" })
    );
    assert_eq!(patch(&json!({ &birthday: null })).status, 204);
    assert_eq!(api.get(&path).json(), json!({ &first: "Jörgen" }));
    let refused = patch(&json!({ &first: "Other", &birthday: "yesterday" }));
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["errors"][0]["code"], json!("wrong_type"));
    assert_eq!(api.get(&path).json(), json!({ &first: "Jörgen" }), "all of it, or nothing");
    let clear =
        |version: &str| api.ask("DELETE", &format!("{path}/{version}"), &api.token, &Value::Null);
    assert_eq!(clear(&first).status, 204);
    assert_eq!(api.get(&path).json(), json!({}));
    assert_eq!(Api::problem(&api.get(&format!("{path}/{first}"))).0, 404);
    assert_eq!(clear("none").status, 400);
    for body in [json!([]), json!({ "none": 1 })] {
        api.refuses("PATCH", &path, &body, 400, "expected");
    }
    for (keyspace, key) in [(EMAIL, "ada"), (EMAIL, "%20"), (CRM_ID, "%00")] {
        let path = api.profile(keyspace, key, &format!("/sections/{}/attributes", api.section));
        api.refuses("PATCH", &path, &json!({}), 400, "expected");
    }
}

/// Values are read by the ids of the versions they were set under, and can be taken away by the same.
#[test]
fn a_value_is_cleared_by_the_id_it_is_read_under_also_after_its_attribute_was_edited() {
    let api = Api::new();
    run(api.folder.path(), &["attribute", "create", "Shoe size", "--type", "number"]);
    let path =
        api.profile(EMAIL, "ada%40shop.example", &format!("/sections/{}/attributes", api.section));
    let patch = |body: Value| api.ask("PATCH", &path, &api.token, &body);
    let versions = || -> Vec<String> {
        let all = api.get(&format!("/audience/sections/{}/attributes", api.section)).json();
        let items = all["items"].as_array().unwrap();
        let found = items.iter().find(|item| item["name"] == json!("Shoe size"));
        let versions = found.and_then(|item| item["versions"].as_array()).cloned();
        let id = |version: &Value| version["id"].as_str().unwrap().to_owned();
        versions.iter().flatten().map(id).collect()
    };
    let old = beaconry_tests::eventually("the attribute", || versions().pop());
    assert_eq!(patch(json!({ &old: 38 })).status, 204);
    run(api.folder.path(), &["attribute", "edit", "Shoe size", "--type", "decimal"]);
    let new = beaconry_tests::eventually("the edited attribute", || versions().get(1).cloned());
    assert_eq!(api.get(&path).json(), json!({ &old: 38 }));
    api.refuses("PATCH", &path, &json!({ &old: 39 }), 400, "the id of its current version");
    assert_eq!(patch(json!({ &old: null })).status, 204);
    assert_eq!(api.get(&path).json(), json!({}));
    // What replaces a value may take the one before away in the same breath.
    assert_eq!(patch(json!({ &old: null, &new: 38.5 })).status, 204);
    assert_eq!(api.get(&path).json(), json!({ &new: 38.5 }));
    let cleared = api.ask("DELETE", &format!("{path}/{old}"), &api.token, &Value::Null);
    assert_eq!((cleared.status, api.get(&path).json()), (204, json!({})));
}

#[test]
fn merged_profiles_are_one_and_an_erased_one_is_gone() {
    let api = Api::new();
    let named = |keyspace: &str, key: &str| json!({ "keyspace_discriminator": keyspace, "profile_key": key });
    let merge = |profiles: Value| {
        api.ask(
            "PUT",
            "/audience/profiles/merges",
            &api.token,
            &json!({ "profiles": profiles, "time_zone": "Europe/Stockholm" }),
        )
    };
    assert_eq!(merge(json!([named(EMAIL, "ada@shop.example"), named(CRM_ID, "C-1")])).status, 204);
    assert_eq!(merge(json!([named(CRM_ID, "C-1"), named(CRM_ID, "C-2")])).status, 204);
    let post = api.profile(CRM_ID, "C-2", &format!("/sections/{}/events", api.section));
    assert_eq!(
        api.ask("POST", &post, &api.token, &json!({ "items": [api.item("A-1")] })).status,
        201
    );
    let by_email = api.get(&api.events_of("ada%40shop.example")).json();
    assert_eq!(by_email["items"][0]["data"]["orderid"], json!("A-1"));
    for (profiles, status) in [
        (json!([named(EMAIL, "ada"), named(CRM_ID, "C-1")]), 400),
        (json!([named("none", "C-1"), named(CRM_ID, "C-1")]), 404),
        (json!([named(WEB, "visitor"), named(CRM_ID, "C-1")]), 403),
        (json!([]), 400),
    ] {
        assert_eq!(Api::problem(&merge(profiles.clone())).0, status, "{profiles}");
    }
    let profile = |key: &str, rest: &str| api.profile(CRM_ID, key, rest);
    assert_eq!(api.ask("DELETE", &profile("C-1", ""), &api.token, &Value::Null).status, 204);
    assert_eq!(Api::problem(&api.get(&post)).0, 404);
    assert_eq!(
        Api::problem(&api.ask("DELETE", &profile("C-1", ""), &api.token, &Value::Null)).0,
        404
    );
    // Deleted, the person can come again; locked, never.
    assert_eq!(merge(json!([named(CRM_ID, "C-1"), named(EMAIL, "ada@shop.example")])).status, 204);
    assert_eq!(api.ask("PUT", &profile("C-1", "/locks"), &api.token, &Value::Null).status, 204);
    for (method, path, body) in [
        ("PATCH", profile("C-1", &format!("/sections/{}/attributes", api.section)), json!({})),
        ("POST", api.events_of("ada%40shop.example"), json!({ "items": [api.item("A-1")] })),
        (
            "PUT",
            "/audience/profiles/merges".to_owned(),
            json!({ "profiles": [named(CRM_ID, "C-1"), named(CRM_ID, "C-9")] }),
        ),
    ] {
        api.refuses(method, &path, &body, 409, "locked for good");
    }
}

#[test]
fn a_key_opens_what_it_was_made_for() {
    let api = Api::new();
    run(api.folder.path(), &["section", "create", "Other", "--origin", "https://other.example"]);
    let other = section(api.folder.path(), "Other");
    let shop = ["--section", "Shop", "--keyspace", "email"];
    let reader = api.token_of(&[&shop[..], &["--read"]].concat());
    let writer = api.token_of(&[&shop[..], &["--write"]].concat());
    let web = api.token_of(&["--all-sections", "--keyspace", "web", "--read", "--write"]);
    api.make("ada%40shop.example");
    let here = api.events_of("ada%40shop.example");
    let there = here.replace(&api.section, &other);
    let (by_crm_id, by_web) = (here.replace(EMAIL, CRM_ID), here.replace(EMAIL, WEB));
    let profile = api.profile(EMAIL, "ada%40shop.example", "");
    let body = json!({ "items": [api.item("A-1")] });
    let none = Value::Null;
    let table = [
        ("GET", here.as_str(), &reader, &none, 200),
        ("POST", &here, &reader, &body, 403),
        ("POST", &here, &writer, &body, 201),
        ("GET", &here, &writer, &none, 403),
        ("GET", &there, &reader, &none, 403),
        ("GET", &by_crm_id, &reader, &none, 403),
        ("GET", &by_web, &reader, &none, 403),
        ("GET", &by_web, &api.token, &none, 403),
        ("GET", &by_web, &web, &none, 404),
        ("GET", &here, &web, &none, 403),
        // What reaches into all sections needs a key for all.
        ("DELETE", &profile, &writer, &none, 403),
        ("DELETE", &profile, &reader, &none, 403),
        ("GET", "/v1/events", &reader, &none, 200),
        ("POST", "/v1/definitions/plan", &writer, &json!({ "events": [] }), 403),
    ];
    for (method, path, token, body, status) in table {
        let answer = api.ask(method, path, token, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    }
    let names = |token: &str, path: &str| -> Vec<Value> {
        let items =
            api.ask("GET", path, token, &Value::Null).json()["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["name"].clone()).collect()
    };
    assert_eq!(names(&reader, "/audience/sections"), ["Shop"]);
    assert_eq!(names(&reader, "/audience/keyspaces"), ["Email"]);
    beaconry_tests::eventually("a key for all sections sees the new one", || {
        (names(&web, "/audience/sections") == ["Shop", "Other"]).then_some(())
    });
}

#[test]
fn an_events_allowed_operations_bind_the_api() {
    let api = Api::new();
    api.make("ada%40shop.example");
    let path = api.events_of("ada%40shop.example");
    let body = json!({ "items": [api.item("A-1")] });
    assert_eq!(api.ask("POST", &path, &api.token, &body).status, 201);
    api.forbid_email();
    beaconry_tests::eventually("a write that is not allowed is refused", || {
        (api.ask("POST", &path, &api.token, &body).status == 403).then_some(())
    });
    assert_eq!(api.get(&path).json()["items"], json!([]), "a read leaves the event out");
}

#[test]
fn segments_and_consents_are_evaluated() {
    let api = Api::new();
    let person = api.person();
    api.make("ada%40shop.example");
    let post = json!({ "items": [api.item("A-1")] });
    assert_eq!(
        api.ask("POST", &api.events_of("ada%40shop.example"), &api.token, &post).status,
        201
    );
    let segments = format!("/v1/sections/{}/segments", api.section);
    let segment = |name: &str, total: f64| {
        let test = json!([{ "field": "total", "at_least": total }]);
        let body = json!({ "name": name, "condition": { "event": { "event": api.event, "where": test } } });
        let made = api.ask("POST", &segments, &person, &body);
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["discriminator"].as_str().unwrap().to_owned()
    };
    let (low, high) = (segment("Bought", 10.0), segment("Bought much", 100.0));
    let evaluate = api.profile(EMAIL, "ada%40shop.example", "/evaluations");
    let body = json!({ "segments": [{ "discriminator": low }, { "discriminator": high }], "time_zone": "Europe/Stockholm" });
    let matches = api.ask("POST", &evaluate, &api.token, &body);
    let expected = json!({ "matches": [{ "discriminator": low }], "broken": [], "forbidden": [] });
    assert_eq!(matches.json(), expected);
    assert_eq!(api.get("/audience/segments/").json()["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(api.get(&format!("/audience/segments/{low}")).json()["name"], json!("Bought"));
    let nowhere = json!({ "segments": [], "time_zone": "Europe/Atlantis" });
    api.refuses("POST", &evaluate, &nowhere, 400, "time_zone: expected a name of IANA's database");
    api.refuses(
        "POST",
        &evaluate,
        &json!({ "segments": [{ "discriminator": "none" }] }),
        404,
        "segment: there is none",
    );
    let count = api.ask(
        "POST",
        &format!("{segments}/count"),
        &person,
        &json!({ "condition": { "all": [] } }),
    );
    assert_eq!((&count.json()["count"], &count.json()["of"]), (&json!(1), &json!(1)));
    let members =
        api.ask("GET", &format!("/v1/segments/{low}/members"), &person, &Value::Null).json();
    assert_eq!(members["items"][0]["keys"][0]["profile_key"], json!("ada@shop.example"));
    assert_eq!(
        api.ask("DELETE", &format!("/v1/segments/{low}"), &person, &Value::Null).status,
        204
    );
    api.refuses("GET", &format!("/audience/segments/{low}"), &Value::Null, 404, "segment");
    // A segment that names a hidden event is broken, and is not evaluated.
    run(api.folder.path(), &["event", "hide", "order-placed", "--yes"]);
    let body = json!({ "segments": [{ "discriminator": high }] });
    let broken = json!({ "matches": [], "broken": [{ "discriminator": high }], "forbidden": [] });
    beaconry_tests::eventually("the segment is broken", || {
        (api.ask("POST", &evaluate, &api.token, &body).json() == broken).then_some(())
    });
}

#[test]
fn who_is_in_a_segment_is_told_only_where_its_events_may_be_read() {
    let api = Api::new();
    let (person, none) = (api.person(), Value::Null);
    let everywhere = ["email", "crm-id", "web"].map(|keyspace| ["--keyspace", keyspace]).concat();
    let grants = [&["--all-sections", "--read", "--write"][..], &everywhere].concat();
    let merge = json!({ "profiles": [
        { "keyspace_discriminator": EMAIL, "profile_key": "ada@shop.example" },
        { "keyspace_discriminator": CRM_ID, "profile_key": "C-1" },
        { "keyspace_discriminator": WEB, "profile_key": "visitor-1" },
    ] });
    let everything = api.token_of(&grants);
    assert_eq!(api.ask("PUT", "/audience/profiles/merges", &everything, &merge).status, 204);
    let post = json!({ "items": [api.item("A-1")] });
    let events = api.events_of("ada%40shop.example");
    assert_eq!(api.ask("POST", &events, &api.token, &post).status, 201);
    let segments = format!("/v1/sections/{}/segments", api.section);
    let condition = json!({ "event": { "event": api.event } });
    let body = json!({ "name": "Bought", "condition": condition });
    let made = api.ask("POST", &segments, &person, &body).json();
    let segment = made["discriminator"].as_str().unwrap();
    let evaluate = |keyspace: &str, key: &str| {
        let path = api.profile(keyspace, key, "/evaluations");
        let body = json!({ "segments": [{ "discriminator": segment }] });
        api.ask("POST", &path, &api.token, &body).json()
    };
    let one = json!([{ "discriminator": segment }]);
    assert_eq!(evaluate(EMAIL, "ada%40shop.example")["matches"], one);
    let keys = || -> Vec<Vec<Value>> {
        let count = format!("{segments}/count");
        let count = api.ask("POST", &count, &person, &json!({ "condition": condition })).json();
        let members = api.ask("GET", &format!("/v1/segments/{segment}/members"), &person, &none);
        let found = [count["sample"][0].clone(), members.json()["items"][0].clone()];
        let keys = found.iter().map(|one| one["keys"].as_array().unwrap().iter());
        keys.map(|keys| keys.map(|key| key["profile_key"].clone()).collect()).collect()
    };
    let carried = [json!("ada@shop.example"), json!("C-1")];
    assert_eq!(keys(), [carried.clone(), carried], "no visitor's id");
    api.forbid_email();
    let refused = json!({ "matches": [], "broken": [], "forbidden": one });
    beaconry_tests::eventually("by email, nothing is said", || {
        (evaluate(EMAIL, "ada%40shop.example") == refused).then_some(())
    });
    assert_eq!(evaluate(CRM_ID, "C-1")["matches"], one);
    assert_eq!(keys(), [[json!("C-1")], [json!("C-1")]]);
    let listed = beaconry(api.folder.path(), 0, &["segment", "export", "Bought", "--json"]).out;
    assert!(listed.contains("C-1") && !listed.contains("ada@"), "{listed}");
    assert!(!listed.contains("visitor-1"), "{listed}");
}

#[test]
fn consents_are_given_for_an_address_and_read_back() {
    let api = Api::new();
    run(
        api.folder.path(),
        &["consent-list", "create", "Letters", "--topic", "News", "--topic", "Offers"],
    );
    let lists = format!("/audience/sections/{}/consent-lists", api.section);
    let list = beaconry_tests::eventually("the consent list", || {
        api.get(&lists).json()["items"][0]["discriminator"].as_str().map(str::to_owned)
    });
    let topics = api.get(&format!("{lists}/{list}/topics")).json();
    assert_eq!(topics["items"][0]["name"], json!("News"));
    let topic = |at: usize| topics["items"][at]["discriminator"].clone();
    let address =
        "/audience/channels/com.apsis1.channels.email/addresses/ada%40shop.example/consents";
    let say = |said: Value| {
        let mut body = json!({ "section_discriminator": api.section });
        body.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        api.ask("POST", address, &api.token, &body)
    };
    let of = |at: usize, what: &str| json!({ "consent_list_discriminator": list, "topic_discriminator": topic(at), "type": what });
    let of_list = |what: &str| json!({ "consent_list_discriminator": list, "type": what });
    assert_eq!(Api::problem(&say(of(0, "opt-in"))).0, 404, "nobody has the address yet");
    let rest = format!("/sections/{}/consent-lists/{list}", api.section);
    let read = format!("{address}{rest}/evaluations");
    let all = format!("{}{rest}", address.replace("/audience/", "/v1/"));
    let items = |path: &str| {
        let items = api.get(path).json()["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|item| (item["topic_discriminator"].clone(), item["type"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(api.get(&read).json(), json!({ "items": [] }), "nobody has the address yet");
    api.make("ada%40shop.example");
    assert_eq!((items(&read), items(&all)), (vec![], vec![]));
    for what in ["opt-in", "confirmed-opt-in"] {
        assert_eq!(say(of(0, what)).status, 201);
        assert_eq!(items(&read), [(topic(0), json!(what))]);
    }
    // Clients take every topic that is there as one that was agreed to.
    assert_eq!(say(of(0, "opt-out")).status, 201);
    assert_eq!((items(&read), items(&all)), (vec![], vec![(topic(0), json!("opt-out"))]));
    // They leave out what an opt-out is from all of, and an opt-in is never to all.
    for wide in [of_list("opt-out"), json!({ "type": "opt-out" })] {
        for at in [0, 1] {
            assert_eq!(say(of(at, "opt-in")).status, 201);
        }
        assert_eq!(items(&read).len(), 2);
        assert_eq!(say(wide.clone()).json()["type"], json!("opt-out"));
        assert_eq!(items(&read), [], "{wide}");
    }
    for (said, status) in [
        (of(0, "maybe"), 400),
        (of_list("opt-in"), 400),
        (json!({ "type": "confirmed-opt-in" }), 400),
        (json!({ "topic_discriminator": topic(0), "type": "opt-out" }), 400),
        (json!({ "consent_list_discriminator": "none", "type": "opt-out" }), 404),
        (
            json!({ "consent_list_discriminator": list, "topic_discriminator": "none", "type": "opt-out" }),
            404,
        ),
    ] {
        assert_eq!(Api::problem(&say(said.clone())).0, status, "{said}");
    }
    // The addresses of text messages are keys of the keyspace of mobile numbers, which this key is not for.
    let sms = address
        .replace("channels.email", "channels.sms")
        .replace("ada%40shop.example", "%2B46701234567");
    assert_eq!(Api::problem(&api.ask("POST", &sms, &api.token, &json!({}))).0, 400);
    assert_eq!(Api::problem(&api.get(&read.replace("channels.email", "channels.sms"))).0, 403);
    assert_eq!(Api::problem(&api.get(&read.replace("channels.email", "channels.letter"))).0, 404);
    assert_eq!(Api::problem(&api.get(&format!("{lists}/none/topics"))).0, 404);
}

#[test]
fn rates_and_sizes_are_bounded() {
    let api = Api::with(&["--api-rate", "20", "--api-profile-rate", "5", "--api-token-rate", "3"]);
    let many = |ask: &dyn Fn() -> Answer, most: usize| {
        let answers: Vec<_> = (0..most).map(|_| ask()).collect();
        answers.into_iter().find(|answer| answer.status == 429).expect("too many")
    };
    let refused = many(&|| api.get("/audience/sections"), 100);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(
        Api::problem(&refused).1,
        "expected at most 20 requests a second with one key; wait, then go on"
    );
    let other = api.token_of(&["--all-sections", "--keyspace", "email", "--read", "--write"]);
    let path = api.events_of("ada%40shop.example");
    let refused = many(&|| api.ask("GET", &path, &other, &Value::Null), 15);
    assert!(Api::problem(&refused).1.contains("5 requests a second for one profile"));
    // However the address is written, and where it is one of a channel.
    let consents = format!(
        "/audience/channels/com.apsis1.channels.email/addresses/bea%40shop.example/consents/sections/{}/consent-lists/none/evaluations",
        api.section
    );
    let spellings = [
        api.events_of("bea%40shop.example"),
        api.events_of("BEA@Shop.Example"),
        api.events_of("%20bea%40shop.example"),
        consents,
    ];
    // Another key: this one's own rate is nearly used up.
    let other = api.token_of(&["--all-sections", "--keyspace", "email", "--read", "--write"]);
    let paths = std::cell::RefCell::new(spellings.iter().cycle());
    let next = || api.ask("GET", paths.borrow_mut().next().unwrap(), &other, &Value::Null);
    let refused = many(&next, 15);
    assert!(Api::problem(&refused).1.contains("5 requests a second for one profile"));
    assert_ne!(
        api.ask("GET", &api.events_of("eve%40shop.example"), &other, &Value::Null).status,
        429
    );
    let unknown =
        json!({ "grant_type": "client_credentials", "client_id": "none", "client_secret": "none" });
    let refused = many(&|| api.ask("POST", "/oauth/token", "", &unknown), 10);
    assert!(Api::problem(&refused).1.contains("3 tokens a minute"));
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() > 1);
    let length = format!("Content-Length: {}", 100_001);
    let authorization = format!("Authorization: Bearer {other}");
    let large = request(
        &api.server.console,
        "POST",
        &api.events_of("eva%40shop.example"),
        &[&authorization, &length],
        &vec![b' '; 100_001],
    );
    assert_eq!(Api::problem(&large).0, 413);
}

#[test]
fn a_stranger_cannot_use_up_the_tokens_of_a_client() {
    let api = Api::with(&["--api-token-rate", "3"]);
    let grants = ["--all-sections", "--keyspace", "email", "--read", "--json"];
    let key = beaconry(api.folder.path(), 0, &[&["key", "create", "Reader"][..], &grants].concat());
    let key = key.json();
    let wrong = json!({ "client_id": key["client_id"], "client_secret": "guessed" });
    let tried: Vec<u16> = (0..10).map(|_| api.sign_in(&wrong).status).collect();
    assert_eq!(tried[..3], [401, 401, 401]);
    assert!(tried.contains(&429), "{tried:?}");
    assert_eq!(api.sign_in(&key).status, 200);
    assert_eq!(api.sign_in(&json!({ "client_id": "none", "client_secret": "x" })).status, 429);
}

#[test]
fn people_switch_tracking_and_take_snippets_by_api() {
    let api = Api::new();
    let person = api.person();
    let of = |rest: &str| format!("/v1/events/order-placed{rest}");
    let post = |rest: &str, body: Value| api.ask("POST", &of(rest), &person, &body);
    assert_eq!(Api::problem(&api.ask("GET", &of("/snippet"), &person, &Value::Null)).0, 409);
    let on = post("/tracking/enable", json!({ "stale": "accept" }));
    assert_eq!((&on.json()["enabled"], &on.json()["stale"]), (&json!(true), &json!("accept")));
    assert_eq!(Api::problem(&post("/tracking/enable", json!({}))).0, 409);
    assert_eq!(Api::problem(&post("/tracking/regenerate", json!({ "stale": "never" }))).0, 400);
    assert_eq!(post("/tracking/regenerate", json!({})).json()["pinned"], json!(1));
    let snippet = api.ask("GET", &of("/snippet"), &person, &Value::Null).json();
    assert_eq!(snippet["paste"], json!(crate::setting::paste(api.folder.path(), "order-placed")));
    for script in snippet["scripts"].as_array().unwrap() {
        let path = script["address"].as_str().unwrap().strip_prefix(&api.server.collector).unwrap();
        assert_eq!(beaconry_tests::get(&api.server.collector, path, &[]).status, 200);
    }
    assert_eq!(Api::problem(&post("/tracking/unschedule", Value::Null)).0, 409);
    assert_eq!(post("/tracking/disable", Value::Null).json()["enabled"], json!(false));
    let audit = api.server.json(&["audit"]);
    assert_eq!(
        (&audit[0]["action"], &audit[0]["actor"]),
        (&json!("tracking.disable"), &json!("command line"))
    );
}

#[test]
fn the_quarantine_is_read_and_replayed_by_api() {
    let api = Api::new();
    let person = api.person();
    let of = |rest: &str| format!("/v1/events/order-placed{rest}");
    assert_eq!(api.ask("POST", &of("/tracking/enable"), &person, &json!({})).status, 200);
    let key =
        api.server.json(&["event", "show", "order-placed"])["key"].as_str().unwrap().to_owned();
    let send = |n, data| {
        let body = beaconry_tests::beacon(vec![beaconry_tests::event(
            &beaconry_tests::event_id(n),
            &key,
            1,
            data,
        )]);
        beaconry_tests::post(&api.server.collector, "/c", &[], body.as_bytes()).status
    };
    assert_eq!(send(1, json!({ "source": "Website" })), 200);
    let kept = api.ask("GET", &of("/quarantine"), &person, &Value::Null).json();
    assert_eq!(kept["items"][0]["code"], json!("invalid_fields"));
    assert_eq!(kept["items"][0]["errors"][0]["field"], json!("orderid"));
    let replayed = api.ask("POST", &of("/quarantine/replay"), &person, &json!({})).json();
    assert_eq!(
        (&replayed["stored"], replayed["refused"].as_array().map(Vec::len)),
        (&json!(0), Some(1))
    );
    assert_eq!(Api::problem(&api.ask("GET", &of("/quarantine"), &api.token, &Value::Null)).0, 403);
    let audit = api.server.json(&["audit"]);
    assert_eq!(
        (&audit[0]["action"], &audit[0]["actor"], &audit[0]["thing"]),
        (&json!("quarantine.replay"), &json!("command line"), &json!(api.event))
    );
    assert!(audit[0]["after"].as_str().unwrap().contains("\"still_in_quarantine\":1"), "{audit}");
    // A visitor who has nothing here but that has no profile, and is deleted all the same.
    let web = api.token_of(&["--all-sections", "--keyspace", "web", "--write"]);
    let visitor = api.profile(WEB, "test-visitor", "");
    let delete = || api.ask("DELETE", &visitor, &web, &Value::Null).status;
    assert_eq!((delete(), delete()), (204, 404));
    let kept = api.ask("GET", &of("/quarantine"), &person, &Value::Null).json();
    assert_eq!(kept["items"], json!([]));
}

#[test]
fn the_description_is_openapi_and_a_page() {
    let api = Api::new();
    let described = api.ask("GET", "/openapi.json", "", &Value::Null).json();
    assert_eq!(described["openapi"], json!("3.1.0"));
    let path = "/audience/keyspaces/{keyspace}/profiles/{key}/sections/{section}/events";
    assert!(described["paths"][path]["post"]["responses"]["201"].is_object());
    let page = api.ask("GET", "/api", "", &Value::Null);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text().contains("Post events") && !page.text().contains("<script"));
}

#[test]
fn keys_and_tokens_are_made_and_revoked_in_the_console() {
    let api = Api::new();
    let session = Session::administrator(&api.server);
    let shown = |page: &str, id: &str| {
        let rest =
            page.split_once(&format!("id=\"{id}\" readonly value=\"")).expect("it is shown").1;
        rest.split('"').next().unwrap().to_owned()
    };
    let refused = session
        .post("/settings/keys", &[("name", "Shop"), ("keyspace-email", "yes"), ("read", "yes")]);
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("Sections: expected at least one"), "{}", refused.text());
    let chosen = [
        ("name", "<b>Shop"),
        ("section", api.section.as_str()),
        ("keyspace-email", "yes"),
        ("read", "yes"),
    ];
    let made = session.post("/settings/keys", &chosen);
    assert_eq!((made.status, made.header("cache-control")), (200, Some("no-store")));
    let (id, secret) = (shown(&made.text(), "client-id"), shown(&made.text(), "client-secret"));
    let signed = api.sign_in(&json!({ "client_id": id, "client_secret": secret }));
    let token = signed.json()["access_token"].as_str().unwrap().to_owned();
    let list = || api.ask("GET", "/audience/keyspaces", &token, &Value::Null);
    assert_eq!(list().json()["items"].as_array().map(Vec::len), Some(1));
    let page = session.get("/settings/keys").text();
    assert!(
        page.contains(&id) && !page.contains(&secret) && !page.contains("<b>Shop"),
        "shown once, as text"
    );
    assert_eq!(session.post(&format!("/settings/keys/{id}/revoke"), &[]).status, 303);
    assert_eq!(list().status, 401, "at once");
    let made = session.post("/settings/tokens", &[("token-name", "Laptop"), ("days", "30")]).text();
    let personal = shown(&made, "personal-token");
    assert_eq!(api.ask("GET", "/v1/events", &personal, &Value::Null).status, 200);
    assert_eq!(
        session.post("/settings/tokens", &[("token-name", "Laptop"), ("days", "1000")]).status,
        422
    );
    assert_eq!(session.post("/settings/tokens/1/revoke", &[]).status, 303);
    assert_eq!(api.ask("GET", "/v1/events", &personal, &Value::Null).status, 401);
}
