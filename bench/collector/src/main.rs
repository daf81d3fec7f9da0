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

use peak::Kind;
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
        if settings.wants("held") {
            report.held.push((kind, held::held(kind, programs, &settings)?));
        }
        if let (true, Some(peak)) = (settings.wants("steady"), report.peak(kind)) {
            report.steady.push((kind, held::steady(kind, peak, programs, &settings)?));
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
