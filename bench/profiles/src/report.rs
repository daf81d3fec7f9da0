//! What was measured as a section of BENCHMARKS.md, with what is to be reached beside it.

use std::fmt::Write;
use std::time::Duration;

use beaconry_bench_section::{Section, circumstances};

/// What a time is to stay within.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    None,
    /// Milliseconds.
    Ms(u32),
}

/// The rows so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: String,
}

impl Report {
    /// A number without a limit.
    pub(crate) fn figure(&mut self, what: &str, figure: f64) {
        let _ = writeln!(self.rows, "| {what} | {figure:.0} | |");
    }

    /// A time.
    pub(crate) fn time(&mut self, what: &str, took: Duration, limit: Limit) {
        let ms = took.as_secs_f64() * 1_000.0;
        let said = match limit {
            Limit::None => String::new(),
            Limit::Ms(most) if ms <= f64::from(most) => format!("≤ {most} ms"),
            Limit::Ms(most) => format!("≤ {most} ms: not reached"),
        };
        let _ = writeln!(self.rows, "| {what} | {ms:.2} ms | {said} |");
    }

    /// Their section.
    pub(crate) fn section(&self, profiles: u64, events: u64) -> Section {
        let mut section = Section::of("bench-profiles");
        let _ = write!(
            section.text,
            "## Profiles and segments\n\nMeasured {} after the run: {profiles} profiles, {events} events, of five kinds over thirty days; every \
             tenth profile has an address, attributes and a consent. To repeat: `make bench-profiles`.\n\n\
             | what | measured | to be reached |\n| --- | --: | --- |\n{}\n\
             All in the store, as the API and the console call it: without HTTP. A *profile page* reads its newest events, attributes, \
             consents and the segments it is in.\n",
            circumstances(),
            self.rows,
        );
        section
    }
}
