//! Where the collector's time goes while it is as fast as it can be: samples by `perf`, where that is installed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::peak::Kind;
use crate::servers::{Programs, Server};
use crate::settings::Settings;

/// What samples are told apart by: system calls by what they do, all else by the file its code is in.
const CALLS: [(&str, &str); 8] = [
    (
        "__x64_sys_sendto",
        "kernel: sending answers (with loopback, the load's side of receiving too)",
    ),
    ("__x64_sys_recvfrom", "kernel: receiving requests"),
    ("__x64_sys_epoll_wait", "kernel: waiting for sockets"),
    ("__x64_sys_futex", "kernel: threads that wake each other"),
    ("__x64_sys_pwrite64", "kernel: writing to files"),
    ("__x64_sys_pread64", "kernel: reading from files"),
    ("__x64_sys_fdatasync", "kernel: making files durable"),
    ("__x64_sys_fsync", "kernel: making files durable"),
];
const OWN: &str = "Beaconry, Hyper, Tokio";
const SQLITE: &str = "SQLite";
const LIBC: &str = "memory: allocated, copied, freed";
const KERNEL: &str = "kernel: the rest";

/// Who the samples are told apart by: the threads of the store by their names, and all others, which answer.
pub(crate) const THREADS: [(&str, &str); 4] = [
    ("", "answering"),
    ("log-writer", "writing the log"),
    ("index-merger", "indexing"),
    ("profile-linker", "linking"),
];

/// Shares of the samples, in percent, by [`THREADS`].
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) rows: Vec<(&'static str, Shares)>,
}

pub(crate) type Shares = [f64; THREADS.len()];

/// Profiles a new server under the load of [`Kind::SINGLE`]; nothing where there is no `perf`.
pub(crate) fn profile(programs: &Programs, settings: &Settings) -> Result<Option<Profile>, String> {
    let there = Command::new("perf").arg("--version").stdout(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        eprintln!("not profiled: there is no `perf` (Debian's package linux-perf)");
        return Ok(None);
    }
    eprintln!("profile: {}", Kind::SINGLE.name());
    let (server, key) = Kind::SINGLE.start(programs)?;
    let file = server.folder.join("perf.data");
    let load = Kind::SINGLE.load(&server, &key, settings);
    let load = crate::load::Load { measured: settings.steady, ..load };
    let mut recording = None;
    load.run(|since, _| {
        if recording.is_none() && since > Duration::ZERO {
            recording = Some(record(&server, &file, settings.steady / 2));
        }
    })?;
    let mut recording = recording.ok_or("the load ended before it was profiled")??;
    recording.wait().map_err(|error| format!("perf: {error}"))?;
    let samples = samples(&file)?;
    Ok(Some(shares(&samples)))
}

fn record(server: &Server, file: &Path, long: Duration) -> Result<std::process::Child, String> {
    let mut command = Command::new("perf");
    command.args(["record", "-q", "-e", "cpu-clock", "-F", "499", "-g", "-p"]);
    command.arg(server.process().to_string()).arg("-o").arg(file);
    command.args(["--", "sleep", &long.as_secs().to_string()]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|e| format!("perf: {e}"))
}

fn samples(file: &Path) -> Result<String, String> {
    let mut command = Command::new("perf");
    command.args(["script", "-F", "comm,ip,sym,dso", "-i"]).arg(file).stderr(Stdio::null());
    let output = command.output().map_err(|error| format!("perf: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Samples as `perf script` writes them: the thread's name, then a line for each call, the innermost first, then nothing.
fn shares(samples: &str) -> Profile {
    let (mut counts, mut all) = (BTreeMap::<&'static str, Shares>::new(), 0.0);
    for sample in samples.split("\n\n") {
        let Some((thread, calls)) = sample.trim_start().split_once('\n') else { continue };
        let named = THREADS.iter().rposition(|(name, _)| thread.contains(name));
        counts.entry(kind(calls)).or_default()[named.unwrap_or_default()] += 1.0;
        all += 1.0;
    }
    let mut rows: Vec<_> =
        counts.into_iter().map(|(what, of)| (what, of.map(|of| of * 100.0 / all))).collect();
    rows.sort_by(|(_, one), (_, other)| other.iter().sum::<f64>().total_cmp(&one.iter().sum()));
    Profile { rows }
}

fn kind(calls: &str) -> &'static str {
    let call = CALLS.iter().find(|(symbol, _)| calls.contains(symbol));
    let innermost = calls.lines().next().unwrap_or_default();
    match call {
        Some((_, words)) => words,
        None if innermost.contains("kernel") => KERNEL,
        None if innermost.contains("libc") => LIBC,
        None if innermost.contains("sqlite3") || is_sqlite(innermost) => SQLITE,
        None => OWN,
    }
}

/// SQLite's own functions have no name that begins with its own; Rust's have `::` in them.
fn is_sqlite(line: &str) -> bool {
    let symbol = line.split_whitespace().nth(1).unwrap_or_default();
    !symbol.contains("::") && !symbol.starts_with('<') && !symbol.contains("unknown")
}

#[cfg(test)]
mod tests {
    use super::{KERNEL, LIBC, OWN, SQLITE, shares};

    #[test]
    fn samples_are_told_apart_by_thread_and_by_what_they_do() {
        let samples = "log-writer\n\t1 memcpy (/lib/libc.so.6)\n\n\
                       tokio-rt-worker\n\t2 tcp_ack ([kernel.kallsyms])\n\t3 __x64_sys_sendto ([kernel.kallsyms])\n\n\
                       tokio-rt-worker\n\t4 hyper::proto::h1::parse (/bin/beaconry)\n\n\
                       index-merger\n\t5 walChecksumBytes (/bin/beaconry)\n\n\
                       profile-linker\n\t6 schedule ([kernel.kallsyms])\n\n";
        let rows = shares(samples).rows;
        let of = |what: &str| rows.iter().find(|(row, _)| *row == what).unwrap().1;
        assert_eq!(of(LIBC), [0.0, 20.0, 0.0, 0.0]);
        assert_eq!(of(OWN), [20.0, 0.0, 0.0, 0.0]);
        assert_eq!(of(SQLITE), [0.0, 0.0, 20.0, 0.0]);
        assert_eq!(of(KERNEL), [0.0, 0.0, 0.0, 20.0]);
        assert_eq!(rows.iter().filter(|(row, _)| row.contains("sending")).count(), 1);
    }
}
