//! Stored events as a file, for outside systems: with the identifiers that may be read, and no other.

use axum::http::Method;

use beaconry_model::key::Use;
use beaconry_model::profile::Keyspace;
use beaconry_model::time::Timestamp;
use beaconry_store::{ProfileReader, Range};

use super::call::Call;
use super::caller::Needs;
use super::operation::{File, Kind, Operation, Parameter, without};
use super::problem::Problem;
use super::v1::{GROUP, event_called};
use crate::console::data::export::Format;

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation {
        group: GROUP,
        summary: "Export events",
        about: "The stored events of one kind as a file, newest first, trials left out. Columns and members of the event itself \
                begin with an underscore in CSV and Parquet; a column for each keyspace (`_email`, `_mobile`, `_crm_id`, \
                `_visitor`) that the key is for and that the event's allowed operations let be read.",
        needs: Needs::KeyOrPerson,
        query: &[
            Parameter {
                name: "format",
                about: "`csv`, `jsonl` (a JSON object a line) or `parquet`; `csv`, where it is not said.",
                kind: Kind::Text(10),
            },
            Parameter {
                name: "version",
                about: "Only those of the version with this number.",
                kind: Kind::Number(1, 1_000_000),
            },
            Parameter {
                name: "from",
                about: "Only those that arrived at this moment or later (RFC 3339).",
                kind: Kind::Text(40),
            },
            Parameter {
                name: "to",
                about: "Only those that arrived before this moment (RFC 3339).",
                kind: Kind::Text(40),
            },
        ],
        files: &["text/csv", "application/jsonl", "application/vnd.apache.parquet"],
        refuses: &[
            (404, "There is no such section, or no such event in it."),
            (409, "Several events have this slug; name one by its discriminator."),
            (503, "Several exports are under way; try again after `Retry-After` seconds."),
        ],
        ..without(
            Method::GET,
            "/v1/sections/{section}/events/{event}/export",
            "exportEvents",
            export,
        )
    }]
}

fn export(call: &Call) -> Result<File, Problem> {
    let section = call.section(Use::Read)?;
    let known = event_called(call)?;
    if *known.event.section() != section.id {
        let words = call.part("event");
        return Err(Problem::not_found(format!(
            "event: the section has none called \"{words:.200}\""
        )));
    }
    let allowed = known.event.allowed();
    let keyspaces: Vec<Keyspace> = Keyspace::ALL
        .into_iter()
        .filter(|keyspace| call.caller.reaches(*keyspace) && allowed.through(*keyspace).read)
        .collect();
    if keyspaces.is_empty() {
        return Err(Problem::forbidden(format!(
            "event: \"{}\" may not be read through any keyspace that the key is for",
            known.event.slug()
        )));
    }
    let version = call.number("version", 1, 1_000_000, 0)?;
    let range = Range {
        version: (version > 0).then_some(version),
        from: moment(call, "from")?,
        to: moment(call, "to")?,
    };
    let format = match call.asked("format").unwrap_or("csv") {
        "csv" => Format::Csv,
        "jsonl" => Format::JsonLines,
        "parquet" => Format::Parquet,
        other => {
            let detail = format!("format: expected csv, jsonl or parquet, got {other:?}");
            return Err(Problem::bad_request("invalid", detail));
        }
    };
    let store = &call.api.store;
    let through = (keyspaces, ProfileReader::open(store.folder())?);
    let begun = call.api.downloads.begin(store, store.reader()?, (known, range), format, through);
    begun.map(File).ok_or_else(|| {
        let wait = std::time::Duration::from_secs(10);
        Problem::unavailable(
            "busy",
            "several exports are under way; wait until one has ended",
            wait,
        )
    })
}

fn moment(call: &Call, name: &str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = call.asked(name) else { return Ok(None) };
    text.parse()
        .map(Some)
        .map_err(|error| Problem::bad_request("invalid", format!("{name}: {error}, got {text:?}")))
}
