//! More arrives than the disk takes: it goes on at its full speed, what is too much is told so at once, and a moment after
//! the flood all is as before.

use std::thread;
use std::time::{Duration, Instant};

use beaconry_tests::get;

use crate::clients::Ledger;
use crate::disk::{Disk, Faults};
use crate::rig::{Rig, prepare};

/// What the slow disk writes in a second, in bytes.
const SPEED: u64 = 200_000;
const SPELL: Duration = Duration::from_secs(4);
const CLIENTS: usize = 600;

/// Promised events a second, while so many clients each send a request as often as this, or as often as they are answered.
fn goodput(rig: &Rig, key: &str, ledger: &Ledger, clients: usize, every: Duration) -> f64 {
    let (before, started) = (ledger.promised(), Instant::now());
    ledger.send_every(&rig.url, key, clients, every, || started.elapsed() < SPELL);
    (ledger.promised() - before) as f64 / started.elapsed().as_secs_f64()
}

/// Memory of this process, in MiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// Whether times are held against what they should be: not where other tests run on the same cores.
fn flood(timed: bool) {
    let folder = tempfile::tempdir().unwrap();
    let key = prepare(folder.path());
    let disk = Disk::under(folder.path(), 5);
    let (rig, ledger) = (Rig::start(folder.path()).unwrap(), Ledger::default());
    disk.set(Faults { bytes_per_second: Some(SPEED), ..Faults::default() });
    let peak = goodput(&rig, &key, &ledger, 200, Duration::ZERO);

    ledger.measure_anew();
    let memory_before = memory();
    // Half of the requests hold one event, the others about eleven.
    let every = Duration::from_secs_f64(CLIENTS as f64 * 6.0 / (5.5 * peak));
    let (flood, health) = thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let started = Instant::now();
            let mut slowest = Duration::ZERO;
            while started.elapsed() < SPELL {
                let asked = Instant::now();
                assert_eq!(get(&rig.url, "/healthz", &[]).status, 200, "green under load");
                slowest = slowest.max(asked.elapsed());
            }
            slowest
        });
        (goodput(&rig, &key, &ledger, CLIENTS, every), watching.join().unwrap())
    });
    let offered = ledger.sent() as f64 / SPELL.as_secs_f64();
    let refused = ledger.p99(&[503]);
    let grown = memory().saturating_sub(memory_before);
    eprintln!(
        "the disk takes {peak:.0} events a second; offered {offered:.0}: {flood:.0} stored, {} requests refused, \
         p99 {refused:.0?}; the stored ones p99 {:.0?}; health at the slowest {health:.0?}; {grown} MiB more memory",
        ledger.answered(503),
        ledger.p99(&[200, 204]),
    );
    assert!(ledger.answered(503) > 100, "no flood: {offered} of {peak}");
    assert!(flood > 0.0, "nothing was stored in the flood");
    if timed {
        assert!(offered > 4.5 * peak, "no flood: {offered} of {peak}");
        assert!(flood > 0.9 * peak, "{flood} of {peak}");
        assert!(refused < Duration::from_millis(500), "refused after {refused:?}");
    }
    assert!(grown < 200, "{grown} MiB");

    let (over, promised) = (Instant::now(), ledger.promised());
    ledger.send(&rig.url, &key, 1, || ledger.promised() == promised);
    let recovered = over.elapsed() < Duration::from_secs(5);
    assert!(recovered || !timed, "taken {:?} after the flood", over.elapsed());
    disk.set(Faults::default());
    rig.stop();
    ledger.check(folder.path());
}

#[test]
fn in_a_flood_the_rest_is_refused_and_the_health_stays_green() {
    flood(false);
}

#[test]
#[ignore = "wants the machine for itself; make test-faults"]
fn at_five_times_what_the_disk_takes_the_rest_is_refused_at_once() {
    flood(true);
}
