//! The command line: exit codes, messages, and what it prints for programs.

use beaconry_tests::{Server, beaconry};
use serde_json::{Value, json};

use crate::setting::{create, run};

#[test]
fn wrong_usage_is_2_and_a_refusal_is_1() {
    let folder = tempfile::tempdir().unwrap();
    let code = |arguments: &[&str]| beaconry(folder.path(), 0, arguments).code;
    assert_eq!(code(&["--help"]), 0);
    assert_eq!(code(&[]), 2);
    assert_eq!(code(&["event", "paint"]), 2);
    assert_eq!(code(&["section", "create", "Shop"]), 2);
    assert_eq!(code(&["section", "create", "Shop", "--origin", "shop"]), 1);
    assert_eq!(code(&["event", "show", "none"]), 1);
    assert_eq!(code(&["section", "create", "Shop", "--origin", "https://shop.example"]), 0);
    assert_eq!(code(&["event", "create", "--category", "signals", "--name", "A"]), 2);
    assert_eq!(
        code(&["event", "create", "--category", "signals", "--name", "A", "--retention", "soon"]),
        1
    );
    create(folder.path(), "Order placed", &[], None);
    assert_eq!(code(&["event", "hide", "order-placed"]), 2);
    assert_eq!(code(&["tracking", "disable", "order-placed"]), 1);
    assert_eq!(code(&["snippet", "order-placed", "--out", folder.path().to_str().unwrap()]), 1);
}

#[test]
fn bad_configuration_names_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    let error =
        |arguments: &[&str]| beaconry(folder.path(), 0, &[&["serve"], arguments].concat()).err;
    assert!(error(&["--collector", "nowhere"]).contains("--collector"));
    assert!(
        error(&["--collector", "127.0.0.1:0", "--console", "0.0.0.0:0"])
            .contains("--console: expected a loopback address")
    );
    assert!(
        error(&["--collector", "127.0.0.1:0", "--public-url", "shop"]).contains("--public-url")
    );
    let server = Server::start(folder.path());
    let taken = server.collector.strip_prefix("http://").unwrap();
    let other = tempfile::tempdir().unwrap();
    let run =
        beaconry(other.path(), 0, &["serve", "--collector", taken, "--console", "127.0.0.1:0"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("--collector: cannot listen on"), "{run:?}");
    let second = error(&["--collector", "127.0.0.1:0", "--console", "127.0.0.1:0"]);
    assert!(
        second.contains(&format!("another server works on it (process {})", server.id())),
        "{second}"
    );
}

#[test]
fn a_definition_comes_from_a_file_and_shows_as_json() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["section", "create", "Shop", "--origin", "https://shop.example"]);
    let file = folder.path().join("event.toml");
    let written = "name = \"Tier upgraded\"\ncategory = \"conversions\"\nretention = \"30d\"\n\
                   [[field]]\nname = \"tier\"\ntype = \"text\"\nrequired = true\nallowed = [\"gold\", \"silver\"]\n";
    std::fs::write(&file, written).unwrap();
    let path = file.to_str().unwrap();
    let shown = beaconry(folder.path(), 0, &["event", "create", "--file", path, "--json"]).json();
    assert_eq!(
        (&shown["category"], &shown["slug"]),
        (&json!("conversions"), &json!("tier-upgraded"))
    );
    assert_eq!((&shown["locked_until"], &shown["hidden"]), (&Value::Null, &json!(false)));
    assert_eq!(
        shown["fields"][1],
        json!({ "name": "tier", "type": "text", "required": true, "allowed": ["gold", "silver"] })
    );
    assert_eq!(shown["tracking"]["enabled"], json!(false));
    assert_eq!(
        beaconry(folder.path(), 0, &["event", "edit", "tier-upgraded", "--file", path]).code,
        1,
        "nothing changed"
    );
    std::fs::write(&file, written.replace("30d", "60d")).unwrap();
    let edited = beaconry(folder.path(), 0, &["event", "edit", "tier-upgraded", "--file", path]);
    assert!(edited.err.contains("retention: expected the one set at creation"), "{edited:?}");
    std::fs::write(&file, "[[field]]\nname = \"tier\"\ntype = \"colour\"\n").unwrap();
    let edited = beaconry(folder.path(), 0, &["event", "edit", "tier-upgraded", "--file", path]);
    assert!(
        edited
            .err
            .contains("expected text, bool, date, timestamp, number or decimal, got \"colour\""),
        "{edited:?}"
    );
}

#[test]
fn renaming_makes_no_version_and_does_not_lock() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["section", "create", "Shop", "--origin", "https://shop.example"]);
    create(folder.path(), "Order placed", &[], None);
    let edit =
        ["event", "edit", "order-placed", "--name", "Order made", "--description", "New", "--json"];
    let shown = beaconry(folder.path(), 0, &edit).json();
    assert_eq!((&shown["slug"], &shown["locked_until"]), (&json!("order-made"), &Value::Null));
    assert_eq!(shown["versions"].as_array().unwrap().len(), 1);
}

#[test]
fn a_snippet_is_the_same_each_time_and_says_what_it_weighs() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["section", "create", "Shop", "--origin", "https://shop.example"]);
    run(
        folder.path(),
        &[
            "event",
            "create",
            "--template",
            "order-placed",
            "--name",
            "Order placed",
            "--retention",
            "2y",
        ],
    );
    run(folder.path(), &["tracking", "enable", "order-placed"]);
    let make = |to: &str| {
        let out = folder.path().join(to);
        let made = beaconry(
            folder.path(),
            0,
            &["snippet", "order-placed", "--out", out.to_str().unwrap(), "--json"],
        )
        .json();
        let files = made["files"].as_array().unwrap().iter().map(|file| {
            let path = file["path"].as_str().unwrap().to_owned();
            (path.replace(to, ""), std::fs::read(path).unwrap())
        });
        (files.collect::<Vec<_>>(), made["page_bytes"].as_u64().unwrap())
    };
    let (first, bytes) = make("first");
    assert_eq!((&first, bytes), (&make("second").0, bytes));
    assert!(bytes > 1_000 && bytes <= 7_800, "{bytes}");
    let names: Vec<_> = first.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), 8, "{names:?}");
}

#[test]
fn changes_are_audited_and_the_folder_can_be_verified() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["section", "create", "Shop", "--origin", "https://shop.example"]);
    create(folder.path(), "Order placed", &[], None);
    run(folder.path(), &["tracking", "enable", "order-placed"]);
    let audit = beaconry(folder.path(), 0, &["audit", "--json"]).json();
    let actions: Vec<_> =
        audit.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["tracking.enable", "event.create", "section.create"]);
    assert_eq!(audit[0]["actor"], "command line");
    assert_eq!(Server::start(folder.path()).stop(), 0);
    assert_eq!(
        beaconry(folder.path(), 0, &["verify", "--json"]).json(),
        json!({ "events": 0, "quarantined": 0, "faults": [] })
    );
}
