//! Clients that are slow, rude or up to something, thousands at once: good clients hardly notice, and nobody gets two
//! requests through where one was sent.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use beaconry_tests::{Server, eventually, exchange, get};

use crate::clients::Ledger;
use crate::rig::prepare;

const IDLE: usize = 5_000;
/// Of each kind that does something.
const BUSY: usize = 40;
const GOOD: usize = 4;

fn connect(url: &str) -> TcpStream {
    let host = url.strip_prefix("http://").unwrap();
    let started = Instant::now();
    loop {
        match TcpStream::connect(host) {
            Ok(stream) => return stream,
            Err(error) => assert!(started.elapsed() < Duration::from_secs(20), "{error}"),
        }
    }
}

/// What a client does again and again, a little at a time. `None` ends it.
type Rudeness = fn(&mut TcpStream, usize) -> std::io::Result<()>;

const RUDE: [(&str, Rudeness); 4] = [
    ("slow headers", |stream, step| match step {
        0 => stream.write_all(b"POST /c HTTP/1.1\r\nHost: a\r\nX: "),
        _ => stream.write_all(b"x"),
    }),
    ("slow bodies", |stream, step| match step {
        0 => stream.write_all(b"POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"),
        _ => stream.write_all(b" "),
    }),
    ("readers that do not read", |stream, _| {
        stream.set_nonblocking(true)?;
        match stream.write(&b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100)) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
            other => other.map(|_| ()),
        }
    }),
    ("early closes", |stream, _| {
        let address = stream.peer_addr()?;
        stream.write_all(b"POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{\"v\":1,")?;
        *stream = TcpStream::connect(address)?;
        Ok(())
    }),
];

