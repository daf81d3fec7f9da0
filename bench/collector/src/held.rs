//! What holds beyond a moment: latency at a constant rate, and a minute at the peak with all that goes on behind it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::load::{Load, Outcome};
use crate::peak::{Kind, Measured, measure, median};
use crate::process;
use crate::servers::Programs;
use crate::settings::Settings;

/// The part of the peak at which latency is measured.
pub(crate) const PART: f64 = 0.8;
/// Connections of a constant rate: so many that none that is due waits for one to be free.
pub(crate) const CONNECTIONS: usize = 512;

/// Latency at [`PART`] of a peak, on a new server.
pub(crate) fn steady(
    kind: Kind,
    peak: f64,
    programs: &Programs,
    settings: &Settings,
) -> Result<Outcome, String> {
    eprintln!("latency: {}", kind.name());
    let (server, key) = kind.start(programs)?;
    let load = Load {
        rate: Some(peak * PART),
        connections: CONNECTIONS,
        warm_up: settings.measured,
        measured: settings.steady,
        ..kind.load(&server, &key, settings)
    };
    load.measure()
}

/// A minute at the peak, and what came after.
#[derive(Debug)]
pub(crate) struct Held {
    /// Requests a second over the whole time, and in its last quarter.
    pub(crate) rate: f64,
    pub(crate) last_rate: f64,
    pub(crate) put_off: u64,
    pub(crate) p99_ms: f64,
    /// The most that indexes and profiles were behind the log, in events, and how long it took until nothing was.
    pub(crate) unindexed: u64,
    pub(crate) unlinked: u64,
    pub(crate) drained: Result<Duration, String>,
    pub(crate) cpu: f64,
    pub(crate) peak_bytes: u64,
    /// Bytes on disk for each event: the log alone, and everything.
    pub(crate) log_bytes: f64,
    pub(crate) bytes: f64,
}

pub(crate) fn held(kind: Kind, programs: &Programs, settings: &Settings) -> Result<Held, String> {
    eprintln!("held for {} s: {}", settings.held.as_secs(), kind.name());
    let (server, key) = kind.start(programs)?;
    let empty = process::folder_bytes(&server.folder);
    let load = Load { measured: settings.held, ..kind.load(&server, &key, settings) };
    let (mut unindexed, mut unlinked, mut before, mut seconds) = (0, 0, 0.0, Vec::new());
    let outcome = load.run(|since, answered| {
        if since.is_zero() {
            before = process::cpu_seconds(server.process());
        }
        if let Ok((indexes, profiles)) = server.behind() {
            (unindexed, unlinked) = (indexes.max(unindexed), profiles.max(unlinked));
        }
        seconds.push((since.as_secs_f64(), answered));
    })?;
    let drained = server.rest(Duration::from_secs(240));
    let events = (outcome.answered * kind.batch() as u64) as f64;
    let cpu = (process::cpu_seconds(server.process()) - before) / events * 1e6;
    let peak_bytes = process::peak_bytes(server.process());
    // The warm-up's events are on disk too.
    let all = events * (1.0 + settings.warm_up.as_secs_f64() / settings.held.as_secs_f64());
    let log = std::fs::metadata(server.folder.join("events.db")).map_or(0, |file| file.len());
    let (from, to) = (seconds[seconds.len() * 3 / 4], seconds[seconds.len() - 1]);
    Ok(Held {
        rate: outcome.rate(),
        last_rate: (to.1 - from.1) as f64 / (to.0 - from.0),
        put_off: outcome.put_off,
        p99_ms: outcome.latency_ms(0.99),
        unindexed,
        unlinked,
        drained,
        cpu,
        peak_bytes,
        log_bytes: log as f64 / all,
        bytes: (process::folder_bytes(&server.folder) - empty) as f64 / all,
    })
}

/// One connection's requests beside what an fsync takes in the same folder, in milliseconds: round by round.
pub(crate) fn one_connection(
    programs: &Programs,
    settings: &Settings,
) -> Result<Vec<(Measured, f64)>, String> {
    eprintln!("one connection beside fsync");
    let kind = Kind::Beaconry { connections: 1, batch: 1 };
    let (server, key) = kind.start(programs)?;
    let load = kind.load(&server, &key, settings);
    let round = |_| {
        let measured = measure(&load, &server)?;
        let sync = fsync_ms(&server.folder).map_err(|error| format!("fsync: {error}"))?;
        Ok((measured, sync))
    };
    (0..settings.rounds).map(round).collect()
}

/// How long it takes to have 4 KiB on disk that are appended to a file, and that are written over in one: the median of
/// each, of which the longer is what a log has to wait for.
fn fsync_ms(folder: &Path) -> std::io::Result<f64> {
    const TIMES: u64 = 200;
    let path = folder.join("fsync.tmp");
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    let timed = |write: &dyn Fn(&File, u64) -> std::io::Result<()>| {
        let mut times = Vec::new();
        for at in 0..TIMES {
            write(&file, at)?;
            let begun = Instant::now();
            file.sync_data()?;
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        Ok::<_, std::io::Error>(median(&times, |time| *time))
    };
    timed(&|mut file, _| file.write_all(&[1; 4_096]))?;
    let over = timed(&|file, at| file.write_all_at(&[2; 4_096], at * 4_096))?;
    std::fs::remove_file(path)?;
    Ok(over)
}
