//! Clients that send as browsers do, and a ledger of what they were promised, to be held against what is stored.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use beaconry_model::event_id::EventId;
use beaconry_store::{EventNo, Folder, Reader, Registry, verify};
use beaconry_tests::{Answer, Connection, beacon, event};
use serde_json::{Value, json};

/// Events of a request, on average: half of them hold one, the others one to twenty.
pub(crate) const BATCH: f64 = 5.75;

/// Everything that was ever sent to one data folder, and what became of it.
#[derive(Default)]
pub(crate) struct Ledger {
    next: AtomicU64,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    /// Answered with 2xx: on disk for good.
    promised: Vec<u64>,
    /// Sent, and not answered so: to be sent again.
    open: Vec<u64>,
    /// How many requests were answered with each status; 0 for those that were not answered.
    statuses: HashMap<u16, u64>,
    /// Events in all requests, however they were answered.
    sent: u64,
    /// How long each answer took, by status.
    took: Vec<(u16, Duration)>,
}

/// An event in a request.
struct Sent {
    n: u64,
    /// It was promised before, and has to be again.
    again: bool,
}

/// The n-th event's id, the same at each try, scattered as ids of many visitors are.
fn id(n: u64) -> String {
    let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    format!(
        "019a{:04x}-{:04x}-7{:03x}-8{:03x}-{n:012x}",
        mixed & 0xffff,
        (mixed >> 16) & 0xffff,
        (mixed >> 32) & 0xfff,
        (mixed >> 44) & 0xfff
    )
}

/// Some events do not fit, and go to quarantine: for them, too, an answer is a promise.
fn fits(n: u64) -> bool {
    n % 16 != 3
}

fn one(n: u64, key: &str) -> Value {
    let value = if fits(n) { json!(n) } else { json!(n.to_string()) };
    event(&id(n), key, 1, json!({ "source": "test", "n": value }))
}

/// Posts on a connection that is kept. One that was used before may have been closed meanwhile, which is no answer: then
/// once more on a new one, as browsers do (RFC 9112, 9.3.1).
fn ask(url: &str, kept: &mut Option<Connection>, body: &[u8]) -> Answer {
    if let Some(connection) = kept {
        match connection.post("/c", body) {
            Ok(answer) if answer.status != 0 => return close_where_told(kept, answer),
            _ => *kept = None,
        }
    }
    let Ok(mut connection) = Connection::open(url) else { return Answer::default() };
    let answer = connection.post("/c", body).unwrap_or_default();
    if answer.status != 0 {
        *kept = Some(connection);
    }
    close_where_told(kept, answer)
}

fn close_where_told(kept: &mut Option<Connection>, answer: Answer) -> Answer {
    if answer.header("connection") == Some("close") {
        *kept = None;
    }
    answer
}

