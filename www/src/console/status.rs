//! Whether a pasted snippet works: waiting, working, or what refuses its beacons and how to mend it.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use beaconry_model::section::Origin;
use beaconry_model::time::{HOUR_MS, Timestamp};
use beaconry_model::tracking::Pin;
use beaconry_model::wire::{Code, Rejection};
use beaconry_store::live::{Arrival, Outcome};
use beaconry_store::{Hours, Known, Reader, Store, StoreError};

use super::event::find;
use super::origins;
use super::who::Who;
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
    /// Whether it came from a snippet with an older version or other settings than the newest one.
    older: bool,
}

struct Refused {
    /// When; of what is only counted, nobody knows it to the minute.
    at: Option<Timestamp>,
    title: &'static str,
    page: String,
    why: String,
    errors: Vec<String>,
    mend: &'static str,
    /// The origins to allow, where that is what refused.
    origins: Vec<Origin>,
}

/// The most hours of counted refusals that are looked at.
const MOST_HOURS: i64 = 24;
/// The most origins that are offered at once.
const MOST_ORIGINS: usize = 3;

impl Status {
    const UNCHECKED: &'static str = words::UNCHECKED;

    /// What is known without waiting: the newest beacon since the pin was set, stored, in quarantine, or refused for its
    /// origin.
    pub(super) fn so_far(store: &Store, known: &Known) -> Result<Status, StoreError> {
        let to = format!("/events/{}", known.event.discriminator());
        let Some(pin) = known.event.tracking().pin() else {
            return Ok(Status { to, state: Stands::Off });
        };
        let reader = store.reader()?;
        let stored = reader.newest(known.number, true, 1)?.pop();
        let stored = stored.filter(|event| event.received >= pin.at);
        let kept = reader.quarantine(Some(known.number), i64::MAX, 1)?.pop();
        let kept = kept.map(|kept| kept.kept).filter(|kept| kept.facts.received >= pin.at);
        let stored_at = stored.as_ref().map(|event| event.received);
        let kept_at = kept.as_ref().map(|kept| kept.facts.received);
        let refused = refused_since(&reader, known, pin, stored_at.max(kept_at), store)?;
        let state = match (stored, kept) {
            _ if !refused.is_empty() => Stands::Refused(Refused::counted(refused)),
            (_, Some(kept)) if stored_at.is_none_or(|at| at < kept.facts.received) => {
                let page = kept.facts.url.unwrap_or_default();
                Stands::Refused(Refused::new(kept.facts.received, page, &kept.rejection, None))
            }
            (Some(event), _) => Stands::Works(Works {
                at: event.received,
                page: event.url.unwrap_or_default(),
                version: event.version,
                test: event.test,
                unchecked: event.unchecked,
                older: is_older(pin, Some(event.version), event.rev),
            }),
            (None, _) => Stands::Waiting,
        };
        Ok(Status { to, state })
    }

    /// What one beacon that just arrived says.
    fn after(to: &str, pin: Option<&Pin>, arrival: &Arrival) -> Status {
        let page = arrival.url.clone().unwrap_or_default();
        let state = match (&arrival.outcome, &arrival.rejection) {
            (Outcome::Quarantined | Outcome::Refused, Some(rejection)) => {
                let origin = arrival.origin.as_deref();
                let origin = origin.filter(|_| rejection.code == Code::OriginNotAllowed);
                // A sandboxed page says "null", which nobody can allow.
                let origin = origin.and_then(|origin| Origin::try_from(origin.to_owned()).ok());
                Stands::Refused(Refused::new(arrival.received, page, rejection, origin))
            }
            _ => Stands::Works(Works {
                at: arrival.received,
                page,
                version: arrival.ver.unwrap_or_default(),
                test: arrival.test,
                unchecked: arrival.unchecked,
                older: pin.is_none_or(|pin| is_older(pin, arrival.ver, arrival.rev)),
            }),
        };
        Status { to: to.to_owned(), state }
    }

    /// When the beacon arrived that it tells of.
    fn at(&self) -> Option<Timestamp> {
        match &self.state {
            Stands::Off | Stands::Waiting => None,
            Stands::Works(works) => Some(works.at),
            Stands::Refused(refused) => refused.at,
        }
    }

    /// Whether a page that was made at this moment may not say it yet. What is only counted may have been counted since.
    fn is_news(&self, since: i64) -> bool {
        match self.at() {
            Some(at) => at.0 > since,
            None => matches!(self.state, Stands::Refused(_)),
        }
    }

    /// As a message whose id is the moment it tells of, so that a browser that was away says from where to go on.
    fn message(&self) -> Message {
        let id = self.at().map_or(String::new(), |at| at.0.to_string());
        Message::default().event("status").id(id).data(self.render().unwrap_or_default())
    }
}

/// Whether a beacon came from another snippet than the pinned one.
fn is_older(pin: &Pin, version: Option<u32>, rev: Option<u32>) -> bool {
    version != Some(pin.version) || rev.is_some_and(|rev| rev < pin.rev)
}

