//! Deleting a segment: what it means is said first.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::find;
use crate::console::who::Who;
use crate::console::{State as Console, failed};
use crate::page::{go_to, page};

#[derive(Template)]
#[template(path = "console/segment_delete.html")]
struct Delete {
    address: String,
    name: String,
}

pub(in crate::console) async fn show(
    State(state): State<Console>,
    Path(address): Path<String>,
) -> Response {
    match find(&state, &address) {
        Ok(segment) => page(&Delete { address, name: segment.name.to_string() }),
        Err(error) => failed(&error),
    }
}

pub(in crate::console) async fn send(
    State(state): State<Console>,
    Path(address): Path<String>,
    who: Who,
) -> Response {
    let store = &state.console.store;
    let deleted = find(&state, &address).and_then(|segment| {
        let now = store.clock().now();
        store.registry().delete_segment(&segment.discriminator, who.name(), now)?;
        store.reload()
    });
    match deleted {
        Ok(()) => go_to("/segments"),
        Err(error) => failed(&error),
    }
}
