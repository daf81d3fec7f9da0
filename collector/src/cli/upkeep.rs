//! `beaconry audit` and `beaconry verify`: who changed what, and whether the data folder holds what was written.

use clap::Args;

use beaconry_store::{AuditFilter, AuditLog};

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
        line(&format!("{} events checked", report.events));
    }
    if report.faults.is_empty() {
        return Ok(());
    }
    Err(CliError::Faults(report.faults))
}
