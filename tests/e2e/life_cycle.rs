//! An event's versions through the binary, under a shifted clock: locked, pending, current, regenerated, stale, replayed.

use std::path::Path;

use beaconry_tests::{Server, beacon, beaconry, event, event_id, post};
use serde_json::{Value, json};

use crate::setting::{create, run};

const HOUR: i64 = 61;

/// Posts one event and gives the answer's status and, where it was turned away, why.
fn send(server: &Server, key: &str, ver: u32, data: Value) -> (u16, Value) {
    let id = event_id(u64::from(std::process::id()) << 16 | u64::from(rand()));
    let answer =
        post(&server.collector, "/c", &[], beacon(vec![event(&id, key, ver, data)]).as_bytes());
    let why = if answer.status == 200 { answer.json()["rejected"][0].clone() } else { Value::Null };
    (answer.status, why)
}

/// Another number each time.
fn rand() -> u32 {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

fn states(shown: &Value) -> Vec<&str> {
    shown["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["state"].as_str().unwrap())
        .collect()
}

fn prepared() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["section", "create", "Shop", "--origin", "https://shop.example"]);
    create(folder.path(), "Order placed", &["orderid:text:required"], None);
    run(folder.path(), &["tracking", "enable", "order-placed"]);
    let key =
        beaconry(folder.path(), 0, &["event", "show", "order-placed", "--json"]).json()["key"]
            .clone();
    (folder, key.as_str().unwrap().to_owned())
}

fn refused(folder: &Path, minutes: i64, arguments: &[&str]) -> String {
    let run = beaconry(folder, minutes, arguments);
    assert_eq!(run.code, 1, "{run:?}");
    run.err
}

#[test]
fn an_edit_waits_its_hour_and_old_snippets_live_until_regeneration() {
    let (folder, key) = prepared();
    let old = json!({ "source": "Website", "orderid": "1" });

    // Edited, under a server that runs.
    let server = Server::start(folder.path());
    let shown =
        server.json(&["event", "edit", "order-placed", "--add-field", "total:decimal:required"]);
    assert_eq!(states(&shown), ["current", "pending"]);
    assert!(shown["locked_until"].is_string());
    let locked =
        refused(folder.path(), 0, &["event", "edit", "order-placed", "--add-field", "x:text"]);
    assert!(locked.contains("locked until"), "{locked}");
    let pending = refused(folder.path(), 0, &["tracking", "regenerate", "order-placed"]);
    assert!(pending.contains("version 2 is pending until"), "{pending}");
    assert_eq!(send(&server, &key, 1, old.clone()).0, 204);
    assert_eq!(send(&server, &key, 2, old.clone()).1["code"], "unknown_version");
    assert_eq!(server.stop(), 0);

    // An hour later the new version is current, and the pasted snippet still goes on under the old one.
    let server = Server::start_shifted(folder.path(), HOUR);
    let shown = server.json(&["event", "show", "order-placed"]);
    assert_eq!(states(&shown), ["deprecated", "current"]);
    assert_eq!(
        (&shown["locked_until"], &shown["tracking"]["outdated"]),
        (&Value::Null, &json!(true))
    );
    assert!(shown["versions"][0]["deprecated_at"].is_string());
    assert_eq!(send(&server, &key, 1, old.clone()).0, 204);

    // Regenerated beside the server: within a second the old snippet's beacons are stale, and kept.
    let status = server.json(&["tracking", "regenerate", "order-placed"]);
    assert_eq!((&status["pinned"], &status["outdated"]), (&json!(2), &json!(false)));
    let why = beaconry_tests::eventually("a stale beacon", || {
        Some(send(&server, &key, 1, old.clone()).1).filter(|why| !why.is_null())
    });
    assert_eq!(why["code"], "stale_version");
    assert!(why["detail"].as_str().unwrap().contains("the current one is version 2"), "{why}");
    let kept = server.json(&["quarantine", "list", "order-placed"]);
    let stale: Vec<&Value> =
        kept.as_array().unwrap().iter().filter(|kept| kept["code"] == "stale_version").collect();
    assert_eq!(stale.len(), 1);
    assert_eq!(stale[0]["ver"], 1);
    assert!(stale[0]["received"].is_string() && stale[0]["id"].is_string());

    // Replayed as its own version it is stored; as the current one it lacks a field.
    let before = server.events("order-placed", 2).len();
    let report = server.json(&["quarantine", "replay", "order-placed", "--as-current"]);
    assert_eq!(report["replayed"], 0);
    assert!(
        report["refused"][0]["why"].as_str().unwrap().contains("total (missing_field)"),
        "{report}"
    );
    let report = server.json(&["quarantine", "replay", "order-placed"]);
    assert_eq!(report["replayed"], 1, "the stale one: {report}");
    let audit = server.json(&["audit", "--limit", "2"]);
    let noted = audit.as_array().unwrap().iter().map(|entry| (&entry["action"], &entry["actor"]));
    let replay = (&json!("quarantine.replay"), &json!("command line"));
    assert_eq!(noted.collect::<Vec<_>>(), [replay, replay]);
    assert_eq!(
        report["refused"].as_array().unwrap().len(),
        1,
        "the one of version 2 still lacks a field: {report}"
    );
    assert_eq!(server.events("order-placed", before + 1).len(), before + 1);
}

