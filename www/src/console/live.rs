//! What arrives, as it arrives: a page, and the server-sent events that fill it, filtered by what the address says.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use beaconry_store::live::{Arrival, Outcome};

use super::{State as Console, words};
use crate::page::page;

/// What to show; blank stands for all.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Choice {
    /// An event's discriminator.
    #[serde(default)]
    event: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    outcome: String,
}

impl Choice {
    fn fits(&self, arrival: &Arrival) -> bool {
        let version = self.version.parse().ok();
        (self.event.is_empty() || arrival.event.as_deref() == Some(&self.event))
            && version.is_none_or(|version: u32| arrival.ver == Some(version))
            && (self.outcome.is_empty() || self.outcome == word(arrival.outcome))
    }

    /// The address of the stream that shows this choice.
    fn stream(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("event", &self.event);
        query.append_pair("version", &self.version);
        query.append_pair("outcome", &self.outcome);
        format!("/live/stream?{}", query.finish())
    }
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Quarantined => "quarantined",
        Outcome::Refused => "refused",
    }
}

#[derive(Template)]
#[template(path = "console/live.html")]
struct Live {
    choice: Choice,
    /// Discriminators and names.
    events: Vec<(String, String)>,
    /// The versions of the chosen event.
    versions: Vec<u32>,
    /// Why nothing fits the choice at all.
    wrong: String,
    stale: &'static str,
}

impl Live {
    const OUTCOMES: [(&'static str, &'static str); 3] =
        [("accepted", "Accepted"), ("quarantined", "In quarantine"), ("refused", "Refused")];
}

pub(super) async fn show(State(state): State<Console>, Query(choice): Query<Choice>) -> Response {
    let snapshot = state.console.store.snapshot();
    let row = |known: &Arc<beaconry_store::Known>| {
        (known.event.discriminator().to_string(), known.event.name().to_string())
    };
    let mut events: Vec<_> = snapshot.visible_events().map(row).collect();
    events.sort_by_key(|(_, name)| name.to_lowercase());
    let mut visible = snapshot.visible_events();
    let chosen = visible.find(|known| known.event.discriminator().as_str() == choice.event);
    let versions = chosen.map_or(Vec::new(), |known| {
        known.event.versions().iter().rev().map(|version| version.number).collect()
    });
    let wrong = match chosen {
        None if !choice.event.is_empty() => {
            "There is no such event any more; choose another, or all events."
        }
        _ => "",
    };
    page(&Live { choice, events, versions, wrong: wrong.to_owned(), stale: words::STALE })
}

pub(super) async fn stream(State(state): State<Console>, Query(choice): Query<Choice>) -> Response {
    let watching = (state.console.store.feed().watch(), state.stopped.clone());
    let events = stream::unfold(watching, move |(mut arrivals, mut stopped)| {
        let choice = choice.clone();
        async move {
            let event = tokio::select! {
                event = next(&mut arrivals, &choice) => event?,
                _ = stopped.wait_for(|stopped| *stopped) => return None,
            };
            Some((Ok::<_, Infallible>(event), (arrivals, stopped)))
        }
    });
    // Proxies and browsers close connections on which nothing moves; a comment now and then keeps this one open.
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

/// The next arrival that fits, or how many were missed because they came too fast.
async fn next(arrivals: &mut Receiver<Arc<Arrival>>, choice: &Choice) -> Option<Event> {
    loop {
        match arrivals.recv().await {
            Ok(arrival) if choice.fits(&arrival) => {
                return Some(
                    Event::default().event("arrival").json_data(&*arrival).unwrap_or_default(),
                );
            }
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => {
                let missed = json!({ "missed": missed });
                return Some(
                    Event::default().event("missed").json_data(missed).unwrap_or_default(),
                );
            }
            Err(RecvError::Closed) => return None,
        }
    }
}
