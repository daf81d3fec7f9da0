//! How fast the collector takes events, beside a bare Hyper and nginx on the same machine: `make bench-collector`.

mod held;
mod load;
mod peak;
mod process;
mod profile;
mod report;
mod servers;
mod settings;
mod stored;

use std::process::ExitCode;
use std::time::Instant;

use peak::{Kind, median};
use report::Report;
use settings::Settings;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bench-collector: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let settings = Settings::read()?;
    let programs = &settings.programs;
    let (begun, load_before) = (Instant::now(), beaconry_bench_section::load());
    let mut report = Report::default();
    if settings.wants("peak") {
        report.rounds = peak::rounds(programs, &settings)?;
    }
    for kind in [Kind::SINGLE, Kind::BATCHES] {
        let peak = report.rounds.iter().find(|(of, _)| *of == kind);
        if let (true, Some((_, rounds))) = (settings.wants("steady"), peak) {
            let peak = median(rounds, |round| round.rate);
            report.steady.push((kind, peak, held::steady(kind, peak, programs, &settings)?));
        }
        if settings.wants("held") {
            report.held.push((kind, held::held(kind, programs, &settings)?));
        }
    }
    if settings.wants("one") {
        report.one = held::one_connection(programs, &settings)?;
    }
    if settings.wants("stored") {
        let folder = programs.work.join(format!("stored-{}", settings.stored));
        report.stored = Some(stored::stored(&folder, programs, &settings)?);
    }
    if settings.wants("profile") {
        report.profile = profile::profile(programs, &settings)?;
    }
    report.section(&settings, begun.elapsed(), &load_before).publish(settings.write)
}
