//! Looking after a data folder: who changed what, whether it holds what was written, what it holds, copies of it.

use std::path::{Path, PathBuf};

use clap::Args;

use beaconry_store::{AuditFilter, AuditLog, Progress, VerifyReport};

use super::Context;
use super::error::CliError;
use super::output::{columns, json_value, line, row};

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// How many at the most.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

impl Audit {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        let log = AuditLog::open(&context.folder()?)?;
        let (entries, _) = log.page(&AuditFilter::default(), None, self.limit as usize)?;
        if context.json {
            json_value(&entries);
        } else {
            let text = entries.iter().map(|entry| {
                row([&entry.at.to_string(), &entry.actor, &entry.action, &entry.thing])
            });
            columns(&text.collect::<Vec<_>>());
        }
        Ok(())
    }
}

/// Checks the folder; a fault is a refusal, so that scripts notice.
pub(crate) fn verify(context: &Context) -> Result<(), CliError> {
    let report = beaconry_store::verify(&context.folder()?)?;
    if context.json {
        json_value(&report);
    } else {
        line(&format!(
            "{} events and {} beacons in quarantine checked",
            report.events, report.quarantined
        ));
    }
    sound(report.faults)
}

fn sound(faults: Vec<String>) -> Result<(), CliError> {
    if faults.is_empty() { Ok(()) } else { Err(CliError::Faults(faults)) }
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// A folder that is not there yet.
    to: PathBuf,
}

impl Backup {
    /// Copies the folder, saying on standard error how far it is.
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        let folder = existing(context)?;
        let mut said = ("", u64::MAX);
        let report = beaconry_store::backup(&folder, &self.to, |progress| {
            let Progress { database, done, all } = progress;
            let tenth = done * 10 / all.max(1);
            if said != (database, tenth) {
                said = (database, tenth);
                eprintln!("{database}  {:3} %", tenth * 10);
            }
        })?;
        say(context, &report, &self.to)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The folder that `beaconry backup` made.
    from: PathBuf,
    /// The data folder that this one replaces, moved aside: who was erased from it since the backup is erased again.
    #[arg(long, value_name = "DIR")]
    replaces: Option<PathBuf>,
    /// Where that folder is lost: whoever was erased since the backup comes back, and is to be erased again by hand.
    #[arg(long, conflicts_with = "replaces")]
    erased_since_come_back: bool,
}

impl Restore {
    /// Copies a backup into the data folder, which must have nothing in it yet.
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        if self.replaces.is_none() && !self.erased_since_come_back {
            return Err(CliError::Usage(
                "restore: whoever was erased since the backup would come back; name the data folder that this one replaces \
                 with --replaces DIR, and they are erased again, or, where it is lost, say --erased-since-come-back and erase \
                 them again by hand"
                    .to_owned(),
            ));
        }
        let folder = context.folder()?;
        let restored = beaconry_store::restore(&self.from, &folder, self.replaces.as_deref())?;
        if context.json {
            json_value(&restored);
            return sound(restored.report.faults);
        }
        say(context, &restored.report, &context.data)?;
        if self.replaces.is_some() {
            line(&format!("{} people erased since the backup were erased again", restored.erased));
        } else {
            eprintln!("Whoever was erased since the backup is back: erase them again");
        }
        Ok(())
    }
}

fn say(context: &Context, report: &VerifyReport, to: &Path) -> Result<(), CliError> {
    if context.json {
        json_value(report);
    } else if report.faults.is_empty() {
        line(&format!(
            "{}: {} events and {} beacons in quarantine, checked",
            to.display(),
            report.events,
            report.quarantined
        ));
    }
    sound(report.faults.clone())
}

/// The data folder, which a command that only looks does not make.
fn existing(context: &Context) -> Result<beaconry_store::Folder, CliError> {
    std::fs::metadata(&context.data)
        .map_err(CliError::io(format!("data folder {}", context.data.display())))?;
    context.folder()
}

/// What the folder holds, in numbers.
pub(crate) fn stats(context: &Context) -> Result<(), CliError> {
    let stats = beaconry_store::stats(&existing(context)?)?;
    if context.json {
        json_value(&stats);
        return Ok(());
    }
    let mut text = vec![row(["event", "stored", "in quarantine", "newest arrived", ""])];
    text.extend(stats.events.iter().map(|event| {
        let last = event.last.map(|last| last.to_string()).unwrap_or_default();
        row([
            &event.name,
            &event.stored.to_string(),
            &event.quarantined.to_string(),
            &last,
            &event.event,
        ])
    }));
    columns(&text);
    line(&format!(
        "\n{} profiles; {} places of the log wait to be indexed, {} to be linked to profiles\n",
        stats.profiles, stats.unmerged, stats.unlinked
    ));
    let mut text = vec![row(["file", "bytes", "free in it", "in its WAL"])];
    text.extend(stats.files.iter().map(|file| {
        row([file.file, &file.bytes.to_string(), &file.free.to_string(), &file.wal.to_string()])
    }));
    columns(&text);
    Ok(())
}
