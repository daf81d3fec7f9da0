//! Whether a pasted snippet works: waiting, working, or what refuses its beacons and how to mend it.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;

use beaconry_model::section::Origin;
use beaconry_model::time::Timestamp;
use beaconry_model::tracking::Pin;
use beaconry_model::wire::{Code, Rejection};
use beaconry_store::live::{Arrival, Outcome};
use beaconry_store::{Known, Store, StoreError};

use super::event::find;
use super::{State as Console, failed, words};

/// What the page says about the snippet.
#[derive(Template)]
#[template(path = "console/status.html")]
pub(super) struct Status {
    to: String,
    state: Stands,
}

enum Stands {
    /// Nothing to wait for.
    Off,
    Waiting,
    Works(Works),
    Refused(Refused),
}

struct Works {
    at: Timestamp,
    page: String,
    version: u32,
    test: bool,
    unchecked: bool,
    /// Whether it came from a snippet with other settings than the newest one.
    older: bool,
}

struct Refused {
    at: Timestamp,
    why: String,
    errors: Vec<String>,
    mend: &'static str,
    /// The origin to allow, where that is what refused.
    origin: Option<String>,
}

impl Status {
    const UNCHECKED: &'static str = words::UNCHECKED;

    /// What is known without waiting: the newest stored event of the pinned snippet.
    pub(super) fn so_far(store: &Store, known: &Known) -> Result<Status, StoreError> {
        let to = format!("/events/{}", known.event.discriminator());
        let Some(pin) = known.event.tracking().pin() else {
            return Ok(Status { to, state: Stands::Off });
        };
        let newest = store.reader()?.newest(known.number, true, 1)?;
        let of_pin = newest
            .into_iter()
            .find(|event| event.version == pin.version && event.received >= pin.at);
        let state = of_pin.map_or(Stands::Waiting, |event| {
            Stands::Works(Works {
                at: event.received,
                page: event.url.unwrap_or_default(),
                version: event.version,
                test: event.test,
                unchecked: event.unchecked,
                older: event.rev.is_some_and(|rev| rev < pin.rev),
            })
        });
        Ok(Status { to, state })
    }

    /// What one beacon that just arrived says.
    fn after(to: &str, pin: &Pin, arrival: &Arrival) -> Status {
        let state = match (&arrival.outcome, &arrival.rejection) {
            (Outcome::Quarantined | Outcome::Refused, Some(rejection)) => {
                Stands::Refused(Refused::of(arrival, rejection))
            }
            _ => Stands::Works(Works {
                at: arrival.received,
                page: arrival.url.clone().unwrap_or_default(),
                version: arrival.ver.unwrap_or_default(),
                test: arrival.test,
                unchecked: arrival.unchecked,
                older: arrival.ver != Some(pin.version)
                    || arrival.rev.is_some_and(|rev| rev < pin.rev),
            }),
        };
        Status { to: to.to_owned(), state }
    }
}

impl Refused {
    fn of(arrival: &Arrival, rejection: &Rejection) -> Refused {
        let error = |error: &beaconry_model::data::FieldError| {
            format!("{}: expected {}, got {}", error.field, error.expected, error.got)
        };
        let origin = arrival.origin.clone().filter(|_| rejection.code == Code::OriginNotAllowed);
        Refused {
            at: arrival.received,
            why: rejection.detail.clone(),
            errors: rejection.errors.iter().map(error).collect(),
            mend: mend(rejection.code),
            // A sandboxed page says "null", which nobody can allow.
            origin: origin.filter(|origin| Origin::try_from(origin.clone()).is_ok()),
        }
    }
}

/// What to do about a beacon that was turned away.
fn mend(code: Code) -> &'static str {
    match code {
        Code::OriginNotAllowed => {
            "Allow this origin if the page is yours, then do the action once more."
        }
        Code::StaleVersion | Code::UnknownVersion => {
            "The page still carries an older snippet. Paste the code from this page in its place; what was turned away is kept in quarantine."
        }
        Code::InvalidFields => {
            "Correct where these values come from, or the fields, and regenerate. The beacon is kept in quarantine and can be replayed."
        }
        Code::TrackingDisabled => "Enable web tracking, then do the action once more.",
        Code::UnknownEvent => {
            "The page carries the snippet of an event that is gone. Remove that tag."
        }
        Code::TooOld => "The event happened more than 30 days ago. Do the action once more.",
        Code::TooLarge => "The event has more than 16 KiB. Send shorter texts.",
        Code::MalformedEvent => {
            "The page's own code sent something else than an event. Use beaconry.track()."
        }
        Code::ProfileLocked => {
            "This visitor asked to be forgotten for good; nothing of them is taken. Try it as another visitor."
        }
    }
}

/// The status anew with each beacon of the event that arrives.
pub(super) async fn stream(State(state): State<Console>, Path(event): Path<String>) -> Response {
    let known = match find(&state, &event) {
        Ok(known) => known,
        Err(error) => return failed(&error),
    };
    let Some(pin) = known.event.tracking().pin().cloned() else {
        return axum::http::StatusCode::NO_CONTENT.into_response();
    };
    let watching = (state.console.store.feed().watch(), state.stopped.clone());
    let (discriminator, to) = (
        known.event.discriminator().to_string(),
        format!("/events/{}", known.event.discriminator()),
    );
    let messages = stream::unfold(watching, move |(mut arrivals, mut stopped)| {
        let (discriminator, to, pin) = (discriminator.clone(), to.clone(), pin.clone());
        async move {
            let arrival = tokio::select! {
                arrival = next_of(&mut arrivals, &discriminator) => arrival?,
                _ = stopped.wait_for(|stopped| *stopped) => return None,
            };
            let html = Status::after(&to, &pin, &arrival).render().unwrap_or_default();
            Some((
                Ok::<_, Infallible>(Message::default().event("status").data(html)),
                (arrivals, stopped),
            ))
        }
    });
    Sse::new(messages).keep_alive(KeepAlive::default()).into_response()
}

/// The next arrival of one event. Some that came too fast to follow do no harm: the next one says as much.
async fn next_of(
    arrivals: &mut tokio::sync::broadcast::Receiver<Arc<Arrival>>,
    discriminator: &str,
) -> Option<Arc<Arrival>> {
    loop {
        match arrivals.recv().await {
            Ok(arrival) if arrival.event.as_deref() == Some(discriminator) => return Some(arrival),
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}