#[test]
fn a_regeneration_can_be_scheduled_for_when_the_version_is_ready() {
    let (folder, key) = prepared();
    run(folder.path(), &["event", "edit", "order-placed", "--add-field", "note:text"]);
    let schedule = ["tracking", "regenerate", "order-placed", "--when-ready", "--stale", "reject"];
    run(folder.path(), &schedule);
    run(folder.path(), &["tracking", "unschedule", "order-placed"]);
    let nothing = refused(folder.path(), 0, &["tracking", "unschedule", "order-placed"]);
    assert!(nothing.contains("nothing is scheduled"), "{nothing}");
    run(folder.path(), &schedule);
    let server = Server::start_shifted(folder.path(), HOUR);
    let data = json!({ "source": "Website", "orderid": "1", "note": "new" });
    beaconry_tests::eventually("the scheduled pin", || {
        (send(&server, &key, 2, data.clone()).0 == 204).then_some(())
    });
    assert_eq!(
        send(&server, &key, 1, json!({ "source": "Website", "orderid": "1" })).1["code"],
        "stale_version"
    );
}

#[test]
fn old_snippets_are_taken_until_the_new_one_is_seen() {
    let (folder, key) = prepared();
    run(folder.path(), &["event", "edit", "order-placed", "--add-field", "note:text"]);
    let server = Server::start_shifted(folder.path(), HOUR);
    server.json(&["tracking", "regenerate", "order-placed", "--stale", "until-new-seen"]);
    let data = json!({ "source": "Website", "orderid": "1" });
    assert_eq!(send(&server, &key, 1, data.clone()).0, 204);
    beaconry_tests::eventually("the new pin", || {
        (send(&server, &key, 2, data.clone()).0 == 204).then_some(())
    });
    beaconry_tests::eventually("the old one stale", || {
        (send(&server, &key, 1, data.clone()).1["code"] == "stale_version").then_some(())
    });
}

#[test]
fn disabled_and_hidden_events_keep_no_content() {
    let (folder, key) = prepared();
    let server = Server::start(folder.path());
    server.json(&["tracking", "disable", "order-placed"]);
    let marked = |marker: &str| json!({ "source": "Website", "orderid": marker });
    let turned = |code: &str, marker: &str| {
        beaconry_tests::eventually(code, || {
            (send(&server, &key, 1, marked(marker)).1["code"] == code).then_some(())
        });
    };
    turned("tracking_disabled", "first");
    assert_eq!(send(&server, &key, 1, marked("MARKER-WHILE-OFF")).1["code"], "tracking_disabled");
    server.json(&["event", "hide", "order-placed", "--yes"]);
    turned("unknown_event", "second");
    assert_eq!(send(&server, &key, 1, marked("MARKER-WHILE-HIDDEN")).1["code"], "unknown_event");
    assert_eq!(server.json(&["quarantine", "list"]), json!([]));
    assert_eq!(server.json(&["event", "list"]), json!([]));
    assert_eq!(server.stop(), 0);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(12).any(|window| window == b"MARKER-WHILE"));
    }
}

#[test]
fn an_event_edited_and_hidden_frees_its_slug() {
    let (folder, _) = prepared();
    let refused = refused(
        folder.path(),
        0,
        &[
            "event",
            "create",
            "--category",
            "signals",
            "--name",
            "Order placed",
            "--retention",
            "30d",
        ],
    );
    assert!(refused.contains("slug \"order-placed\""), "{refused}");
    run(folder.path(), &["event", "hide", "order-placed", "--yes"]);
    create(folder.path(), "Order placed", &[], None);
}
