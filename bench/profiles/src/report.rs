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
    missed: usize,
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
            Limit::Ms(most) => {
                self.missed += 1;
                format!("≤ {most} ms: not reached")
            }
        };
        let _ = writeln!(self.rows, "| {what} | {ms:.2} ms | {said} |");
    }

    /// How many times were over their limit.
    pub(crate) fn missed(&self) -> usize {
        self.missed
    }

    /// Their section.
    pub(crate) fn section(&self, profiles: u64, events: u64) -> Section {
        let mut section = Section::of("bench-profiles");
        let _ = write!(
            section.text,
            "## Profiles and segments\n\nMeasured {} after the run: {profiles} profiles, {events} events of five kinds over thirty days; \
             every tenth profile has an address, attributes and a consent; six segments are saved. To repeat: `make bench-profiles`.\n\n\
             | what | measured | to be reached |\n| --- | --: | --- |\n{}\n\
             Filled through the store, then served by the program and asked over HTTP on kept connections of this machine, each request \
             with its log-in or access token: profile pages of the console, the API for all else, its rates raised. A post's time runs \
             from when it was due, sent or not.\n",
            circumstances(),
            self.rows,
        );
        section
    }
}
