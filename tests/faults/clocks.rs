//! The system clock jumps while a server runs: it says so, goes on storing each event once under the right time, and lets
//! no lock go and deletes nothing before its time.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use beaconry_model::time::Timestamp;
use beaconry_tests::{Server, beacon, beaconry, event, eventually, faketime_library, post};
use serde_json::{Value, json};

use crate::clients::Ledger;
use crate::rig::prepare;

/// A clock that a test moves while a process runs under it.
struct SystemClock(PathBuf);

impl SystemClock {
    fn new(folder: &Path) -> SystemClock {
        let clock = SystemClock(folder.join("clock"));
        clock.set("+0");
        clock
    }

    /// Moves it by this, like `-1h`. In one step, so that nobody reads half of it.
    fn set(&self, shift: &str) {
        let next = self.0.with_extension("next");
        fs::write(&next, shift).unwrap();
        fs::rename(next, &self.0).unwrap();
    }

    /// What a shell has to run for a process to live by it. Its monotonic clock stays the real one.
    fn shell(&self) -> String {
        let library = faketime_library();
        format!(
            "export LD_PRELOAD='{library}' FAKETIME_TIMESTAMP_FILE={} FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1",
            self.0.display()
        )
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

/// What became of one event of this version.
fn answer(server: &Server, key: &str, n: u64, version: u32) -> Value {
    let id = format!("019a0000-0000-7000-9000-{n:012x}");
    let data = json!({ "source": "test", "m": n });
    let answer =
        post(&server.collector, "/c", &[], beacon(vec![event(&id, key, version, data)]).as_bytes());
    if answer.status == 204 {
        json!("stored")
    } else {
        answer.json()["rejected"][0]["code"].clone()
    }
}

/// A server with an event that is kept a day and locked by an edit, beside the one that the ledger sends.
fn through_jumps(between: impl Fn()) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (key, ledger, clock) = (prepare(&data), Ledger::default(), SystemClock::new(folder.path()));
    let run =
        |arguments: &[&str]| assert_eq!(beaconry(&data, 0, arguments).code, 0, "{arguments:?}");
    run(&[
        "event",
        "create",
        "--category",
        "signals",
        "--name",
        "Short",
        "--retention",
        "1d",
        "--field",
        "m:number",
    ]);
    run(&["tracking", "enable", "short"]);
    let short = beaconry(&data, 0, &["event", "show", "short", "--json"]).json();
    let short = short["key"].as_str().unwrap();

    let server = Server::start_after(&data, &clock.shell());
    run(&["event", "edit", "short", "--add-field", "further:text"]);
    let send = || {
        let promised = ledger.promised();
        ledger.send(&server.collector, &key, 2, || ledger.promised() < promised + 100);
    };
    send();
    assert_eq!(answer(&server, short, 1, 1), "stored");
    let expected = answer(&server, short, 2, 2);
    assert_ne!(expected, "stored", "version 2 is pending");
    for (n, (shift, said)) in (10..).zip([("-1h", "jumped by -3"), ("+365d", "jumped by 31")]) {
        clock.set(shift);
        eventually("it says so", || server.errors().contains(said).then_some(()));
        send();
        between();
        assert_eq!(answer(&server, short, n, 1), "stored", "{shift}");
        assert_eq!(
            answer(&server, short, n + 100, 2),
            expected,
            "{shift}: version 2 stays pending"
        );
        assert_eq!(server.events("short", 0).len() as u64, n - 8, "{shift}: nothing was deleted");
        clock.set("+0");
        eventually("it says that, too", || {
            (server.errors().matches("clock is right again").count() as u64 > n - 10).then_some(())
        });
    }
    send();
    assert!(!server.errors().contains("failed"), "{}", server.errors());
    assert_eq!(server.stop(), 0);
    ledger.check(&data);
    // All of it arrived now, whatever the clock said.
    let events =
        beaconry(&data, 0, &["events", "order-placed", "--limit", "100000", "--json"]).json();
    for event in events.as_array().unwrap() {
        let arrived: Timestamp = serde_json::from_value(event["received"].clone()).unwrap();
        assert!(now() - 600_000 < arrived.0 && arrived.0 <= now(), "{event}");
    }
}

#[test]
fn a_clock_that_jumps_lets_no_lock_go_and_loses_nothing() {
    through_jumps(|| ());
}

#[test]
#[ignore = "three minutes, for the sweep of what has expired comes once a minute; make test-faults"]
fn a_clock_that_jumps_deletes_nothing_before_its_time() {
    through_jumps(|| thread::sleep(Duration::from_secs(70)));
}
