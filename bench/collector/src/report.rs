//! What was measured as a section of BENCHMARKS.md, with what is to be reached beside it.

use std::fmt::Write;
use std::time::Duration;

use beaconry_bench_section::{Section, today};

use crate::held::{CONNECTIONS, Held, PART};
use crate::load::Outcome;
use crate::peak::{Kind, Measured, median, ratio};
use crate::profile::{Profile, Shares, THREADS};
use crate::settings::Settings;
use crate::stored::Stored;
use beaconry_bench_collector::beacon::Beacon;

/// Everything that was measured; parts that were not asked for are empty.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rounds: Vec<(Kind, Vec<Measured>)>,
    pub(crate) steady: Vec<(Kind, Outcome)>,
    pub(crate) held: Vec<(Kind, Held)>,
    /// Each round with what an fsync took.
    pub(crate) one: Vec<(Measured, f64)>,
    pub(crate) stored: Option<Stored>,
    /// Where there is a profiler.
    pub(crate) profile: Option<Profile>,
}

/// One figure with its limit.
struct Goal {
    what: String,
    is: f64,
    /// At least this, or at most.
    limit: f64,
    least: bool,
    digits: usize,
}

impl Report {
    /// Its section.
    pub(crate) fn section(
        &self,
        settings: &Settings,
        took: Duration,
        load_before: &str,
    ) -> Section {
        let mut section = Section::of("bench-collector");
        let text = &mut section.text;
        *text += "## Taking events\n\n";
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let bytes = Beacon::new("127.0.0.1:4000", "aaaaaaaaaaaaaaaa", 1).body_len();
        let _ = writeln!(
            text,
            "Measured on {} in {:.0} s, {cpus} CPUs shared with the load, load {load_before} before the run; {} rounds in turn. A beacon \
             of one event has {bytes} bytes, and comes with the headers Chromium sends. To repeat: `make bench-collector`.\n",
            today(),
            took.as_secs_f64(),
            settings.rounds,
        );
        self.goals_table(text);
        self.peak_table(text);
        self.steady_table(text);
        self.held_table(text);
        self.stored_table(text);
        self.profile_table(text);
        *text += NOTES;
        section
    }

    fn rounds_of(&self, kind: Kind) -> &[Measured] {
        self.rounds.iter().find(|(of, _)| *of == kind).map_or(&[], |(_, rounds)| rounds)
    }

    fn held_rate(&self, kind: Kind) -> f64 {
        let held = self.held.iter().find(|(of, _)| *of == kind);
        held.map_or(f64::NAN, |(_, held)| held.rate)
    }

    /// The requests a second that a kind takes: in short rounds, or over the minute that it is held, where those are fewer.
    pub(crate) fn peak(&self, kind: Kind) -> Option<f64> {
        let rounds = median(self.rounds_of(kind), |round| round.rate);
        Some(rounds.min(self.held_rate(kind))).filter(|rate| rate.is_finite())
    }

