//! More arrives than the disk takes: it goes on at its full speed, what is too much is told so at once, and a moment after
//! the flood all is as before.

use std::thread;
use std::time::{Duration, Instant};

use beaconry_tests::get;

use crate::clients::{BATCH, Ledger};
use crate::disk::{Disk, Faults};
use crate::rig::{Rig, prepare};

/// How much of a flood it is.
struct Size {
    /// What the slow disk writes to each file in a second, in bytes.
    disk: u64,
    clients: usize,
    spell: Duration,
}

/// Beside other tests, on the same cores.
const SHORT: Size = Size { disk: 500_000, clients: 2_000, spell: Duration::from_secs(4) };
/// The disk takes two groups a second, and writes them back after six: a shorter spell would say little of its speed.
const LONG: Size = Size { disk: 1_000_000, clients: 2_500, spell: Duration::from_secs(20) };

/// Events a second that are promised for the first time, while so many clients send so many requests a second, or as many as
/// are answered.
fn goodput(rig: &Rig, key: &str, ledger: &Ledger, size: &Size, rate: f64) -> f64 {
    let (before, started) = (ledger.promised(), Instant::now());
    ledger.send_at(&rig.url, key, size.clients, rate, || started.elapsed() < size.spell);
    (ledger.promised() - before) as f64 / started.elapsed().as_secs_f64()
}

/// Memory of this process, in MiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// `timed`: whether times are held against what they should be.
fn flood(size: &Size, timed: bool) {
    let folder = tempfile::tempdir().unwrap();
    let key = prepare(folder.path());
    let disk = Disk::under(folder.path(), 5);
    let (rig, ledger) = (Rig::start(folder.path()).unwrap(), Ledger::default());
    disk.set(Faults { bytes_per_second: Some(size.disk), ..Faults::default() });
    // Clients that wait for their answers send what the disk takes, and no more.
    let at_peak = || goodput(&rig, &key, &ledger, size, f64::INFINITY);
    let before = at_peak();

    ledger.measure_anew();
    let memory_before = memory();
    let rate = 5.5 * before / BATCH;
    let (flood, health) = thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let started = Instant::now();
            let mut slowest = Duration::ZERO;
            while started.elapsed() < size.spell {
                let asked = Instant::now();
                assert_eq!(get(&rig.url, "/healthz", &[]).status, 200, "green under load");
                slowest = slowest.max(asked.elapsed());
            }
            slowest
        });
        (goodput(&rig, &key, &ledger, size, rate), watching.join().unwrap())
    });
    let offered = ledger.sent() as f64 / size.spell.as_secs_f64();
    let (stored, refused) = (ledger.p99(&[200, 204]), ledger.p99(&[503]));
    let refusals = ledger.answered(503);
    let grown = memory().saturating_sub(memory_before);
    let (over, promised) = (Instant::now(), ledger.promised());
    ledger.send(&rig.url, &key, 1, || ledger.promised() == promised);
    let recovered = over.elapsed();
    // The more is stored, the more pages an event touches: what the disk takes is between what it took before and after.
    let peak = if timed { f64::midpoint(before, at_peak()) } else { before };
    eprintln!(
        "the disk takes {before:.0} to {peak:.0} events a second; offered {offered:.0}: {flood:.0} stored, p99 {stored:.0?}; \
         {refusals} requests refused, p99 {refused:.0?}; health at the slowest {health:.0?}; {grown} MiB more memory; \
         taken again {recovered:.0?} after"
    );
    assert!(refusals > 100, "no flood: {offered} of {peak}");
    assert!(flood > 0.0, "nothing was stored in the flood");
    if timed {
        assert!(offered > 5.0 * peak, "no flood: {offered} of {peak}");
        assert!(flood > 0.9 * peak, "{flood} of {peak}");
        assert!(refused < Duration::from_millis(500), "refused after {refused:?}");
        assert!(recovered < Duration::from_secs(5), "taken {recovered:?} after the flood");
    }
    assert!(grown < 200, "{grown} MiB");

    disk.set(Faults::default());
    rig.stop();
    ledger.check(folder.path());
}

#[test]
fn in_a_flood_the_rest_is_refused_and_the_health_stays_green() {
    flood(&SHORT, false);
}

#[test]
#[ignore = "wants the machine for itself; make test-faults"]
fn at_five_times_what_the_disk_takes_the_rest_is_refused_at_once() {
    flood(&LONG, true);
}
