//! A power cut while beacons arrive, twenty times: what was answered with 204 is there, once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use beaconry_tests::{Server, beacon, beaconry, event, event_id, exchange};
use serde_json::json;

use crate::setting::{create, run};

const ROUNDS: u64 = 20;
const CLIENTS: usize = 4;

/// Sends a request; says whether it was answered with 204. A server that is gone answers nothing.
fn acknowledged(collector: &str, body: &str) -> bool {
    let host = collector.strip_prefix("http://").unwrap();
    let head = format!(
        "POST /c HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    exchange(collector, (head + body).as_bytes()).is_ok_and(|answer| answer.status == 204)
}

/// Sends new events until told to stop, each again where it was not acknowledged, as the snippet would.
fn client(
    collector: &str,
    key: &str,
    next: &AtomicU64,
    stop: &AtomicBool,
    acked: &Mutex<Vec<u64>>,
) {
    let mut unanswered: Vec<u64> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let n = unanswered.pop().unwrap_or_else(|| next.fetch_add(1, Ordering::Relaxed));
        let data = json!({ "source": "test", "n": n });
        if acknowledged(collector, &beacon(vec![event(&id(n), key, 1, data)])) {
            acked.lock().unwrap().push(n);
        } else {
            unanswered.push(n);
        }
    }
}

/// The n-th event's id, the same at each try.
fn id(n: u64) -> String {
    format!("019a0000-0000{}", &event_id(n)[13..])
}

#[test]
fn what_was_acknowledged_survives_twenty_kills_once() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["section", "create", "Shop", "--origin", "https://shop.example"]);
    create(folder.path(), "Order placed", &["n:number:required"], None);
    run(folder.path(), &["tracking", "enable", "order-placed"]);
    let key =
        beaconry(folder.path(), 0, &["event", "show", "order-placed", "--json"]).json()["key"]
            .clone();
    let key = key.as_str().unwrap().to_owned();
    let (next, acked) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
    for round in 0..ROUNDS {
        let server = Server::start(folder.path());
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (collector, key) = (server.collector.clone(), key.clone());
                let (next, stop, acked) = (next.clone(), stop.clone(), acked.clone());
                thread::spawn(move || client(&collector, &key, &next, &stop, &acked))
            })
            .collect();
        // Not a wait for anything: the moment of the cut, from before the first commit to after some merges.
        thread::sleep(Duration::from_millis(20 + round * 97 % 900));
        server.kill();
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().for_each(|client| client.join().unwrap());
    }
    let server = Server::start(folder.path());
    let acked = acked.lock().unwrap().clone();
    assert!(acked.len() > 500, "the test sent next to nothing: {}", acked.len());
    let mut stored: HashMap<u64, u32> = HashMap::new();
    for event in server.events("order-placed", acked.len()) {
        *stored.entry(event["data"]["n"].as_u64().unwrap()).or_default() += 1;
    }
    let lost: Vec<_> = acked.iter().filter(|n| !stored.contains_key(n)).collect();
    assert_eq!(lost, Vec::<&u64>::new(), "acknowledged, but not stored");
    assert_eq!(stored.iter().find(|(_, count)| **count > 1), None, "stored twice");
    assert!(stored.keys().all(|n| *n < next.load(Ordering::Relaxed)), "stored, but never sent");
    // All are of one visitor, and on their profile's timeline once, wherever linking was cut off.
    let profile = server.json(&["profile", "export", "test-visitor"]);
    let numbers = profile["events"].as_array().unwrap().iter();
    let mut linked: Vec<u64> = numbers.map(|event| event["data"]["n"].as_u64().unwrap()).collect();
    linked.sort_unstable();
    let mut all: Vec<u64> = stored.keys().copied().collect();
    all.sort_unstable();
    assert_eq!(linked, all, "the timeline has just what is stored");
    assert_eq!(server.beaconry(&["verify"]).code, 0);
    // And once more: every one of them is known.
    for n in acked.iter().rev().take(100) {
        let data = json!({ "source": "test", "n": n });
        assert!(acknowledged(&server.collector, &beacon(vec![event(&id(*n), &key, 1, data)])));
    }
    assert_eq!(server.events("order-placed", stored.len()).len(), stored.len());
}
