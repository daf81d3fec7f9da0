//! What somebody who runs Beaconry reads: its log.

use beaconry_tests::{Server, eventually, get, post};
use serde_json::Value;

/// What a visitor sends that is nobody's business.
const ADDRESS: &str = "203.0.113.77";
const SECRET: &str = "ada.lovelace@example.com";

#[test]
fn the_log_is_json_and_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(folder.path(), &["--log", "json"]);
    let client = format!("X-Forwarded-For: {ADDRESS}");
    let headers = [client.as_str(), "Origin: https://shop.example"];
    for body in [format!("{{\"v\":1,\"events\":[{{\"id\":\"{SECRET}\"}}]}}"), SECRET.to_owned()] {
        post(&server.collector, "/c", &headers, body.as_bytes());
    }
    get(&server.collector, &format!("/nowhere?{SECRET}"), &headers);
    let errors = eventually("the log's first line", || {
        Some(server.errors()).filter(|errors| errors.contains('\n'))
    });
    let lines: Vec<Value> =
        errors.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let first = &lines[0];
    assert_eq!((&first["level"], &first["message"]), (&"INFO".into(), &"serving".into()));
    assert_eq!(first["collector"], server.collector.as_str());
    assert!(first["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{first}");
    assert!(!errors.contains(ADDRESS) && !errors.contains(SECRET), "{errors}");
    assert_eq!(server.stop(), 0);
}