/// Is rude until told to stop; whoever is thrown out comes again.
fn rude(url: &str, what: Rudeness, go: &AtomicBool) {
    let mut clients: Vec<_> = (0..BUSY).map(|_| (connect(url), 0)).collect();
    while go.load(Ordering::Relaxed) {
        for (stream, step) in &mut clients {
            match what(stream, *step) {
                Ok(()) => *step += 1,
                Err(_) => (*stream, *step) = (connect(url), 0),
            }
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Ends what goes on, also where a test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// How good clients send.
enum Good {
    /// So many requests, each as soon as the one before it is answered.
    Requests(u64),
    /// So many requests a second, for this long.
    Rate(f64, Duration),
}

impl Good {
    /// Sends, and says how many requests were made, and how many of them succeeded.
    fn send(&self, ledger: &Ledger, url: &str, key: &str) -> (u64, u64) {
        ledger.measure_anew();
        match self {
            Good::Requests(count) => {
                let left = AtomicU64::new(*count);
                let take = |left: u64| left.checked_sub(1);
                ledger.send(url, key, GOOD, || {
                    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
                });
            }
            Good::Rate(rate, length) => {
                let started = Instant::now();
                ledger.send_at(url, key, GOOD, *rate, || started.elapsed() < *length);
            }
        }
        (ledger.requests(), ledger.answered(200) + ledger.answered(204))
    }
}

fn connections(url: &str) -> usize {
    let metrics = get(url, "/metrics", &[]).text();
    let line = metrics.lines().find_map(|line| line.strip_prefix("beaconry_connections "));
    line.unwrap().parse().unwrap()
}

/// A server with thousands of idle and rude clients around it, while good ones send; how many of their requests were made, and
/// how many succeeded.
fn among_hostile_clients(ledger: &Ledger, url: &str, key: &str, good: &Good) -> (u64, u64) {
    let go = AtomicBool::new(true);
    thread::scope(|scope| {
        let idle: Vec<_> = (0..IDLE).map(|_| connect(url)).collect();
        for (_, what) in RUDE {
            let go = &go;
            scope.spawn(move || rude(url, what, go));
        }
        let _stop = Stop(&go);
        let held = connections(url);
        let (made, succeeded) = good.send(ledger, url, key);
        eprintln!(
            "{IDLE} idle clients came, {held} connections open: {succeeded} of {made} good requests succeeded, p99 {:.0?}",
            ledger.p99(&[200, 204])
        );
        drop(idle);
        (made, succeeded)
    })
}

#[test]
fn good_clients_are_served_among_five_thousand_others() {
    let folder = tempfile::tempdir().unwrap();
    let key = prepare(folder.path());
    let (server, ledger) = (Server::start(folder.path()), Ledger::default());
    let url = server.collector.as_str();
    let (made, succeeded) = among_hostile_clients(&ledger, url, &key, &Good::Requests(400));
    assert!(made >= 400 && succeeded * 10 >= made * 9, "{succeeded} of {made}");
    // Whoever only holds a connection loses it.
    let held: Vec<_> = (0..200).map(|_| connect(url)).collect();
    let mut unread = connect(url);
    unread.set_nonblocking(true).unwrap();
    while unread.write(&b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100)).is_ok() {}
    eventually("they are gone", || (connections(url) < 20).then_some(()));
    drop((held, unread));
    assert_eq!(server.stop(), 0);
    ledger.check(folder.path());
}

#[test]
#[ignore = "wants the machine for itself; make test-faults"]
fn good_clients_keep_nine_tenths_of_their_speed() {
    let folder = tempfile::tempdir().unwrap();
    let key = prepare(folder.path());
    let (server, ledger) = (Server::start(folder.path()), Ledger::default());
    let url = server.collector.as_str();
    let started = Instant::now();
    let (made, _) = Good::Requests(1_000).send(&ledger, url, &key);
    // Half of what they could send alone, so that it is the others who are measured and not the makers of their noise.
    let good =
        Good::Rate(made as f64 / started.elapsed().as_secs_f64() / 2.0, Duration::from_secs(10));
    let (mut alone, mut among) = (0, 0);
    for _ in 0..3 {
        alone += good.send(&ledger, url, &key).1;
        among += among_hostile_clients(&ledger, url, &key, &good).1;
    }
    eprintln!("requests that succeeded: {alone} alone, {among} among hostile clients");
    assert!(among * 10 >= alone * 9, "{among} of {alone}");
    assert_eq!(server.stop(), 0);
    ledger.check(folder.path());
}

/// What one client sends on one connection, and the answers it gets. Wherever two servers could see two different requests
/// in it, there is one answer at the most, and the connection is closed.
const SHAPES: [(&str, &str, &[u16]); 9] = [
    (
        "two lengths",
        "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        &[400],
    ),
    (
        "a length and chunks",
        "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
    ),
    (
        "chunks that are not last",
        "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
    ),
    (
        "a length with a sign",
        "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
        &[400],
    ),
    (
        "a space before the colon",
        "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello",
        &[400],
    ),
    (
        "a folded header",
        "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n x: y\r\n\r\nhello",
        &[400],
    ),
    ("a null in a header", "GET /healthz HTTP/1.1\r\nHost: a\0b\r\n\r\n", &[400]),
    (
        "a chunk of no size",
        "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nhello\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "two requests",
        "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        &[200, 404],
    ),
];

#[test]
fn nobody_gets_two_requests_through_where_one_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    for (what, bytes, expected) in SHAPES {
        let mut stream = connect(&server.collector);
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(bytes.as_bytes()).unwrap();
        let mut answers = String::new();
        let _ = stream.read_to_string(&mut answers);
        let statuses: Vec<u16> =
            answers.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].parse().unwrap()).collect();
        // To close without a word is as good a refusal.
        let refused = expected == [400] && statuses.is_empty();
        assert!(refused || statuses == expected, "{what}: {answers}");
    }
    // More headers than anybody needs, in number and in bytes.
    for flood in ["X: y\r\n".repeat(5_000), format!("X: {}\r\n", "y".repeat(200_000))] {
        let answer = exchange(
            &server.collector,
            format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{flood}\r\n").as_bytes(),
        );
        let status = answer.map_or(0, |answer| answer.status);
        assert!(matches!(status, 0 | 400 | 431), "{status}");
    }
    assert_eq!(get(&server.collector, "/healthz", &[]).status, 200);
    assert_eq!(server.stop(), 0);
}
