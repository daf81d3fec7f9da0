//! A server that ends, or hands over to its successor, while beacons arrive: what is under way is finished, and for a
//! client it is as if nothing had happened.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use beaconry_tests::{Server, eventually, signal};

use crate::clients::Ledger;
use crate::rig::prepare;

const CLIENTS: usize = 8;

/// The process that holds the folder's lease.
fn holder(folder: &Path) -> Option<u32> {
    fs::read_to_string(folder.join("lease")).ok()?.strip_prefix("process ")?.parse().ok()
}

fn runs(process: u32) -> bool {
    // A process that has ended and was not waited for yet is a zombie.
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn an_upgrade_in_place_fails_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let key = prepare(folder.path());
    let server = Server::start(folder.path());
    let (ledger, url, sending) =
        (Ledger::default(), server.collector.clone(), AtomicBool::new(true));
    let mut process = server.id();
    thread::scope(|scope| {
        scope.spawn(|| ledger.send(&url, &key, CLIENTS, || sending.load(Ordering::Relaxed)));
        for _ in 0..4 {
            let enough = ledger.promised() + 300;
            eventually("events are stored", || (ledger.promised() >= enough).then_some(()));
            signal(process, "USR2");
            let next = eventually("the successor has the lease", || {
                holder(folder.path()).filter(|holder| *holder != process)
            });
            eventually("the one before it has ended", || (!runs(process)).then_some(()));
            process = next;
        }
        let enough = ledger.promised() + 300;
        eventually("events are stored by the last", || (ledger.promised() >= enough).then_some(()));
        sending.store(false, Ordering::Relaxed);
    });
    signal(process, "TERM");
    eventually("the last has ended", || (!runs(process)).then_some(()));
    let failed = ledger.requests() - ledger.answered(200) - ledger.answered(204);
    assert_eq!(failed, 0, "of {} requests", ledger.requests());
    assert!(server.errors().contains("handing over to another process"), "{}", server.errors());
    ledger.check(folder.path());
    eprintln!(
        "4 upgrades: {} requests, none failed; the slowest hundredth took {:?}",
        ledger.requests(),
        ledger.p99(&[200, 204])
    );
}

#[test]
fn a_successor_that_does_not_start_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let key = prepare(folder.path());
    let program = folder.path().join("program");
    fs::copy(beaconry_tests::binary_path(), &program).unwrap();
    let server = Server::start_program(&program, folder.path());
    // Replaced as an upgrade does it, by one that is none.
    fs::remove_file(&program).unwrap();
    fs::write(&program, "no program").unwrap();
    server.signal("USR2");
    eventually("it says so", || {
        server.errors().contains("the upgrade failed; this server goes on").then_some(())
    });
    let ledger = Ledger::default();
    ledger.send(&server.collector, &key, 2, || ledger.promised() < 100);
    assert_eq!(server.stop(), 0);
    ledger.check(folder.path());
}

#[test]
fn a_server_that_is_told_to_stop_finishes_what_is_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let key = prepare(folder.path());
    let (ledger, sending) = (Ledger::default(), AtomicBool::new(true));
    for _ in 0..3 {
        let server = Server::start(folder.path());
        let url = server.collector.clone();
        sending.store(true, Ordering::Relaxed);
        thread::scope(|scope| {
            scope.spawn(|| ledger.send(&url, &key, CLIENTS, || sending.load(Ordering::Relaxed)));
            let enough = ledger.promised() + 200;
            eventually("events are stored", || (ledger.promised() >= enough).then_some(()));
            assert_eq!(server.stop(), 0);
            sending.store(false, Ordering::Relaxed);
        });
    }
    assert_eq!(ledger.answered(503) + ledger.answered(408), 0);
    ledger.check(folder.path());
}
