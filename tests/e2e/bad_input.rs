//! Each wrong thing gets its named answer, and a good client beside it goes on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use beaconry_tests::{beacon, event, event_id, exchange, get, post};
use serde_json::{Value, json};

use crate::setting::Setting;

fn good(n: u64, key: &str) -> Value {
    event(&event_id(n), key, 1, json!({ "source": "test", "orderid": "1" }))
}

#[test]
fn every_wrong_body_is_named() {
    let setting = Setting::new();
    let key = setting.event("Order placed", &["orderid:text:required"]);
    let url = &setting.server.collector;
    let large = beacon(vec![good(1, &key)]) + &" ".repeat(64 * 1024);
    let many = beacon((0..101).map(|n| good(n, &key)).collect());
    let table: [(&[u8], u16, &str); 8] = [
        (b"", 400, "not_json"),
        (b"hello", 400, "not_json"),
        (b"\xff\xfe{}", 400, "not_json"),
        (b"[1,2]", 400, "wrong_shape"),
        (b"{\"v\":1}", 400, "wrong_shape"),
        (b"{\"v\":7,\"events\":[{}]}", 400, "wrong_shape"),
        (&large.as_bytes()[..64 * 1024 + 1], 413, "body_too_large"),
        (many.as_bytes(), 413, "too_many_events"),
    ];
    for (body, status, code) in table {
        let answer = post(url, "/c", &[], body);
        assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)));
        assert!(!answer.json()["detail"].as_str().unwrap().is_empty());
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-expose-headers"), Some("Retry-After"));
    }
    let exact = beacon(vec![good(1, &key)]);
    let exact = format!("{exact}{}", " ".repeat(64 * 1024 - exact.len()));
    assert_eq!(post(url, "/c", &[], exact.as_bytes()).status, 204);
    // Other numbers than the one above: ids of one number made within a millisecond are the same.
    let hundred = beacon((100..200).map(|n| good(n, &key)).collect());
    assert_eq!(post(url, "/c", &[], hundred.as_bytes()).status, 204);
    assert_eq!(setting.server.events("order-placed", 101).len(), 101);
}

#[test]
fn one_bad_event_does_not_cost_its_neighbours() {
    let setting = Setting::new();
    let key = setting.event("Order placed", &["orderid:text:required"]);
    let values: serde_json::Map<_, _> = (0..101).map(|n| (format!("f{n}"), json!(n))).collect();
    let events = vec![
        good(1, &key),
        event(&event_id(2), "nobodyknowsthis0", 1, json!({})),
        event(&event_id(3), &key, 9, json!({})),
        event(&event_id(4), &key, 1, Value::Object(values)),
        event("not-a-uuid", &key, 1, json!({})),
        event(&event_id(5), &key, 1, json!({ "source": "test", "orderid": "x".repeat(17_000) })),
        json!("not an event"),
        good(6, &key),
    ];
    let answer = post(&setting.server.collector, "/c", &[], beacon(events).as_bytes());
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(body["accepted"], 2);
    let rejected: Vec<_> = body["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rejected| (rejected["index"].as_u64().unwrap(), rejected["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        rejected,
        [
            (1, "unknown_event"),
            (2, "unknown_version"),
            (3, "invalid_fields"),
            (4, "malformed_event"),
            (5, "too_large"),
            (6, "malformed_event"),
        ]
    );
    assert_eq!(body["rejected"][2]["errors"][0]["got"], "101 values");
    assert_eq!(setting.server.events("order-placed", 2).len(), 2);
}

#[test]
fn only_the_sections_origins_may_send() {
    let setting = Setting::new();
    let key = setting.event("Order placed", &["orderid:text:required"]);
    let code = |n, header: &str| {
        let headers: &[&str] = if header.is_empty() { &[] } else { &[header] };
        let answer =
            post(&setting.server.collector, "/c", headers, beacon(vec![good(n, &key)]).as_bytes());
        if answer.status == 204 {
            Value::Null
        } else {
            answer.json()["rejected"][0]["code"].clone()
        }
    };
    assert_eq!(code(1, ""), Value::Null);
    assert_eq!(code(2, &format!("Origin: {}", setting.site.origin)), Value::Null);
    assert_eq!(code(3, "Origin: https://evil.example"), "origin_not_allowed");
    assert_eq!(code(4, "Origin: null"), "origin_not_allowed");
    assert_eq!(setting.server.json(&["quarantine", "list"]), json!([]));
}

