//! What was measured as a section of BENCHMARKS.md.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use beaconry_bench_console::fill::{DEFINED, Filled};
use beaconry_model::time::Timestamp;

use crate::measure::Page;

/// What a page may take at the server, in milliseconds.
pub(crate) const LIMIT_MS: f64 = 50.0;
const FILE: &str = "BENCHMARKS.md";
const BEGIN: &str = "<!-- bench-console -->";
const END: &str = "<!-- /bench-console -->";

/// The section, between its marks.
pub(crate) fn report(filled: &Filled, took: Duration, pages: &[Page]) -> String {
    let mut text = format!("{BEGIN}\n## The console's pages, with ten million events stored\n\n");
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    let _ = writeln!(
        text,
        "Measured on {}, {cpus} CPUs, load {load} after the run. {DEFINED} events defined, {} stored over 90 days \
         ({} of the largest), {} in quarantine; {:.1} GB on disk.{} To repeat: `make bench-console`.\n",
        today(),
        filled.stored,
        filled.largest.1,
        filled.quarantined,
        filled.bytes as f64 / 1e9,
        match filled.new {
            0 => String::new(),
            _ => format!(" Filling and measuring took {:.0} s.", took.as_secs_f64()),
        }
    );
    let _ = writeln!(text, "| page | kB | first ms | median ms | 95th percentile ms |");
    let _ = writeln!(text, "| --- | --: | --: | --: | --: |");
    for page in pages {
        let mark = if page.bounded { "" } else { " *" };
        let _ = writeln!(
            text,
            "| {}{mark} | {:.0} | {:.1} | {:.1} | {:.1} |",
            page.name,
            page.bytes as f64 / 1_000.0,
            page.first_ms,
            page.median_ms,
            page.p95_ms
        );
    }
    let _ = writeln!(
        text,
        "\nWhat is measured: whole requests over one kept connection of this machine, 60 a page one after the other, from \
         the request's first byte to the answer's last; *first* is the first of all, whatever the caches held. All pages of \
         the event with the most data. The limit is {LIMIT_MS:.0} ms for the 95th percentile; the command fails beyond it.\n\n\
         \\* A search for what a field holds looks at no more than 10,000 events a request, or 200 ms, then shows what it \
         found and goes on; the limit is not for it.\n\
         {END}"
    );
    text
}

fn today() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_millis() as i64).to_string().chars().take(10).collect()
}

/// Puts the section into the file: in place of the one before it, or at the end.
pub(crate) fn write(section: &str) -> Result<(), String> {
    let said = |error: std::io::Error| format!("{FILE}: {error}");
    let file = std::fs::read_to_string(FILE).map_err(said)?;
    let whole = match (file.find(BEGIN), file.find(END)) {
        (Some(begin), Some(end)) => {
            format!("{}{}{}", &file[..begin], section.trim_end(), &file[end + END.len()..])
        }
        _ => format!("{}\n\n{section}", file.trim_end()),
    };
    std::fs::write(FILE, whole).map_err(said)
}
