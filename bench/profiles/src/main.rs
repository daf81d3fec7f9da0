//! What profiles cost: 100,000 of them with 5 million events, as `make bench-profiles` measures it.
//!
//! The folder is filled through the store, as a server fills it: events are judged and appended, and linked behind. Then
//! the real program serves it, and is asked over HTTP. `BENCH_PROFILES` and `BENCH_EVENTS` set other sizes, and then nothing
//! is written into BENCHMARKS.md.

mod ask;
mod fill;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use report::Report;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bench-profiles: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut given = std::env::args().skip(1);
    let binary = PathBuf::from(given.next().ok_or("bench-profiles BINARY")?);
    let sizes = (size("BENCH_PROFILES")?, size("BENCH_EVENTS")?);
    let (profiles, events) = (sizes.0.unwrap_or(100_000), sizes.1.unwrap_or(5_000_000));
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()
        .map_err(|error| error.to_string())?;
    let mut report = Report::default();
    let filled = runtime.block_on(fill::fill(folder.path(), profiles, events, &mut report));
    // The server wants the folder for itself.
    drop(runtime);
    ask::ask(&binary, folder.path(), &filled?, &mut report)?;
    report.section(profiles, events).publish(sizes == (None, None))?;
    match report.missed() {
        0 => Ok(()),
        missed => Err(format!("{missed} times are over their limit")),
    }
}

fn size(name: &str) -> Result<Option<u64>, String> {
    let Ok(size) = std::env::var(name) else { return Ok(None) };
    size.parse().map(Some).map_err(|_| format!("{name}: expected a number, got {size}"))
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