#[test]
fn garbage_on_the_socket_costs_only_itself() {
    let setting = Setting::new();
    let url = &setting.server.collector;
    for garbage in [&b"\x00\x01\x02\xff\r\n\r\n"[..], b"GET\r\n\r\n", b"POST /c HTTP/9.9\r\n\r\n"] {
        let answer = exchange(url, garbage).unwrap();
        assert!(matches!(answer.status, 0 | 400 | 505), "{answer:?}");
    }
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\n\r\n", "x".repeat(100_000));
    assert!(matches!(exchange(url, long.as_bytes()).unwrap().status, 0 | 400 | 431));
    assert_eq!(get(url, "/healthz", &[]).status, 200);
}

#[test]
fn half_a_request_and_silence_is_closed_in_time() {
    let setting = Setting::new();
    let address = setting.server.collector.strip_prefix("http://").unwrap();
    let halves =
        ["POST /c HTT", "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{\"v\":1,"];
    let mut streams: Vec<TcpStream> = halves
        .iter()
        .map(|half| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            stream.write_all(half.as_bytes()).unwrap();
            stream
        })
        .collect();
    let started = Instant::now();
    assert_eq!(get(&setting.server.collector, "/healthz", &[]).status, 200);
    let mut said = Vec::new();
    for stream in &mut streams {
        let mut text = String::new();
        // Closing without a word is an answer too.
        let _ = stream.read_to_string(&mut text);
        said.push(text);
    }
    assert!(started.elapsed() < Duration::from_secs(25), "closed by the server, not by this test");
    assert!(said[1].starts_with("HTTP/1.1 408"), "{}", said[1]);
    assert!(said[1].contains("body_too_slow"), "{}", said[1]);
}

#[test]
fn other_paths_and_methods_are_named() {
    let setting = Setting::new();
    let url = &setting.server.collector;
    assert_eq!(get(url, "/", &[]).json()["code"], "not_found");
    let answer = get(url, "/c", &[]);
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST, OPTIONS")));
    let metrics = get(url, "/metrics", &[]).text();
    assert!(metrics.contains("beaconry_requests_total{status=\"404\"} 1"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"));
}

#[test]
fn a_definition_with_101_fields_is_refused() {
    let setting = Setting::new();
    let fields: Vec<String> = (0..100).map(|n| format!("f{n}:text")).collect();
    let mut arguments =
        vec!["event", "create", "--category", "signals", "--name", "Wide", "--retention", "1y"];
    fields.iter().for_each(|field| arguments.extend(["--field", field]));
    let run = setting.server.beaconry(&arguments);
    assert_eq!(run.code, 1);
    assert_eq!(run.err, "beaconry: fields: expected at most 100, source included, got 101\n");
    let length = arguments.len() - 2;
    assert_eq!(setting.server.beaconry(&arguments[..length]).code, 0);
}

#[test]
fn a_server_that_is_told_to_stop_answers_what_is_under_way() {
    let Setting { server, folder, site: _site, .. } = {
        let setting = Setting::new();
        setting.event("Order placed", &["orderid:text:required"]);
        setting
    };
    let key = server.json(&["event", "show", "order-placed"])["key"].as_str().unwrap().to_owned();
    let body = beacon(vec![good(1, &key)]);
    let address = server.collector.strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    let head = format!(
        "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server reads this request's body by now.
    let mut said = [0; 25];
    stream.read_exact(&mut said).unwrap();
    assert!(said.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&said));
    let stopping = std::thread::spawn(move || server.stop());
    beaconry_tests::eventually("no new connections", || {
        TcpStream::connect(&address).is_err().then_some(())
    });
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert_eq!(stopping.join().unwrap(), 0);
    let stored =
        beaconry_tests::beaconry(folder.path(), 0, &["events", "order-placed", "--json"]).json();
    assert_eq!(stored.as_array().unwrap().len(), 1);
}
