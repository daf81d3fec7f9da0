//! `beaconry plan` and `beaconry apply`, on the data folder and on a server.

use std::fs;
use std::path::Path;

use beaconry_tests::{PASSWORD, Run, Server, beaconry};
use serde_json::json;

use crate::setting::run;

const ORDER: &str = r#"
name = "Order placed"
category = "transactions"
retention = "2y"
description = "A visitor placed an order."

[[field]]
name = "orderid"
type = "text"
required = true

[tracking]
enabled = true
"#;

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A data folder with a section, and a folder of definitions.
fn setting() -> (tempfile::TempDir, tempfile::TempDir) {
    let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    run(data.path(), &["section", "create", "Shop", "--origin", "https://shop.example"]);
    write(files.path(), "orders/order-placed.toml", ORDER);
    (data, files)
}

#[test]
fn a_folder_of_files_is_planned_and_then_made_once() {
    let (data, files) = setting();
    let dir = files.path().to_str().unwrap();
    let said = |what: &str| -> Run { beaconry(data.path(), 0, &[what, dir]) };
    let planned = said("plan");
    assert_eq!(planned.code, 0, "{planned:?}");
    assert!(
        planned.out.contains("+ Order placed") && planned.out.contains("switch web tracking on"),
        "{planned:?}"
    );
    assert!(planned.out.contains("1 to change"), "{planned:?}");
    assert!(
        beaconry(data.path(), 0, &["event", "list", "--json"])
            .json()
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert!(said("apply").out.contains("1 changed."));
    assert!(said("apply").out.contains("Nothing to do."));
    let shown = beaconry(data.path(), 0, &["event", "show", "order-placed", "--json"]).json();
    assert_eq!(
        (&shown["description"], &shown["tracking"]["enabled"]),
        (&json!("A visitor placed an order."), &json!(true))
    );
    // A change of fields locks; the next one is refused, and with it everything.
    let more = ORDER.replace("required = true", "required = false");
    write(files.path(), "orders/order-placed.toml", &more);
    let applied = said("apply");
    assert!(applied.out.contains("make version 2: orderid changed"), "{applied:?}");
    write(files.path(), "orders/order-placed.toml", ORDER);
    write(files.path(), "sent.toml", &ORDER.replace("Order placed", "Order sent"));
    let refused = said("apply");
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("order-placed.toml: the event is locked until"), "{refused:?}");
    assert!(refused.out.contains("Nothing was changed"), "{refused:?}");
    assert_eq!(beaconry(data.path(), 0, &["event", "show", "order-sent"]).code, 1);
    // No file hides an event.
    fs::remove_file(files.path().join("orders/order-placed.toml")).unwrap();
    let applied = said("apply");
    assert!(applied.out.contains("no file; it stays as it is"), "{applied:?}");
    assert_eq!(beaconry(data.path(), 0, &["event", "show", "order-placed"]).code, 0);
}

#[test]
fn a_server_is_planned_and_applied_with_a_personal_token() {
    let (data, files) = setting();
    let server = Server::start(data.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let dir = files.path().to_str().unwrap();
    let remote = |what: &str, token: &str| {
        beaconry(elsewhere.path(), 0, &[what, dir, "--server", &server.console, "--token", token])
    };
    let made = |owner: &str| {
        beaconry(data.path(), 0, &["token", "create", "CI", "--owner", owner, "--json"]).json()
    };
    let (ada, nobody) = (made("ada@shop.example"), made("nobody@shop.example"));
    let (token, number) = (ada["token"].as_str().unwrap(), ada["number"].to_string());
    beaconry_tests::eventually("who is no administrator is refused", || {
        let refused = remote("plan", nobody["token"].as_str().unwrap());
        refused.err.contains("expected the personal token of an administrator").then_some(())
    });
    let create = ["user", "create", "ada@shop.example", "--role", "administrator"];
    let created = server.beaconry_reading(
        &[&create[..], &["--name", "Ada", "--password-stdin"]].concat(),
        PASSWORD,
    );
    assert_eq!(created.code, 0, "{created:?}");
    beaconry_tests::eventually("the server knows the token", || {
        (remote("plan", token).code == 0).then_some(())
    });
    assert!(remote("plan", token).out.contains("+ Order placed"));
    assert!(remote("apply", token).out.contains("1 changed."));
    assert!(remote("plan", token).out.contains("Nothing to do."));
    let audit = server.json(&["audit"]);
    assert_eq!(
        (&audit[0]["action"], &audit[0]["actor"]),
        (&json!("event.create"), &json!("ada@shop.example"))
    );
    let shown = server.json(&["event", "show", "order-placed"]);
    assert_eq!(shown["tracking"]["pinned"], json!(1));
    let refused = remote("apply", "bcn_none");
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("refused with 401"), "{refused:?}");
    assert_eq!(
        beaconry(elsewhere.path(), 0, &["plan", dir, "--server", &server.console]).code,
        2,
        "no token"
    );
    run(data.path(), &["token", "revoke", &number]);
    beaconry_tests::eventually("a revoked token lets nobody in", || {
        (remote("plan", token).code == 1).then_some(())
    });
}

#[test]
fn what_is_no_definition_is_named_with_its_file() {
    let (data, files) = setting();
    let dir = files.path().to_str().unwrap();
    for (text, words) in [
        ("name = ", "bad.toml"),
        ("name = \"A\"\ncategory = \"signals\"\n", "missing field `retention`"),
        ("name = \"A\"\ncategory = \"signals\"\nretention = \"soon\"\n", "retention: expected"),
        (
            "name = \"A\"\ncategory = \"signals\"\nretention = \"1y\"\ncolour = 1\n",
            "unknown field `colour`",
        ),
        (
            "name = \"A\"\ncategory = \"signals\"\nretention = \"1y\"\nsection = \"None\"\n",
            "there is none called",
        ),
    ] {
        write(files.path(), "bad.toml", text);
        let planned = beaconry(data.path(), 0, &["plan", dir]);
        assert_eq!(planned.code, 1, "{planned:?}");
        assert!(planned.err.contains("bad.toml") && planned.err.contains(words), "{planned:?}");
    }
    let empty = tempfile::tempdir().unwrap();
    let planned = beaconry(data.path(), 0, &["plan", empty.path().to_str().unwrap()]);
    assert!(planned.code == 1 && planned.err.contains("expected TOML files"), "{planned:?}");
}