/// Id and data of every event in the log, without holding all of them; `verify` reads their checksums.
fn for_each_stored(folder: &Path, number: EventNo, mut take: impl FnMut(String, &str)) {
    let log = rusqlite::Connection::open(folder.join("events.db")).unwrap();
    let mut statement = log.prepare("SELECT id, data FROM events WHERE event = ?").unwrap();
    let mut rows = statement.query([number.0]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        take(EventId(row.get(0).unwrap()).to_string(), row.get_ref(1).unwrap().as_str().unwrap());
    }
}

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many events were promised so far.
    pub(crate) fn promised(&self) -> usize {
        self.book().promised.len()
    }

    /// How many requests there were.
    pub(crate) fn requests(&self) -> u64 {
        self.book().statuses.values().sum()
    }

    /// How many requests were answered with this status.
    pub(crate) fn answered(&self, status: u16) -> u64 {
        self.book().statuses.get(&status).copied().unwrap_or_default()
    }

    /// How many events requests held.
    pub(crate) fn sent(&self) -> u64 {
        self.book().sent
    }

    /// The longest of all but the slowest hundredth of answers with one of these statuses.
    pub(crate) fn p99(&self, statuses: &[u16]) -> Duration {
        let book = self.book();
        let chosen = book.took.iter().filter(|(status, _)| statuses.contains(status));
        let mut took: Vec<_> = chosen.map(|(_, took)| *took).collect();
        took.sort_unstable();
        took.get(took.len() * 99 / 100).copied().unwrap_or_default()
    }

    /// Forgets how long answers took and which they were, not what was promised.
    pub(crate) fn measure_anew(&self) {
        let mut book = self.book();
        book.took.clear();
        book.statuses.clear();
        book.sent = 0;
    }

    /// Sends from so many clients for as long as `go` says, each what was not answered again before anything new.
    pub(crate) fn send(&self, url: &str, key: &str, clients: usize, go: impl Fn() -> bool + Sync) {
        self.send_at(url, key, clients, f64::INFINITY, go);
    }

    /// The same at so many requests a second in all, however long each is not answered, while any client is free: each takes
    /// the next moment of one schedule.
    pub(crate) fn send_at(
        &self,
        url: &str,
        key: &str,
        clients: usize,
        rate: f64,
        go: impl Fn() -> bool + Sync,
    ) {
        let (begin, taken) = (Instant::now(), AtomicU64::new(0));
        let next =
            || begin + Duration::from_secs_f64(taken.fetch_add(1, Ordering::Relaxed) as f64 / rate);
        thread::scope(|scope| {
            for _ in 0..clients {
                scope.spawn(|| self.client(url, key, next, &go));
            }
        });
    }

    /// Sends the last promised events once more; each must be promised again.
    pub(crate) fn send_again(&self, url: &str, key: &str, count: usize) {
        let last: Vec<_> = self.book().promised.iter().rev().take(count).copied().collect();
        let mut connection = Connection::open(url).unwrap();
        for n in last {
            let body = beacon(vec![one(n, key)]);
            let answer = connection.post("/c", body.as_bytes()).unwrap();
            assert!(matches!(answer.status, 200 | 204), "{}: {}", answer.status, answer.text());
        }
    }

    fn client(&self, url: &str, key: &str, next: impl Fn() -> Instant, go: impl Fn() -> bool) {
        let (mut random, mut connection) = (fastrand::Rng::new(), None);
        while go() {
            thread::sleep(next().saturating_duration_since(Instant::now()));
            let batch = self.batch(&mut random);
            let body = beacon(batch.iter().map(|sent| one(sent.n, key)).collect());
            let asked = Instant::now();
            let answer = ask(url, &mut connection, body.as_bytes());
            self.settle(&batch, &answer, asked.elapsed());
        }
    }

    /// One to twenty events: what is owed an answer, what had one before, and new ones.
    fn batch(&self, random: &mut fastrand::Rng) -> Vec<Sent> {
        let mut book = self.book();
        let size = if random.bool() { 1 } else { random.usize(1..=20) };
        let mut batch = Vec::with_capacity(size);
        while batch.len() < size {
            batch.push(match random.u8(..20) {
                0 if !book.promised.is_empty() => {
                    Sent { n: book.promised[random.usize(..book.promised.len())], again: true }
                }
                _ => {
                    let new = || self.next.fetch_add(1, Ordering::Relaxed);
                    Sent { n: book.open.pop().unwrap_or_else(new), again: false }
                }
            });
        }
        batch.sort_unstable_by_key(|sent| sent.n);
        batch.dedup_by_key(|sent| sent.n);
        batch
    }

    /// Notes an answer, and holds it against what was asked.
    fn settle(&self, batch: &[Sent], answer: &Answer, took: Duration) {
        let misfits: Vec<_> =
            (0..batch.len()).filter(|at| !fits(batch[*at].n)).map(|at| json!(at)).collect();
        match answer.status {
            204 => assert_eq!(misfits, [] as [Value; 0], "answered with 204"),
            200 => {
                let answer = answer.json();
                let rejected = answer["rejected"].as_array().unwrap();
                let named: Vec<_> = rejected.iter().map(|it| it["index"].clone()).collect();
                assert_eq!(named, misfits, "{answer}");
            }
            429 | 503 => assert!(
                answer.header("retry-after").is_some(),
                "{} without Retry-After: {}",
                answer.status,
                answer.text()
            ),
            0 => {}
            other => panic!("{other}: {}", answer.text()),
        }
        let mut book = self.book();
        book.sent += batch.len() as u64;
        *book.statuses.entry(answer.status).or_default() += 1;
        book.took.push((answer.status, took));
        let owed = batch.iter().filter(|sent| !sent.again).map(|sent| sent.n);
        if matches!(answer.status, 200 | 204) {
            book.promised.extend(owed);
        } else {
            book.open.extend(owed);
        }
    }

    /// Holds the data folder against the ledger: everything promised is there once, and nothing that was never sent.
    #[track_caller]
    pub(crate) fn check(&self, folder: &Path) {
        self.check_first(folder, self.promised());
    }

    /// The same, for a copy that was begun when so many events had been promised.
    #[track_caller]
    pub(crate) fn check_first(&self, folder: &Path, promised: usize) {
        let folder = Folder::open(folder).unwrap();
        let snapshot = Registry::open(&folder).unwrap().snapshot().unwrap();
        let number = snapshot.all_events()[0].number;
        let reader = Reader::open(&folder).unwrap();
        let mut stored: HashMap<u64, u32> = HashMap::new();
        for_each_stored(folder.path(), number, |stored_id, data| {
            let n = serde_json::from_str::<Value>(data).unwrap()["n"].as_u64().unwrap();
            assert_eq!(stored_id, id(n), "an event has another's data");
            *stored.entry(n).or_default() += 1;
        });
        let mut kept: HashMap<u64, u32> = HashMap::new();
        for beacon in reader.quarantine(Some(number), i64::MAX, u32::MAX).unwrap() {
            let raw: Value = serde_json::from_str(&beacon.kept.raw).unwrap();
            *kept.entry(raw["data"]["n"].as_str().unwrap().parse().unwrap()).or_default() += 1;
        }
        let book = self.book();
        let there =
            |n: &&u64| if fits(**n) { stored.contains_key(n) } else { kept.contains_key(n) };
        let lost: Vec<_> = book.promised[..promised].iter().filter(|n| !there(n)).collect();
        assert_eq!((lost.len(), lost.first()), (0, None), "of {promised} promised, not there");
        let twice = stored.iter().chain(&kept).find(|(_, times)| **times > 1);
        assert_eq!(twice, None, "there twice");
        let next = self.next.load(Ordering::Relaxed);
        assert!(stored.keys().chain(kept.keys()).all(|n| *n < next), "there, and never sent");
        assert!(stored.keys().all(|n| fits(*n)) && !kept.keys().any(|n| fits(*n)), "misplaced");
        assert_eq!(verify(&folder).unwrap().faults, [] as [String; 0]);
    }
}