/// Origins that were refused since the newest beacon of which more is known, or else since the pin was set. Refusals are
/// counted by the hour, so those of that beacon's own hour do not count as newer.
fn refused_since(
    reader: &Reader,
    known: &Known,
    pin: &Pin,
    newest: Option<Timestamp>,
    store: &Store,
) -> Result<Vec<Origin>, StoreError> {
    let now = store.clock().now();
    let hour = |at: Timestamp| at.0.div_euclid(HOUR_MS);
    let first = newest.map_or(hour(pin.at), |newest| hour(newest) + 1);
    let count = usize::try_from((hour(now) - first + 1).min(MOST_HOURS)).unwrap_or_default();
    if count == 0 {
        return Ok(Vec::new());
    }
    let mut refused = origins::refused(reader, known, Hours::last(count, now))?;
    refused.truncate(MOST_ORIGINS);
    Ok(refused)
}

impl Refused {
    /// What is known of refusals that are only counted.
    fn counted(origins: Vec<Origin>) -> Refused {
        let (title, mend) = mend(Code::OriginNotAllowed);
        let from: Vec<_> = origins.iter().map(Origin::as_str).collect();
        Refused {
            at: None,
            title,
            page: String::new(),
            why: format!("the section does not allow {}.", from.join(", ")),
            errors: Vec::new(),
            mend,
            origins,
        }
    }

    fn new(at: Timestamp, page: String, rejection: &Rejection, origin: Option<Origin>) -> Refused {
        let error = |error: &beaconry_model::data::FieldError| {
            format!("{}: expected {}, got {}", error.field, error.expected, error.got)
        };
        let (title, mend) = mend(rejection.code);
        Refused {
            at: Some(at),
            title,
            page,
            why: rejection.detail.clone(),
            errors: rejection.errors.iter().map(error).collect(),
            mend,
            origins: origin.into_iter().collect(),
        }
    }
}

/// What a beacon that was turned away shows, and what to do about it.
fn mend(code: Code) -> (&'static str, &'static str) {
    match code {
        Code::OriginNotAllowed => (
            "That web site may not send yet",
            "allow its origin if the page is yours, then do the action once more.",
        ),
        Code::StaleVersion => (
            "An older snippet is pasted there",
            "put the code from this page in its place. What was turned away is kept in quarantine.",
        ),
        Code::UnknownVersion => (
            "That version was never published",
            "put the code from this page in its place. What was turned away is kept in quarantine.",
        ),
        Code::InvalidFields => (
            "The values do not fit the fields",
            "correct where these values come from, or the fields, and regenerate. The beacon is kept in quarantine, \
             and can be replayed.",
        ),
        Code::TrackingDisabled => (
            "Web tracking is off, and a tag is still on a page",
            "enable web tracking, or remove the tag. Left where it is, it does no harm.",
        ),
        Code::UnknownEvent => (
            "The snippet of an event that is gone",
            "remove that tag from the page. Left where it is, it does no harm.",
        ),
        Code::TooOld => (
            "It happened too long ago",
            "do the action once more; events of more than 30 days ago are not taken.",
        ),
        Code::TooLarge => {
            ("Too much in one event", "send shorter texts; an event has at most 16 KiB.")
        }
        Code::MalformedEvent => (
            "That was not an event",
            "send it by beaconry.track(); the page's own code sent something else.",
        ),
        Code::ProfileLocked => (
            "This visitor is never to be known",
            "this visitor asked to be forgotten for good, and nothing of them is taken; try it as another visitor.",
        ),
    }
}

/// Since when the page has been looking, in milliseconds since 1970.
#[derive(Debug, Deserialize)]
pub(super) struct Since {
    #[serde(default)]
    since: i64,
}

/// The status anew with each beacon of the event that arrives, beginning with what arrived since the page was made.
pub(super) async fn stream(
    State(state): State<Console>,
    Path(event): Path<String>,
    Query(Since { since }): Query<Since>,
    who: Who,
    headers: HeaderMap,
) -> Response {
    let known = match find(&state, &event) {
        Ok(known) => known,
        Err(error) => return failed(&error),
    };
    let told = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let since = told.unwrap_or(since);
    // Watched before what is stored is read, so that nothing falls between.
    let arrivals = state.console.store.feed().watch();
    let missed = match Status::so_far(&state.console.store, &known) {
        Ok(status) => status.is_news(since).then(|| status.message()),
        Err(error) => return failed(&error),
    };
    let watching = Watching {
        to: format!("/events/{}", known.event.discriminator()),
        pin: known.event.tracking().pin().cloned(),
        known,
        arrivals,
        stopped: state.stopped.clone(),
        who,
    };
    let news = stream::unfold(watching, |mut watching| async move {
        let message = watching.next().await?;
        Some((message, watching))
    });
    let messages = stream::iter(missed).chain(news).map(Ok::<_, Infallible>);
    Sse::new(messages).keep_alive(KeepAlive::default()).into_response()
}

/// One page that waits for beacons of an event.
struct Watching {
    to: String,
    known: Known,
    pin: Option<Pin>,
    arrivals: Receiver<Arc<Arrival>>,
    stopped: watch::Receiver<bool>,
    who: Who,
}

impl Watching {
    /// `None` once the server stops.
    async fn next(&mut self) -> Option<Message> {
        let arrival = tokio::select! {
            arrival = next_of(&mut self.arrivals, self.known.event.discriminator().as_str()) => arrival?,
            _ = self.stopped.wait_for(|stopped| *stopped) => return None,
        };
        let status = Status::after(&self.to, self.pin.as_ref(), &arrival);
        Some(self.who.later(|| status.message()))
    }
}

/// The next arrival of one event. Some that came too fast to follow do no harm: the next one says as much.
async fn next_of(
    arrivals: &mut Receiver<Arc<Arrival>>,
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
