//! Builds a data folder with 200 events defined and ten million stored, then times every page of the console on it: `make
//! bench-console`.

mod measure;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use beaconry_bench_console::fill;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bench-console: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let arguments = Arguments::read()?;
    let begun = Instant::now();
    let filled = fill::fill(&arguments.data, arguments.events)?;
    if filled.new > 0 {
        println!(
            "stored {} events and {} in quarantine in {:.0} s",
            filled.new,
            filled.quarantined,
            begun.elapsed().as_secs_f64()
        );
    }
    let measured = measure::measure(&arguments.binary, &arguments.data, &filled)?;
    report::report(&filled, begun.elapsed(), &measured).publish(arguments.write)?;
    let slow = measured.iter().filter(|page| page.bounded && page.p95_ms > report::LIMIT_MS);
    match slow.count() {
        0 => Ok(()),
        count => Err(format!("{count} pages took longer than {} ms", report::LIMIT_MS)),
    }
}

struct Arguments {
    data: PathBuf,
    binary: PathBuf,
    events: u64,
    write: bool,
}

impl Arguments {
    fn read() -> Result<Arguments, String> {
        const USAGE: &str = "bench-console --data FOLDER --binary FILE [--events N] [--write]";
        let (mut data, mut binary, mut events, mut write) = (None, None, 10_000_000, false);
        let mut given = std::env::args().skip(1);
        while let Some(name) = given.next() {
            let mut value = || given.next().ok_or(format!("{name}: expected a value; {USAGE}"));
            match name.as_str() {
                "--data" => data = Some(PathBuf::from(value()?)),
                "--binary" => binary = Some(PathBuf::from(value()?)),
                "--events" => events = value()?.parse().map_err(|_| USAGE.to_owned())?,
                "--write" => write = true,
                _ => return Err(format!("{name} is not known; {USAGE}")),
            }
        }
        let missing = |name: &str| format!("{name} is missing; {USAGE}");
        Ok(Arguments {
            data: data.ok_or_else(|| missing("--data"))?,
            binary: binary.ok_or_else(|| missing("--binary"))?,
            events,
            write,
        })
    }
}
