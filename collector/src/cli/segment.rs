//! `beaconry segment`: define segments, count them, and list who is in one.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use beaconry_model::error::Invalid;
use beaconry_model::names::Name;
use beaconry_model::segment::{Condition, Segment};
use beaconry_store::{ProfileReader, Snapshot, bytes, remarks};

use super::Context;
use super::error::CliError;
use super::output::{columns, json_value, line, row};
use super::profile::{LINKING, keys_text};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every segment.
    List,
    /// A new segment.
    Create {
        /// What people call it.
        name: String,
        /// What a profile must be like, as JSON: {"event":{"event":"com.beaconry.events…","at_least":2}}.
        #[arg(long, required_unless_present = "file")]
        condition: Option<String>,
        /// Read the condition from a JSON file.
        #[arg(long, conflicts_with = "condition")]
        file: Option<PathBuf>,
        /// The section it looks at; may be left out where there is one.
        #[arg(long)]
        section: Option<String>,
    },
    /// How many profiles are in a segment, and some of them.
    Count {
        /// Its discriminator, or its name.
        segment: String,
    },
    /// Everybody in a segment, one a line; with --json one JSON document a line. Identifiers through which an event that the
    /// segment names may not be read are left out, and so are web visitors' ids.
    Export {
        /// Its discriminator, or its name.
        segment: String,
    },
    /// Delete a segment. Profiles stay.
    Delete {
        /// Its discriminator, or its name.
        segment: String,
    },
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Command::List => list(context),
            Command::Create { name, condition, file, section } => {
                let text = match file {
                    Some(path) => std::fs::read_to_string(&path)
                        .map_err(CliError::io(path.display().to_string()))?,
                    None => condition.unwrap_or_default(),
                };
                create(context, name, &text, section.as_deref())
            }
            Command::Count { segment } => count(context, &segment),
            Command::Export { segment } => export(context, &segment),
            Command::Delete { segment } => delete(context, &segment),
        }
    }
}

fn list(context: &Context) -> Result<(), CliError> {
    let snapshot = context.registry()?.snapshot()?;
    let segments = snapshot.audience().segments();
    if context.json {
        json_value(
            &segments.iter().map(|segment| segment_json(&snapshot, segment)).collect::<Vec<_>>(),
        );
    } else if segments.is_empty() {
        line(
            "no segment yet; make one with: beaconry segment create \"Two orders\" --condition '{\"event\":{…}}'",
        );
    } else {
        columns(&segments.iter().map(|segment| text(&snapshot, segment)).collect::<Vec<_>>());
    }
    Ok(())
}

fn create(
    context: &Context,
    name: String,
    condition: &str,
    section: Option<&str>,
) -> Result<(), CliError> {
    let condition: Condition = serde_json::from_str(condition).map_err(|error| {
        Invalid::new(
            "condition",
            "JSON like {\"event\":{\"event\":\"com.beaconry.events…\"}}",
            error.to_string(),
        )
    })?;
    let mut registry = context.registry()?;
    let snapshot = registry.snapshot()?;
    let section = context.section(&snapshot, section)?;
    let random = bytes().map_err(CliError::io("random bytes"))?;
    let now = context.clock.now();
    let segment =
        Segment::create(section.id.clone(), Name::try_from(name)?, condition, random, now)?;
    let remarks = remarks(&snapshot, &section.id, &segment.condition);
    if let Some(broken) = remarks.iter().find(|remark| remark.breaks()) {
        return Err(Invalid::new("condition", "only what is there", broken.to_string()).into());
    }
    registry.add_segment(&segment, "command line", now)?;
    if context.json {
        json_value(&segment_json(&snapshot, &segment));
    } else {
        columns(&[text(&snapshot, &segment)]);
        remarks.iter().for_each(|remark| line(&format!("note: {remark}")));
    }
    Ok(())
}

fn count(context: &Context, words: &str) -> Result<(), CliError> {
    let (snapshot, reader, segment) = open(context, words)?;
    let mut counted = reader.count_segment(
        &snapshot,
        &segment.section,
        &segment.condition,
        context.clock.now(),
    )?;
    let carried = snapshot.carried(&segment.condition);
    counted.sample = counted.sample.into_iter().map(|one| one.carrying(&carried)).collect();
    if context.json {
        json_value(&counted);
    } else {
        line(&format!("{} of {} profiles", counted.count, counted.of));
        columns(&counted.sample.iter().map(keys_text).collect::<Vec<_>>());
    }
    Ok(())
}

fn export(context: &Context, words: &str) -> Result<(), CliError> {
    let (snapshot, reader, segment) = open(context, words)?;
    let (now, mut after) = (context.clock.now(), 0);
    let carried = snapshot.carried(&segment.condition);
    loop {
        let page = reader.members(&snapshot, &segment.section, &segment.condition, after, now)?;
        for member in page.members {
            let member = member.carrying(&carried);
            if context.json {
                line(&serde_json::to_string(&member).unwrap_or_default());
            } else {
                columns(&[keys_text(&member)]);
            }
        }
        let Some(next) = page.next else { return Ok(()) };
        after = next;
    }
}

fn delete(context: &Context, words: &str) -> Result<(), CliError> {
    let mut registry = context.registry()?;
    let discriminator = registry.snapshot()?.audience().segment(words)?.discriminator.clone();
    registry.delete_segment(&discriminator, "command line", context.clock.now())?;
    Ok(())
}

fn open(context: &Context, words: &str) -> Result<(Snapshot, ProfileReader, Segment), CliError> {
    let snapshot = context.registry()?.snapshot()?;
    let segment = snapshot.audience().segment(words)?.clone();
    let reader = ProfileReader::open(&context.folder()?)?;
    reader.wait_linked(LINKING)?;
    Ok((snapshot, reader, segment))
}

fn segment_json(snapshot: &Snapshot, segment: &Segment) -> serde_json::Value {
    let remarks = remarks(snapshot, &segment.section, &segment.condition);
    json!({
        "discriminator": segment.discriminator,
        "name": segment.name,
        "section": segment.section,
        "condition": segment.condition,
        "created_at": segment.created_at,
        "broken": remarks.iter().any(|remark| remark.breaks()),
        "remarks": remarks.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn text(snapshot: &Snapshot, segment: &Segment) -> Vec<String> {
    let remarks = remarks(snapshot, &segment.section, &segment.condition);
    let state = if remarks.iter().any(|remark| remark.breaks()) { "broken" } else { "" };
    row([segment.name.as_str(), &segment.discriminator, state])
}
