//! "Send to my developer": a link that shows one event's code to paste and how to paste it, to whoever has it, until it ends.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, HOST, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

use beaconry_model::fields::{Field, SOURCE};
use beaconry_model::time::Timestamp;
use beaconry_model::value::Kind;
use beaconry_store::{Known, Share, StoreError};

use super::event::find;
use super::who::Who;
use super::{State as Console, failed, problem, tracking};
use crate::page::{go_to, page};
use crate::snippet::Snippet;

#[derive(Template)]
#[template(path = "console/share.html")]
struct Page {
    name: String,
    slug: String,
    origins: String,
    triggers: usize,
    /// The fields with a value of each one's type, as they stand in a call.
    arguments: String,
    snippet: Option<Snippet>,
    until: Timestamp,
}

impl Page {
    /// All bytes a page downloads for this event alone, in Brotli.
    fn brotli(&self) -> usize {
        self.snippet.iter().map(Snippet::brotli).sum()
    }
}

/// What somebody with the link sees. Needs no log-in; tells nothing about links that are not there.
pub(super) async fn show(State(state): State<Console>, Path(token): Path<String>) -> Response {
    let mut answer = match shared(&state, &token) {
        Ok(Some((share, known))) => page(&made(&state, &share, &known)),
        Ok(None) => problem(
            StatusCode::NOT_FOUND,
            "This link has ended. Ask whoever sent it for a new one.",
        ),
        Err(error) => failed(&error),
    };
    // The address is the secret: it goes to no cache and no other site.
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

fn shared(state: &Console, token: &str) -> Result<Option<(Share, Known)>, StoreError> {
    let store = &state.console.store;
    let share = store.registry().shared(token, store.clock().steady())?;
    let snapshot = store.snapshot();
    Ok(share.and_then(|share| {
        let known = snapshot.by_number(share.event)?;
        known.event.hidden_at().is_none().then(|| (share, known.as_ref().clone()))
    }))
}

fn made(state: &Console, share: &Share, known: &Known) -> Page {
    let tracking = known.event.tracking();
    let version = tracking.pin().and_then(|pin| known.event.versions().get(pin.version));
    let fields = version.unwrap_or_else(|| known.event.versions().last()).fields.iter();
    let fields = fields.filter(|field| field.name().as_str() != SOURCE).map(argument);
    Page {
        name: known.event.name().to_string(),
        slug: known.event.slug().to_string(),
        origins: tracking::origins(&known.section),
        triggers: tracking.pin().map_or(0, |pin| pin.capture.triggers.len()),
        arguments: fields.collect::<Vec<_>>().join(", "),
        snippet: tracking.pin().and_then(|_| (state.console.snippets)(known).ok()),
        until: share.until,
    }
}

/// A field with a value of its type, as JavaScript.
fn argument(field: &Field) -> String {
    let example = match field.kind() {
        Kind::Text => field.limits().allowed.first().map_or("'text'".to_owned(), |one| {
            format!("'{}'", one.replace('\\', "\\\\").replace('\'', "\\'"))
        }),
        Kind::Bool => "true".to_owned(),
        Kind::Date => "'2026-11-23'".to_owned(),
        Kind::Timestamp => "'2026-11-23T12:00:00Z'".to_owned(),
        Kind::Number => "12".to_owned(),
        Kind::Decimal => "1299.5".to_owned(),
    };
    format!("{}: {example}", field.name())
}

/// Makes a link, and shows it this one time.
pub(super) async fn create(
    State(state): State<Console>,
    Path(event): Path<String>,
    who: Who,
    headers: HeaderMap,
) -> Response {
    let made = find(&state, &event).and_then(|known| {
        let store = &state.console.store;
        let token = store.registry().share(&known, who.name(), store.clock().steady())?;
        tracking::page_of(&state, &known, &address(&headers, &token))
    });
    match made {
        Ok(made) => page(&made),
        Err(error) => failed(&error),
    }
}

/// The link by the name that the browser knows this console by.
fn address(headers: &HeaderMap, token: &str) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(HOST.as_str()).unwrap_or("localhost");
    let scheme = match text("origin").and_then(|origin| origin.split_once("://")) {
        Some(("https", _)) => "https",
        _ => "http",
    };
    format!("{scheme}://{host}/share/{token}")
}

pub(super) async fn end(
    State(state): State<Console>,
    Path((event, number)): Path<(String, i64)>,
    who: Who,
) -> Response {
    let ended = find(&state, &event).and_then(|known| {
        let store = &state.console.store;
        store.registry().end_share(&known, number, who.name(), store.clock().steady())?;
        Ok(known)
    });
    match ended {
        Ok(known) => go_to(&format!("/events/{}/tracking#share", known.event.discriminator())),
        Err(error) => failed(&error),
    }
}
