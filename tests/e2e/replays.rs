//! A replay whose server is stopped while it is under way: who asked for it hears so, and the next one does the rest.

use std::path::Path;
use std::thread;

use beaconry_tests::{Connection, Server, beacon, beaconry, event, event_id, eventually};
use serde_json::{Value, json};

use crate::setting::a_number_and_then_a_text;

/// A replay takes some seconds for so many.
const KEPT: u64 = 60_000;
const BATCH: u64 = 100;

const REPLAY: [&str; 5] = ["quarantine", "replay", "order-placed", "--as-current", "--json"];

/// Sends what does not fit the version it comes under, and fits the current one.
fn fill_quarantine(server: &Server) {
    let shown = server.json(&["event", "show", "order-placed"]);
    let key = shown["key"].as_str().unwrap();
    let mut connection = Connection::open(&server.collector).unwrap();
    let one =
        |n| event(&event_id(n), key, 1, json!({ "source": "Website", "total": n.to_string() }));
    for first in (0..KEPT).step_by(BATCH as usize) {
        let body = beacon((first..first + BATCH).map(one).collect());
        let answer = connection.post("/c", body.as_bytes()).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["rejected"].as_array().unwrap().len(), BATCH as usize);
    }
}

fn stored(data: &Path) -> u64 {
    let log = rusqlite::Connection::open_with_flags(
        data.join("events.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .unwrap();
    log.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_replay_that_the_servers_end_cuts_off_says_so_and_the_next_one_does_the_rest() {
    let folder = a_number_and_then_a_text("Order placed", "order-placed");
    let data = folder.path();
    // All of it comes at once, from one network.
    let server = Server::start_with(data, &["--network-rate", "0", "--key-rate", "0"]);
    fill_quarantine(&server);
    assert_eq!(stored(data), 0);
    let report = thread::scope(|scope| {
        let asked = scope.spawn(|| beaconry(data, 0, &REPLAY));
        eventually("some are replayed", || (stored(data) > 0).then_some(()));
        assert_eq!(server.stop(), 0);
        asked.join().unwrap().json()
    });
    let first = report["replayed"].as_u64().unwrap();
    assert_eq!(first, stored(data), "{report}");
    assert!(0 < first && first < KEPT, "not while it was under way: {report}");
    assert_eq!(report["refused"][0]["id"], "all", "{report}");
    let why = report["refused"][0]["why"].as_str().unwrap();
    assert!(why.contains("the server ended meanwhile; replay again"), "{why}");

    let report = beaconry(data, 0, &REPLAY).json();
    assert_eq!(
        report,
        json!({
            "replayed": KEPT - first, "duplicates": 0, "still_in_quarantine": 0, "refused": []
        })
    );
    assert_eq!(stored(data), KEPT);
    let audit = beaconry(data, 0, &["audit", "--limit", "2", "--json"]).json();
    let counts = audit.as_array().unwrap().iter().map(|entry| {
        assert_eq!(entry["action"], "quarantine.replay");
        let after: Value = serde_json::from_str(entry["after"].as_str().unwrap()).unwrap();
        after["stored"].clone()
    });
    assert_eq!(counts.collect::<Vec<Value>>(), [json!(KEPT - first), json!(first)]);
    assert_eq!(beaconry(data, 0, &["quarantine", "list", "--json"]).json(), json!([]));
    assert_eq!(beaconry(data, 0, &["verify"]).code, 0);
}
