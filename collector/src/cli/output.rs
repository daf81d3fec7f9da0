//! How commands print: JSON for programs, plain columns for people.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use beaconry_model::fields::Field;
use beaconry_model::time::Timestamp;
use beaconry_store::Known;

use super::error::CliError;

/// Prints a line. A reader that has gone away (`| head`) ends the program quietly.
pub(crate) fn line(text: &str) {
    if writeln!(io::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// Prints a value as JSON.
pub(crate) fn json_value<T: Serialize>(value: &T) {
    line(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Prints rows as columns, each as wide as its widest cell.
pub(crate) fn columns(rows: &[Vec<String>]) {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    for row in rows {
        let mut text = String::new();
        for (at, cell) in row.iter().enumerate() {
            text += cell;
            let padding = width(at).unwrap_or_default() - cell.chars().count() + 2;
            text.extend(std::iter::repeat_n(' ', padding));
        }
        line(text.trim_end());
    }
}

/// Reads a TOML file.
pub(crate) fn toml_file<T: DeserializeOwned>(path: &Path) -> Result<T, CliError> {
    let text = fs::read_to_string(path).map_err(CliError::io(path.display().to_string()))?;
    toml::from_str(&text)
        .map_err(|error| CliError::File { path: path.to_owned(), why: error.to_string() })
}

/// An event as `event show --json` prints it.
pub(crate) fn event_json(known: &Known, now: Timestamp) -> Value {
    let event = &known.event;
    let versions: Vec<Value> = event
        .versions()
        .iter()
        .map(|version| {
            json!({
                "id": version.id,
                "number": version.number,
                "state": event.versions().state(version, now),
                "usable_from": version.usable_from(),
                "deprecated_at": event.versions().deprecated_at(version, now),
                "fields": version.fields,
            })
        })
        .collect();
    json!({
        "discriminator": event.discriminator(),
        "name": event.name(),
        "description": event.description(),
        "category": event.category(),
        "slug": event.slug(),
        "key": event.key(),
        "section": event.section(),
        "retention": event.retention(),
        "created_at": event.created_at(),
        "fields": event.versions().last().fields,
        "versions": versions,
        "locked_until": event.locked_until(now),
        "hidden": event.hidden_at().is_some(),
        "allowed": event.allowed(),
        "tracking": tracking_json(known, now),
    })
}

/// An event's tracking as `tracking status --json` prints it.
pub(crate) fn tracking_json(known: &Known, now: Timestamp) -> Value {
    let tracking = known.event.tracking();
    json!({
        "enabled": tracking.enabled(),
        "pinned": tracking.pin().map(|pin| pin.version),
        "pinned_at": tracking.pin().map(|pin| pin.at),
        "seen": tracking.pin().and_then(|pin| pin.seen),
        "current": known.event.versions().current(now).number,
        "outdated": known.event.outdated(now),
        "rev": tracking.rev(),
        "stale": tracking.stale(),
        "scheduled": tracking.scheduled(),
    })
}

/// An event for people to read.
pub(crate) fn event_text(known: &Known, now: Timestamp) {
    let event = &known.event;
    line(&format!("{}  ({})", event.name(), event.discriminator()));
    if !event.description().as_str().is_empty() {
        line(event.description().as_str());
    }
    let mut facts = vec![
        row(["section", known.section.name.as_str()]),
        row(["category", event.category().word()]),
        row(["slug", event.slug().as_str()]),
        row(["key", event.key().as_str()]),
        row(["retention", &event.retention().to_string()]),
        row(["tracking", &tracking_text(known, now)]),
    ];
    if let Some(until) = event.locked_until(now) {
        facts.push(row(["locked until", &until.to_string()]));
    }
    if let Some(at) = event.hidden_at() {
        facts.push(row(["hidden since", &at.to_string()]));
    }
    columns(&facts);
    line("\nfields");
    columns(&event.versions().last().fields.iter().map(field_row).collect::<Vec<_>>());
    line("\nversions");
    let versions = event.versions().iter().map(|version| {
        let state = event.versions().state(version, now).word();
        row([
            &format!("  {}", version.number),
            state,
            version.id.as_str(),
            &version.usable_from().to_string(),
        ])
    });
    columns(&versions.collect::<Vec<_>>());
}

/// The state of an event's tracking in a phrase.
pub(crate) fn tracking_text(known: &Known, now: Timestamp) -> String {
    let tracking = known.event.tracking();
    let scheduled = tracking.scheduled().and_then(|_| known.event.locked_until(now));
    let scheduled = scheduled.map(|at| format!(", scheduled for {at}")).unwrap_or_default();
    match tracking.pin() {
        None => format!("off{scheduled}"),
        Some(pin) if known.event.outdated(now) => {
            format!(
                "on, pinned to version {}, outdated: regenerate and paste the new snippet{scheduled}",
                pin.version
            )
        }
        Some(pin) => format!("on, pinned to version {}{scheduled}", pin.version),
    }
}

pub(crate) fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn field_row(field: &Field) -> Vec<String> {
    let limits = field.limits();
    let mut notes = Vec::new();
    if field.required() {
        notes.push("required".to_owned());
    }
    notes.extend(limits.max_length.map(|length| format!("at most {length} characters")));
    notes.extend(limits.min.map(|min| format!("at least {min}")));
    notes.extend(limits.max.map(|max| format!("at most {max}")));
    if !limits.allowed.is_empty() {
        notes.push(format!("one of {}", limits.allowed.join(", ")));
    }
    row([&format!("  {}", field.name()), field.kind().word(), &notes.join("; ")])
}
