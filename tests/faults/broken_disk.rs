//! A disk that is full, or fails a write or a sync: no 2xx for what is not on disk, the reason in plain words, and service
//! again as soon as that is safe.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_tests::{beacon, event, event_id, eventually, get, post};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clients::Ledger;
use crate::disk::{Disk, Faults, Operation};
use crate::rig::{Rig, prepare};

const CLIENTS: usize = 4;

/// A running collector on a good disk, with some events promised.
struct Started {
    folder: TempDir,
    key: String,
    disk: Arc<Disk>,
    rig: Rig,
    ledger: Ledger,
}

fn started() -> Started {
    let folder = tempfile::tempdir().unwrap();
    let key = prepare(folder.path());
    let disk = Disk::under(folder.path(), 3);
    let rig = Rig::start(folder.path()).unwrap();
    let ledger = Ledger::default();
    let started = Started { folder, key, disk, rig, ledger };
    started.send_until_promised(300);
    started
}

impl Started {
    fn send_while(&self, go: impl Fn() -> bool + Sync) {
        self.ledger.send(&self.rig.url, &self.key, CLIENTS, go);
    }

    fn send_until_promised(&self, more: usize) {
        let enough = self.ledger.promised() + more;
        self.send_while(|| self.ledger.promised() < enough);
    }

    /// How often some further requests were answered with 2xx, and how often refused: with 503, or with 429 where they come
    /// faster than one address may.
    fn answers(&self) -> (u64, u64) {
        self.ledger.measure_anew();
        let left = AtomicU32::new(50);
        self.send_while(|| {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_ok()
        });
        (
            self.ledger.answered(200) + self.ledger.answered(204),
            self.ledger.answered(503) + self.ledger.answered(429),
        )
    }

    fn health(&self) -> (u16, String) {
        let answer = get(&self.rig.url, "/healthz", &[]);
        (answer.status, answer.text())
    }
}

#[test]
fn a_full_disk_is_503_and_heals_by_itself() {
    let it = started();
    it.disk.set(Faults { capacity: Some(it.disk.used() + 400_000), ..Faults::default() });
    it.send_while(|| it.ledger.answered(503) < 50);
    eventually("the health says so", || {
        let (status, text) = it.health();
        (status == 503 && text.contains("the disk is full; make room")).then_some(())
    });
    eventually("merging fails, too", || it.disk.was_full("index.db-wal").then_some(()));
    assert!(it.answers().1 > 0);
    it.ledger.check(it.folder.path());

    it.disk.set(Faults::default());
    // Nobody sends; the store finds out by itself.
    eventually("the health is good again", || (it.health().0 == 200).then_some(()));
    it.send_until_promised(300);
    let reader = it.rig.store.reader().unwrap();
    eventually("merging goes on", || (reader.index_lag().unwrap() == 0).then_some(()));
    eventually("linking goes on", || {
        let folder = beaconry_store::Folder::open(it.folder.path()).unwrap();
        let stats = beaconry_store::stats(&folder).unwrap();
        (stats.unlinked == 0 && stats.profiles == 1).then_some(())
    });
    it.rig.stop();
    it.ledger.check(it.folder.path());
    // And the power may go at any time after.
    it.disk.cut();
    let left = tempfile::tempdir().unwrap();
    it.disk.after_power_cut(left.path());
    Rig::start(left.path()).unwrap().stop();
    it.ledger.check(left.path());
}

/// What fails: a WAL's when something is committed, a database's own when commits are written back.
const FAILURES: [(Operation, &str); 11] = [
    (Operation::Write, "events.db-wal"),
    (Operation::Sync, "events.db-wal"),
    (Operation::Write, "index.db-wal"),
    (Operation::Sync, "index.db-wal"),
    (Operation::Write, "profiles.db-wal"),
    (Operation::Write, "events.db"),
    (Operation::Sync, "events.db"),
    (Operation::Write, "index.db"),
    (Operation::Sync, "index.db"),
    (Operation::Write, "profiles.db"),
    (Operation::Sync, "profiles.db"),
];

#[test]
fn after_a_failed_write_or_sync_nothing_is_promised_that_a_power_cut_could_take() {
    // Until the index is written back takes ten seconds.
    for (operation, file) in FAILURES.into_iter().filter(|(_, file)| *file != "index.db") {
        fails_and_is_started_anew(operation, file, true);
    }
    // In closing, SQLite would let go of what a failed sync has lost.
    fails_and_is_started_anew(Operation::Sync, "events.db", false);
}

#[test]
#[ignore = "a minute; make test-faults"]
fn whatever_fails_and_however_the_server_ends_nothing_promised_is_lost() {
    for (operation, file) in FAILURES {
        for killed in [true, false] {
            fails_and_is_started_anew(operation, file, killed);
        }
    }
}

