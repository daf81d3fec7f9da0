//! Twenty minutes at half of what the machine takes, with everything going on that people and programs do beside it:
//! memory stays flat, every command succeeds, and every event is there once.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use beaconry_tests::Server;

use crate::clients::{BATCH, Ledger};
use crate::rig::prepare;

const CLIENTS: usize = 8;

/// Memory of a process, in MiB.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// The n-th round of what else goes on; how many commands it ran.
fn beside(server: &Server, folder: &Path, n: u64) -> u64 {
    let name = format!("Event {n}");
    let slug = format!("event-{n}");
    let description = format!("For the {n}th time.");
    let backup = folder.join(format!("backup-{n}"));
    let mut commands: Vec<Vec<&str>> = vec![
        vec![
            "event",
            "create",
            "--category",
            "signals",
            "--name",
            &name,
            "--retention",
            "30d",
            "--field",
            "m:number",
        ],
        vec!["tracking", "enable", &slug],
        vec!["event", "edit", &slug, "--add-field", "further:text"],
        vec!["event", "edit", "order-placed", "--description", &description],
        vec!["tracking", "disable", &slug],
        vec!["event", "hide", &slug, "--yes"],
        vec!["quarantine", "replay", "order-placed"],
        vec!["events", "order-placed", "--limit", "20000", "--json"],
        vec!["stats"],
    ];
    if n % 10 == 5 {
        commands.push(vec!["backup", backup.to_str().unwrap()]);
    }
    for command in &commands {
        let run = server.beaconry(command);
        assert_eq!(run.code, 0, "{command:?}: {}", run.err);
    }
    if backup.exists() {
        std::fs::remove_dir_all(&backup).unwrap();
    }
    commands.len() as u64
}

/// Ends the load, also where what goes on beside it fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn soak(length: Duration) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let key = prepare(&data);
    let (server, ledger) = (Server::start(&data), Ledger::default());
    let url = server.collector.as_str();
    let warming = Instant::now();
    ledger.send(url, &key, CLIENTS, || warming.elapsed() < length / 20);
    let peak = ledger.promised() as f64 / warming.elapsed().as_secs_f64();
    ledger.measure_anew();

    let rate = peak / 2.0 / BATCH;
    let (started, over) = (Instant::now(), AtomicBool::new(false));
    let (mut samples, mut commands) = (Vec::new(), 0);
    thread::scope(|scope| {
        scope.spawn(|| ledger.send_at(url, &key, CLIENTS, rate, || !over.load(Ordering::Relaxed)));
        let ends = Ends(&over);
        for n in 0.. {
            if started.elapsed() > length {
                break;
            }
            commands += beside(&server, folder.path(), n);
            samples.push(memory(server.id()));
        }
        drop(ends);
    });
    let rate = ledger.sent() as f64 / started.elapsed().as_secs_f64();
    let quarter = samples.len() / 4;
    let most = |part: &[u64]| part.iter().max().copied().unwrap_or_default();
    let (early, late) = (most(&samples[quarter..=2 * quarter]), most(&samples[3 * quarter..]));
    eprintln!(
        "{:.0?}: {rate:.0} events a second (of {peak:.0}), {commands} commands beside them; memory {early} MiB in the second quarter, \
         {late} MiB in the last; p99 {:.0?}",
        started.elapsed(),
        ledger.p99(&[200, 204]),
    );
    assert_eq!(
        ledger.requests(),
        ledger.answered(200) + ledger.answered(204),
        "requests that failed"
    );
    assert!(late <= early + early / 10 + 16, "memory grows: {samples:?}");
    let said = server.errors();
    let errors: Vec<&str> = said.lines().filter(|line| !line.contains(" INFO ")).collect();
    assert!(errors.is_empty(), "{said}");
    assert_eq!(server.stop(), 0);
    ledger.check(&data);
}

#[test]
fn all_goes_on_beside_each_other_for_a_while() {
    soak(Duration::from_secs(8));
}

#[test]
#[ignore = "twenty minutes, or BEACONRY_SOAK_MINUTES; make soak"]
fn a_soak_of_twenty_minutes() {
    let minutes =
        std::env::var("BEACONRY_SOAK_MINUTES").ok().and_then(|minutes| minutes.parse().ok());
    soak(Duration::from_secs(60 * minutes.unwrap_or(20)));
}
