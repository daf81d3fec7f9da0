//! `beaconry events` and `beaconry quarantine`: what is stored, and what was turned away.

use std::thread;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use beaconry_store::{QuarantinedEvent, Reader, ReplayReport, Snapshot, StoredEvent, replay};

use super::Context;
use super::error::CliError;
use super::output::{columns, json_value, line, row};

/// How often `--follow` looks for new events.
const FOLLOW: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Its discriminator, or its slug where only one event has it.
    event: String,
    /// How many at the most.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Go on printing what arrives, oldest first, one a line.
    #[arg(long)]
    follow: bool,
    /// Trials too, which count nowhere and are kept a day.
    #[arg(long)]
    tests: bool,
}

impl Events {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        let (_, known) = context.event(&self.event)?;
        let reader = Reader::open(&context.folder()?)?;
        let after = reader.last_seq()?;
        let mut events = reader.newest(known.number, self.tests, self.limit)?;
        if !self.follow {
            if context.json {
                json_value(&events)
            } else {
                print(&events)
            }
            return Ok(());
        }
        events.reverse();
        let mut after = events.last().map_or(after, |event| event.seq.max(after));
        loop {
            for event in &events {
                follow_line(context, event);
                after = after.max(event.seq);
            }
            thread::sleep(FOLLOW);
            events = reader.after(known.number, after)?;
        }
    }
}

fn print(events: &[StoredEvent]) {
    if events.is_empty() {
        line("no event stored yet");
    }
    columns(&events.iter().map(text).collect::<Vec<_>>());
}

fn follow_line(context: &Context, event: &StoredEvent) {
    if context.json {
        line(&serde_json::to_string(event).unwrap_or_default());
    } else {
        columns(&[text(event)]);
    }
}

fn text(event: &StoredEvent) -> Vec<String> {
    row([
        &event.time.to_string(),
        &format!("version {}", event.version),
        &event.id.to_string(),
        &event.data,
    ])
}

#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// What was turned away and kept, newest first.
    List {
        /// Only of this event: its discriminator, or its slug where only one event has it.
        event: Option<String>,
        /// How many at the most.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Store what was turned away after all, where it is valid.
    Replay {
        /// Its discriminator, or its slug where only one event has it.
        event: String,
        /// As the current version, not as the version each came under.
        #[arg(long)]
        as_current: bool,
    },
}

impl Quarantine {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Quarantine::List { event, limit } => list(context, event.as_deref(), limit),
            Quarantine::Replay { event, as_current } => {
                show_report(context, &replay(&context.data, &event, as_current)?);
                Ok(())
            }
        }
    }
}

fn list(context: &Context, event: Option<&str>, limit: u32) -> Result<(), CliError> {
    let snapshot = context.registry()?.snapshot()?;
    let event = event.map(|words| snapshot.event(words).map(|known| known.number)).transpose()?;
    let kept = Reader::open(&context.folder()?)?.quarantine(event, i64::MAX, limit)?;
    if context.json {
        json_value(&kept.iter().map(|kept| kept_json(kept, &snapshot)).collect::<Vec<_>>());
    } else if kept.is_empty() {
        line("nothing in quarantine");
    } else {
        columns(&kept.iter().map(|kept| kept_text(kept, &snapshot)).collect::<Vec<_>>());
    }
    Ok(())
}

fn discriminator(kept: &QuarantinedEvent, snapshot: &Snapshot) -> Option<String> {
    snapshot.by_number(kept.event).map(|known| known.event.discriminator().to_string())
}

fn kept_json(kept: &QuarantinedEvent, snapshot: &Snapshot) -> Value {
    let (facts, rejection) = (&kept.kept.facts, &kept.kept.rejection);
    json!({
        "id": facts.id.to_string(),
        "code": rejection.code,
        "detail": rejection.detail,
        "errors": rejection.errors,
        "event": discriminator(kept, snapshot),
        "ver": facts.ver,
        "time": facts.time,
        "received": facts.received,
        "url": facts.url,
        "raw": kept.kept.raw,
    })
}

fn kept_text(kept: &QuarantinedEvent, snapshot: &Snapshot) -> Vec<String> {
    let (facts, rejection) = (&kept.kept.facts, &kept.kept.rejection);
    let event = discriminator(kept, snapshot).unwrap_or_default();
    row([
        &facts.received.to_string(),
        rejection.code.as_str(),
        &event,
        &facts.id.to_string(),
        &rejection.detail,
    ])
}

fn show_report(context: &Context, report: &ReplayReport) {
    if context.json {
        return json_value(report);
    }
    line(&format!(
        "{} stored, {} stored before already, {} still in quarantine",
        report.replayed, report.duplicates, report.still_in_quarantine
    ));
    for refused in &report.refused {
        line(&format!("  {}: {}", refused.id, refused.why));
    }
    let left_out = report.still_in_quarantine.saturating_sub(report.refused.len());
    if left_out > 0 {
        line(&format!("  and {left_out} more"));
    }
}