fn fails_and_is_started_anew(operation: Operation, file: &'static str, killed: bool) {
    let what =
        format!("{operation:?} of {file}, then {}", if killed { "killed" } else { "stopped" });
    let it = started();
    it.disk.set(Faults { fails: Some((operation, file)), ..Faults::default() });
    it.send_while(|| !it.disk.has_failed() && it.rig.store.broken().is_none());
    let why = eventually(&what, || it.rig.store.broken());
    assert!(why.contains("disk I/O error") && why.contains("restart"), "{what}: {why}");
    assert!(why.contains(file.trim_end_matches("-wal")), "{what}: {why}");
    let (promised, refused) = it.answers();
    assert!(
        promised == 0 && refused == 50,
        "{what}: {promised} promised after it, {refused} refused"
    );
    assert_eq!(it.health(), (503, format!("{why}\n")));
    // The process ends in one way or the other, and is started anew on what it left; only then the power goes.
    if killed {
        it.disk.cut();
        it.rig.stop();
    } else {
        it.rig.stop();
        it.disk.cut();
    }
    let restarted = tempfile::tempdir().unwrap();
    let disk = it.disk.after_kill(restarted.path(), 4);
    let rig = Rig::start(restarted.path()).unwrap();
    let enough = it.ledger.promised() + 100;
    it.ledger.send(&rig.url, &it.key, CLIENTS, || it.ledger.promised() < enough);
    disk.cut();
    rig.stop();
    let left = tempfile::tempdir().unwrap();
    disk.after_power_cut(left.path());
    Rig::start(left.path()).unwrap_or_else(|error| panic!("{what}: {error}")).stop();
    it.ledger.check(left.path());
}

/// Who is erased, and what is known of them.
const VISITOR: &str = "ada-laptop-visitor";
const NUMBER: u64 = 771_234_567;

fn visit(it: &Started) {
    let data = json!({ "source": "test", "n": NUMBER });
    let sent = beacon(vec![event(&event_id(NUMBER), &it.key, 1, data)]);
    let mut sent: Value = serde_json::from_str(&sent).unwrap();
    sent["visitor"] = json!(VISITOR);
    assert_eq!(post(&it.rig.url, "/c", &[], sent.to_string().as_bytes()).status, 204);
    assert!(!traces(it.folder.path()).is_empty(), "it is to be found before it is erased");
}

/// The files of a folder that hold anything of the visitor.
fn traces(folder: &Path) -> Vec<String> {
    let known_by = [VISITOR.to_owned(), NUMBER.to_string()];
    let holds = |bytes: &[u8], text: &String| {
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let found = names.filter(|path| {
        let bytes = std::fs::read(path).unwrap();
        known_by.iter().any(|text| holds(&bytes, text))
    });
    found.map(|path| path.display().to_string()).collect()
}

/// Erasing ends with each write-ahead log written back and cut to nothing, by a connection of its own.
#[test]
fn an_erasing_that_the_disk_breaks_off_is_done_by_the_next_start() {
    for file in ["events.db", "index.db", "profiles.db", "registry.db"] {
        let it = started();
        visit(&it);
        let ada = ProfileKey::new(Keyspace::Web, VISITOR).unwrap();
        it.disk.set(Faults { fails: Some((Operation::Sync, file)), ..Faults::default() });
        let told = it.rig.store.erase(&ada, false, "test");
        assert!(told.is_err() && it.disk.has_failed(), "{file}: {told:?}");
        let why = it.rig.store.broken().unwrap_or_default();
        assert!(why.contains(file), "{file}: {why}");
        assert_eq!(it.answers().0, 0, "{file}: promised after it");
        it.rig.stop();
        it.disk.cut();

        let restarted = tempfile::tempdir().unwrap();
        let disk = it.disk.after_kill(restarted.path(), 4);
        let rig = Rig::start(restarted.path()).unwrap();
        eventually("nothing is left of who was erased", || {
            traces(restarted.path()).is_empty().then_some(())
        });
        disk.cut();
        rig.stop();
        let left = tempfile::tempdir().unwrap();
        disk.after_power_cut(left.path());
        Rig::start(left.path()).unwrap_or_else(|error| panic!("{file}: {error}")).stop();
        it.ledger.check(left.path());
        assert_eq!(traces(left.path()), [] as [String; 0], "{file}");
    }
}

#[test]
fn an_erasing_that_a_reader_holds_up_is_done_once_the_reader_is_gone() {
    let it = started();
    visit(&it);
    let reader = rusqlite::Connection::open(it.folder.path().join("events.db")).unwrap();
    let reads = "BEGIN; SELECT count(*) FROM events";
    reader.execute_batch(reads).unwrap();
    let ada = ProfileKey::new(Keyspace::Web, VISITOR).unwrap();
    let told = it.rig.store.erase(&ada, false, "test").unwrap_err().to_string();
    assert!(told.contains("holds up the write-ahead logs"), "{told}");
    assert!(it.rig.store.broken().is_none());
    assert!(!traces(it.folder.path()).is_empty(), "what the reader sees is there");
    drop(reader);
    let started = Instant::now();
    while !traces(it.folder.path()).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(90), "it is not tried again");
        thread::sleep(Duration::from_millis(500));
    }
    it.rig.stop();
    it.ledger.check(it.folder.path());
}