    fn goals(&self) -> Vec<Goal> {
        let mut goals = Vec::new();
        let mut goal = |what: &str, is: f64, least: bool, limit: f64, digits: usize| {
            if is.is_finite() {
                goals.push(Goal { what: what.to_owned(), is, limit, least, digits });
            }
        };
        let single = self.rounds_of(Kind::SINGLE);
        goal(
            "512 connections, in times bare Hyper",
            ratio(single, self.rounds_of(Kind::Hyper)),
            true,
            0.6,
            2,
        );
        goal(
            "512 connections, in times nginx's body log",
            ratio(single, self.rounds_of(Kind::NginxLog)),
            true,
            2.5,
            2,
        );
        let hyper = median(self.rounds_of(Kind::Hyper), |round| round.rate);
        goal(
            "the same held for a minute, in times bare Hyper",
            self.held_rate(Kind::SINGLE) / hyper,
            true,
            0.6,
            2,
        );
        let log = median(self.rounds_of(Kind::NginxLog), |round| round.rate);
        goal(
            "the same held for a minute, in times nginx's body log",
            self.held_rate(Kind::SINGLE) / log,
            true,
            2.5,
            2,
        );
        let batches = median(self.rounds_of(Kind::BATCHES), |round| round.rate * 20.0);
        goal("batches of 20, events a second", batches, true, 250_000.0, 0);
        let batches = self.held_rate(Kind::BATCHES) * 20.0;
        goal("batches of 20, held for a minute, events a second", batches, true, 250_000.0, 0);
        // In short rounds, and over the minute that they are held with the linking after it.
        let rounds = single.iter().map(|round| round.peak_bytes);
        let held = self.held.iter().filter(|(kind, _)| *kind == Kind::SINGLE);
        let most = rounds.chain(held.map(|(_, held)| held.peak_bytes)).max();
        let most = most.map_or(f64::NAN, |most| most as f64 / f64::from(1 << 20));
        goal("512 connections, peak memory in MiB", most, false, 100.0, 0);
        for (kind, outcome) in &self.steady {
            let what = format!("{}, p99 in ms at {PART} of the peak", kind.holds());
            goal(&what, outcome.latency_ms(0.99), false, 25.0, 1);
        }
        for (kind, held) in &self.held {
            let drained = held.drained.as_ref().map_or(f64::INFINITY, Duration::as_secs_f64);
            let drained = drained.min(9_999.0);
            goal(&format!("{}, held, drained after seconds", kind.name()), drained, false, 60.0, 0);
        }
        let over = median(&self.one, |(measured, fsync)| measured.p50_ms - fsync);
        goal("one connection, p50 less an fsync, in ms", over, false, 0.5, 2);
        if let Some(stored) = &self.stored {
            goal(
                "ten million stored, in times an empty store",
                ratio(&stored.full, &stored.empty),
                true,
                0.9,
                2,
            );
            let read: Vec<Measured> = stored.read.iter().map(|(measured, ..)| *measured).collect();
            goal(
                "the same while it is read, in times not read",
                ratio(&read, &stored.full),
                true,
                0.85,
                2,
            );
        }
        goals
    }

    fn goals_table(&self, text: &mut String) {
        let _ = writeln!(text, "| to be reached | limit | measured | |\n| --- | --: | --: | --- |");
        for Goal { what, is, limit, least, digits } in self.goals() {
            let reached = if least { is >= limit } else { is <= limit };
            let (sign, verdict) =
                (if least { "≥" } else { "≤" }, if reached { "" } else { "not reached" });
            let _ = writeln!(text, "| {what} | {sign} {limit} | {is:.digits$} | {verdict} |");
        }
    }

    fn peak_table(&self, text: &mut String) {
        if self.rounds.is_empty() {
            return;
        }
        let _ = writeln!(
            text,
            "\n| as fast as it answers | requests/s (quartiles) | events/s | p50 ms | p99 ms | CPU s a million events | peak MiB |\n\
             | --- | --: | --: | --: | --: | --: | --: |"
        );
        for (kind, rounds) in &self.rounds {
            let rate = median(rounds, |round| round.rate);
            let (low, high) = quartiles(rounds);
            let _ = writeln!(
                text,
                "| {} | {rate:.0} ({low:.0}–{high:.0}) | {:.0} | {:.2} | {:.2} | {:.1} | {:.0} |",
                kind.name(),
                rate * kind.batch() as f64,
                median(rounds, |round| round.p50_ms),
                median(rounds, |round| round.p99_ms),
                median(rounds, |round| round.cpu),
                median(rounds, |round| mib(round.peak_bytes)),
            );
        }
    }

    fn steady_table(&self, text: &mut String) {
        if self.steady.is_empty() {
            return;
        }
        let _ = writeln!(
            text,
            "\n| at a constant rate of {PART} of the peak, {CONNECTIONS} connections | requests/s | p50 ms | p99 ms | p99.9 ms | most ms | put off |\n\
             | --- | --: | --: | --: | --: | --: | --: |"
        );
        for (kind, outcome) in &self.steady {
            let _ = writeln!(
                text,
                "| Beaconry, {} | {:.0} | {:.2} | {:.2} | {:.2} | {:.1} | {} |",
                kind.holds(),
                outcome.rate(),
                outcome.latency_ms(0.5),
                outcome.latency_ms(0.99),
                outcome.latency_ms(0.999),
                outcome.latency.max() as f64 / 1_000.0,
                outcome.put_off,
            );
        }
    }

