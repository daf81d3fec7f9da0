//! Web origins whose beacons were refused: which they are, and letting one of them send.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use beaconry_model::section::Origin;
use beaconry_store::{Count, Hours, Known, Reader, Reason, StoreError};

use super::draft::{Pairs, value};
use super::event::find;
use super::who::Who;
use super::{State as Console, failed, problem};
use crate::page::go_to;

/// For how long an origin that was refused can be allowed, in hours: as long as reasons are kept.
const HOURS: usize = 30 * 24;

/// The origin that a reason names. A sandboxed page says "null", which nobody can allow.
pub(super) fn of_reason(reason: &Reason) -> Option<Origin> {
    let is_origin = reason.why == Count::Origin.as_str();
    is_origin.then(|| Origin::try_from(reason.thing.clone()).ok())?
}

/// Origins whose beacons of an event were refused in these hours and would be now, the most frequent first.
pub(super) fn refused(
    reader: &Reader,
    known: &Known,
    hours: Hours,
) -> Result<Vec<Origin>, StoreError> {
    let reasons = reader.reasons(known.number, hours)?;
    let refused = reasons.iter().filter_map(of_reason);
    Ok(refused.filter(|origin| !known.section.origins.contains(origin)).collect())
}

/// Lets another web origin send to the event's section. Only one that was refused: naming any site is for who may change
/// sections.
pub(super) async fn allow(
    State(state): State<Console>,
    Path(event): Path<String>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let asked = find(&state, &event)
        .and_then(|known| Ok((known, Origin::try_from(value(&pairs, "origin").to_owned())?)));
    let (known, origin) = match asked {
        Ok(asked) => asked,
        Err(error) => return failed(&error),
    };
    match was_refused(&state, &known, &origin).await {
        Ok(true) => {}
        Ok(false) => return problem(StatusCode::CONFLICT, &never_refused(&origin)),
        Err(error) => return failed(&error),
    }
    match add(&state, &who, &known, origin) {
        Ok(()) => go_to(&format!("/events/{}/tracking", known.event.discriminator())),
        Err(error) => failed(&error),
    }
}

fn never_refused(origin: &Origin) -> String {
    format!(
        "No beacon of this event was refused for coming from {origin} in the last 30 days, so there is nothing to allow. \
         An administrator can name any web site in the section's settings."
    )
}

/// Whether it was refused, or is allowed by now, as after a second click.
async fn was_refused(state: &Console, known: &Known, origin: &Origin) -> Result<bool, StoreError> {
    if known.section.origins.contains(origin) {
        return Ok(true);
    }
    let store = &state.console.store;
    // A page that watches shows what was refused before it is counted. Where it cannot be, what was counted before counts.
    let _ = store.refused_are_counted().await;
    let hours = Hours::last(HOURS, store.clock().now());
    Ok(refused(&store.reader()?, known, hours)?.contains(origin))
}

fn add(state: &Console, who: &Who, known: &Known, origin: Origin) -> Result<(), StoreError> {
    let store = &state.console.store;
    let mut section = known.section.as_ref().clone();
    if section.origins.contains(&origin) {
        return Ok(());
    }
    section.origins.push(origin);
    store.registry().change_section(&section, who.name(), store.clock().steady())?;
    store.reload()
}
