//! Hiding an event, which cannot be undone: what it does is said first, and the event's name is asked for.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use beaconry_store::{Known, StoreError};

use super::event::find;
use super::who::Who;
use super::{State as Console, failed};
use crate::page::{go_to, page_with};

#[derive(Template)]
#[template(path = "console/hide.html")]
struct Hide {
    name: String,
    to: String,
    tracking: bool,
    stored: u64,
    /// The segments that name the event, and break by it.
    segments: Vec<String>,
    /// The webhooks that hear of it, or watch such a segment.
    webhooks: Vec<String>,
    wrong: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    name: String,
}

pub(super) async fn show(State(state): State<Console>, Path(event): Path<String>) -> Response {
    match find(&state, &event).and_then(|known| make(&state, &known, false)) {
        Ok(hide) => page_with(StatusCode::OK, &hide),
        Err(error) => failed(&error),
    }
}

pub(super) async fn send(
    State(state): State<Console>,
    Path(event): Path<String>,
    who: Who,
    Form(typed): Form<Typed>,
) -> Response {
    let known = match find(&state, &event) {
        Ok(known) => known,
        Err(error) => return failed(&error),
    };
    if typed.name.trim() != known.event.name().as_str() {
        return match make(&state, &known, true) {
            Ok(hide) => page_with(StatusCode::UNPROCESSABLE_ENTITY, &hide),
            Err(error) => failed(&error),
        };
    }
    let store = &state.console.store;
    let now = store.clock().steady();
    match store.change_event(known.number, who.name(), "event.hide", |event| event.hide(now)) {
        Ok(_) => go_to("/"),
        Err(error) => failed(&error),
    }
}

fn make(state: &Console, known: &Known, wrong: bool) -> Result<Hide, StoreError> {
    let snapshot = state.console.store.snapshot();
    let segments = snapshot.audience().segments_naming(known.event.discriminator());
    Ok(Hide {
        name: known.event.name().to_string(),
        to: format!("/events/{}", known.event.discriminator()),
        tracking: known.event.tracking().enabled(),
        stored: state.console.store.reader()?.count(known.number)?,
        webhooks: snapshot
            .webhooks_naming(known.event.discriminator())
            .iter()
            .map(|known| known.hook.name.to_string())
            .collect(),
        segments: segments.iter().map(|segment| segment.name.to_string()).collect(),
        wrong,
    })
}
