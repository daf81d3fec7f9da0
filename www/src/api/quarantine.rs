//! Beacons that were turned away and are kept for a while: looking at them, and storing them after all.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use beaconry_store::{QuarantinedEvent, ReplayReport};

use super::call::Call;
use super::caller::Needs;
use super::operation::{Found, Kind, Operation, Parameter, with, without};
use super::problem::{Fault, Problem};
use super::v1::{GROUP, NO_EVENT, event_called};

/// Beacons in quarantine, newest first.
#[derive(Debug, Serialize, JsonSchema)]
struct Kept {
    /// Each of them.
    items: Vec<KeptItem>,
    /// What to give as `before` for the next page; null where there is none.
    next: Option<i64>,
}

/// One beacon in quarantine.
#[derive(Debug, Serialize, JsonSchema)]
struct KeptItem {
    /// Its number in the quarantine.
    number: i64,
    /// The event's id.
    id: String,
    /// The version it came under.
    version: u32,
    /// When it happened.
    #[schemars(extend("format" = "date-time"))]
    event_time: String,
    /// When it arrived.
    #[schemars(extend("format" = "date-time"))]
    received_at: String,
    /// The page it happened on.
    url: Option<String>,
    /// Why it was turned away, as a stable code.
    code: String,
    /// The same in a sentence.
    detail: String,
    /// What is wrong with which field.
    errors: Vec<Fault>,
    /// The event's JSON as it came.
    raw: String,
}

/// How to replay.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Replay {
    /// As the current version, where they are valid; as the version each came under, where this is not said.
    #[serde(default)]
    as_current: bool,
}

/// What became of a replay.
#[derive(Debug, Serialize, JsonSchema)]
struct Replayed {
    /// How many are stored by it.
    stored: usize,
    /// How many were stored before already.
    duplicates: usize,
    /// How many still cannot be.
    still_in_quarantine: usize,
    /// The newest thousand of these.
    refused: Vec<StillKept>,
}

/// One that still cannot be stored, and stays.
#[derive(Debug, Serialize, JsonSchema)]
struct StillKept {
    /// The event's id.
    id: String,
    /// Why.
    detail: String,
}

pub(super) fn operations() -> Vec<Operation> {
    const NO: &[(u16, &str)] =
        &[NO_EVENT, (409, "Several events have this slug; name one by its discriminator.")];
    vec![
        Operation {
            group: GROUP,
            summary: "Beacons in quarantine",
            about: "Those of one event, newest first, each with why it was turned away.",
            needs: Needs::Person,
            query: &[
                Parameter {
                    name: "limit",
                    about: "How many at the most; 100, where it is not said.",
                    kind: Kind::Number(1, 1_000),
                },
                Parameter {
                    name: "before",
                    about: "The `next` of the page before.",
                    kind: Kind::Number(1, i64::MAX),
                },
            ],
            refuses: NO,
            ..without(Method::GET, "/v1/events/{event}/quarantine", "listQuarantine", list)
        },
        Operation {
            group: GROUP,
            summary: "Replay the quarantine",
            about: "Stores what is in an event's quarantine after all. What is still not valid stays.",
            needs: Needs::Person,
            example: r#"{"as_current":true}"#,
            refuses: NO,
            ..with(Method::POST, "/v1/events/{event}/quarantine/replay", "replayQuarantine", replay)
        },
    ]
}

fn list(call: &Call) -> Result<Found<Kept>, Problem> {
    let known = event_called(call)?;
    let limit = call.number::<u32>("limit", 1, 1_000, 100)?;
    let before = call.number("before", 1, i64::MAX, i64::MAX)?;
    let kept = call.api.store.reader()?.quarantine(Some(known.number), before, limit)?;
    let next = kept.last().filter(|_| kept.len() == limit as usize).map(|last| last.number);
    Ok(Found(Kept { items: kept.iter().map(item).collect(), next }))
}

fn item(kept: &QuarantinedEvent) -> KeptItem {
    let (facts, rejection) = (&kept.kept.facts, &kept.kept.rejection);
    let errors = rejection.errors.iter().map(|error| Fault {
        item: None,
        field: Some(error.field.clone()),
        code: error.code.code().to_owned(),
        detail: format!("expected {}, got {}", error.expected, error.got),
    });
    KeptItem {
        number: kept.number,
        id: facts.id.to_string(),
        version: facts.ver,
        event_time: facts.time.to_string(),
        received_at: facts.received.to_string(),
        url: facts.url.clone(),
        code: rejection.code.as_str().to_owned(),
        detail: rejection.detail.clone(),
        errors: errors.collect(),
        raw: kept.kept.raw.clone(),
    }
}

fn replay(call: &Call, replay: Replay) -> Result<Found<Replayed>, Problem> {
    let known = event_called(call)?;
    let (store, actor) = (&call.api.store, call.caller.actor());
    let report: ReplayReport = store.replay(&known, replay.as_current, &actor)?;
    let refused =
        report.refused.into_iter().map(|still| StillKept { id: still.id, detail: still.why });
    Ok(Found(Replayed {
        stored: report.replayed,
        duplicates: report.duplicates,
        still_in_quarantine: report.still_in_quarantine,
        refused: refused.collect(),
    }))
}
