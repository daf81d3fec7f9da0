//! `kill -9` while beacons arrive and clients try again: what was answered with 2xx is there, once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use beaconry_tests::Server;

use crate::clients::Ledger;
use crate::rig::prepare;

const CLIENTS: usize = 4;

fn kill_again_and_again(rounds: u64) {
    let folder = tempfile::tempdir().unwrap();
    let key = prepare(folder.path());
    let (ledger, mut random) = (Ledger::default(), fastrand::Rng::new());
    for round in 1..=rounds {
        let server = Server::start(folder.path());
        let (url, alive) = (server.collector.clone(), AtomicBool::new(true));
        thread::scope(|scope| {
            scope.spawn(|| ledger.send(&url, &key, CLIENTS, || alive.load(Ordering::Relaxed)));
            // Not a wait for anything: the moment of the kill, from before the first commit to after some merges.
            thread::sleep(Duration::from_millis(random.u64(1..1_200)));
            server.kill();
            alive.store(false, Ordering::Relaxed);
        });
        if round % 10 == 0 || round == rounds {
            ledger.check(folder.path());
        }
    }
    // Every one of them is known to the next process, too.
    let server = Server::start(folder.path());
    let sent = ledger.promised();
    ledger.send_again(&server.collector, &key, 200);
    assert_eq!(server.stop(), 0);
    ledger.check(folder.path());
    assert!(sent as u64 > rounds * 50, "next to nothing was sent: {sent}");
    eprintln!("{rounds} kills: {sent} events promised, none lost, none twice");
}

#[test]
fn nothing_promised_is_lost_in_eight_kills() {
    kill_again_and_again(8);
}

#[test]
#[ignore = "some minutes; make test-faults"]
fn nothing_promised_is_lost_in_a_hundred_kills() {
    kill_again_and_again(100);
}