    fn held_table(&self, text: &mut String) {
        if self.held.is_empty() {
            return;
        }
        let _ = writeln!(
            text,
            "\n| held for a minute | events/s | in the last quarter | p99 ms | put off | most not indexed | most not linked | drained | CPU s a million events | peak MiB | bytes an event: log, all |\n\
             | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |"
        );
        for (kind, held) in &self.held {
            let batch = kind.batch() as f64;
            let drained = match &held.drained {
                Ok(took) => format!("{:.0} s", took.as_secs_f64()),
                Err(why) => why.clone(),
            };
            let _ = writeln!(
                text,
                "| {} | {:.0} | {:.0} | {:.1} | {} | {} | {} | {drained} | {:.1} | {:.0} | {:.0}, {:.0} |",
                kind.name(),
                held.rate * batch,
                held.last_rate * batch,
                held.p99_ms,
                held.put_off,
                held.unindexed,
                held.unlinked,
                held.cpu,
                mib(held.peak_bytes),
                held.log_bytes,
                held.bytes,
            );
        }
    }

    fn profile_table(&self, text: &mut String) {
        let Some(profile) = &self.profile else { return };
        let row = |what: &str, shares: &Shares| {
            let cells = shares.map(|share| format!("{share:.1} | ")).concat();
            format!("| {what} | {cells}{:.1} |\n", shares.iter().sum::<f64>())
        };
        let threads = THREADS.map(|(_, words)| format!("{words} | ")).concat();
        let _ = write!(
            text,
            "\n| where the server's time goes at 512 connections, in percent of its samples | {threads}all |\n| --- |{}\n",
            " --: |".repeat(THREADS.len() + 1)
        );
        let mut sums = Shares::default();
        for (what, shares) in &profile.rows {
            text.push_str(&row(what, shares));
            sums.iter_mut().zip(shares).for_each(|(sum, share)| *sum += share);
        }
        text.push_str(&row("all", &sums));
    }

    fn stored_table(&self, text: &mut String) {
        if !self.one.is_empty() {
            let _ = writeln!(
                text,
                "\nOne connection: p50 {:.2} ms, an fsync of 4 KiB in the same folder {:.2} ms.",
                median(&self.one, |(measured, _)| measured.p50_ms),
                median(&self.one, |(_, fsync)| *fsync),
            );
        }
        let Some(stored) = &self.stored else { return };
        let rate = |of: &[Measured]| median(of, |round| round.rate);
        let _ = writeln!(
            text,
            "\n512 connections: {:.0} requests/s at an empty store, {:.0} with {} events stored, and {:.0} while {:.0} pages and \
             {:.0} MB a second were read.",
            rate(&stored.empty),
            rate(&stored.full),
            stored.stored,
            median(&stored.read, |(measured, ..)| measured.rate),
            median(&stored.read, |(_, pages, _)| *pages),
            median(&stored.read, |(.., megabytes)| *megabytes),
        );
    }
}

/// What a reader must know to judge the figures.
const NOTES: &str = "
What is measured. Servers and load share the machine's cores, so that a server's own time is less than the whole; ratios to the
bare Hyper are of the same run, and medians of the rounds' ratios. The bare Hyper has the collector's threads and settings and
answers 204 without reading; nginx answers 204 by `return`; nginx's body log hands the body to itself over a socket of its own,
because it reads bodies only to hand them on, and is written as its manual has it; the row after it shows what a buffer of 64 KiB
and kept connections gain. Neither is durable. Beaconry checks
every event, stores it once, and answers after the commit that holds it (`synchronous=FULL`). Each server starts new in each
round, on an empty folder. Ids are UUIDv7 by visitors' clocks up to 5 s off, every twentieth event up to a day late; a
connection is one of a million visitors for ten requests, then another. At a constant rate, a request's time runs from when it
was due, sent or not, over as many connections as it takes; the peak that it is a part of is what was held for a minute, where that is
less than in short rounds. In a rush, linking begins after a minute, or fourteen million events. *Not indexed* and *not linked* are events in the log that the indexes and the profiles' timelines are
behind, asked of `/metrics` once a second; *drained* is how long it took after the load until neither was, and the process rested.
*Peak MiB* is `VmHWM`. *Put off*: answered 429 or 503.
";

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn quartiles(rounds: &[Measured]) -> (f64, f64) {
    let mut rates: Vec<f64> = rounds.iter().map(|round| round.rate).collect();
    rates.sort_by(f64::total_cmp);
    let at = |part: f64| rates[((rates.len() - 1) as f64 * part).round() as usize];
    (at(0.25), at(0.75))
}
