//! What arrives, as it arrives: a page, and the server-sent events that fill it.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use beaconry_store::live::Arrival;

use super::{State as Console, words};
use crate::page::page;

#[derive(Template)]
#[template(path = "console/live.html")]
struct Live {
    stale: &'static str,
}

pub(super) async fn show() -> Response {
    page(&Live { stale: words::STALE })
}

pub(super) async fn stream(State(state): State<Console>) -> Response {
    let watching = (state.console.store.feed().watch(), state.stopped.clone());
    let events = stream::unfold(watching, |(mut arrivals, mut stopped)| async move {
        let event = tokio::select! {
            event = next(&mut arrivals) => event?,
            _ = stopped.wait_for(|stopped| *stopped) => return None,
        };
        Some((Ok::<_, Infallible>(event), (arrivals, stopped)))
    });
    // Proxies and browsers close connections on which nothing moves; a comment now and then keeps this one open.
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

async fn next(arrivals: &mut Receiver<Arc<Arrival>>) -> Option<Event> {
    match arrivals.recv().await {
        Ok(arrival) => {
            Some(Event::default().event("arrival").json_data(&*arrival).unwrap_or_default())
        }
        Err(RecvError::Lagged(missed)) => Some(
            Event::default()
                .event("missed")
                .json_data(json!({ "missed": missed }))
                .unwrap_or_default(),
        ),
        Err(RecvError::Closed) => None,
    }
}
