//! What was measured as a section of BENCHMARKS.md.

use std::fmt::Write;
use std::time::Duration;

use beaconry_bench_console::fill::{DEFINED, Filled};
use beaconry_bench_section::{Section, circumstances};

use crate::measure::Page;

/// What a page may take at the server, in milliseconds.
pub(crate) const LIMIT_MS: f64 = 50.0;

/// Their section.
pub(crate) fn report(filled: &Filled, took: Duration, pages: &[Page]) -> Section {
    let mut section = Section::of("bench-console");
    let text = &mut section.text;
    *text += "## The console's pages, with ten million events stored\n\n";
    let _ = writeln!(
        text,
        "Measured {} after the run. {DEFINED} events defined, {} stored over 90 days \
         ({} of the largest), {} in quarantine; {:.1} GB on disk.{} To repeat: `make bench-console`.\n",
        circumstances(),
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
         found and goes on; the limit is not for it."
    );
    section
}
