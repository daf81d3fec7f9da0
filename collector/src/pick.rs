//! `POST /pick`: opens the links that people made to point and click on their own page, and takes what they pick.
//!
//! A page shows a link's token once and gets a key; with the key it asks for what can be picked, and sends picks. A pick is
//! checked by the model and handed to the form that waits for it; nothing of it is stored here.

use hyper::Request;
use hyper::body::Incoming;
use hyper::header::ORIGIN;
use serde::Deserialize;

use beaconry_model::pick::Pick;
use beaconry_model::wire::BadEnvelope;
use beaconry_store::picks::{PickRefused, Trouble};
use beaconry_store::{EventNo, Known};

use crate::answer::{Answer, Refused, found, taken};
use crate::ingest::read;
use crate::server::Collector;

/// What a page may ask.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Ask {
    /// Opens a link by its token.
    Link(String),
    /// Goes on, on the next page of the tab.
    Key(String),
    /// Sends what was picked.
    Pick {
        /// The key.
        key: String,
        /// What was picked.
        pick: Pick,
    },
    /// Says what keeps the page from being pointed at.
    Trouble {
        /// The key.
        key: String,
        /// What it is.
        trouble: Trouble,
    },
}

/// Answers a page that somebody points at.
pub(crate) async fn post(collector: &Collector, request: Request<Incoming>) -> Answer {
    match answer(collector, request).await {
        Ok(answer) => answer,
        Err(refused) => refused.answer(),
    }
}

async fn answer(collector: &Collector, request: Request<Incoming>) -> Result<Answer, Refused> {
    let origin = request
        .headers()
        .get(ORIGIN)
        .map(|origin| String::from_utf8_lossy(origin.as_bytes()).into_owned());
    let body = read(collector, request.into_body()).await?;
    let ask: Ask = serde_json::from_slice(&body)
        .map_err(|error| Refused::Envelope(BadEnvelope::WrongShape(error.to_string())))?;
    // Only browsers point at pages, and they always say where they are.
    let origin = origin.unwrap_or_default();
    let (picks, now) = (collector.store.picks(), collector.store.clock().steady());
    match ask {
        Ask::Link(token) => {
            let (event, key) = picks.open_link(&token, &origin, now).map_err(Refused::Pick)?;
            invitation(collector, event, &origin, &key)
        }
        Ask::Key(key) => {
            let event = picks.go_on(&key, &origin, now).map_err(Refused::Pick)?;
            invitation(collector, event, &origin, &key)
        }
        Ask::Pick { key, pick } => {
            let event = picks.go_on(&key, &origin, now).map_err(Refused::Pick)?;
            let known = pickable(collector, event, &origin)?;
            let checked = pick.check(&known.event.versions().last().fields);
            checked.map_err(|invalid| {
                Refused::Envelope(BadEnvelope::WrongShape(invalid.to_string()))
            })?;
            picks.pick(&key, &origin, pick, now).map_err(Refused::Pick)?;
            Ok(taken())
        }
        Ask::Trouble { key, trouble } => {
            picks.trouble(&key, &origin, trouble, now).map_err(Refused::Pick)?;
            Ok(taken())
        }
    }
}

/// What the inspector needs to know: the event's name, its fields, and which of them have a source already.
fn invitation(
    collector: &Collector,
    event: EventNo,
    origin: &str,
    key: &str,
) -> Result<Answer, Refused> {
    let known = pickable(collector, event, origin)?;
    let capture = known.event.tracking().capture();
    let mapped: Vec<&str> = capture.mappings.iter().map(|mapping| mapping.name.as_str()).collect();
    Ok(found(&serde_json::json!({
        "key": key,
        "event": known.event.name(),
        "fields": known.event.versions().last().fields,
        "mapped": mapped,
    })))
}

/// The event, where it is still there and its section still allows the origin.
fn pickable(
    collector: &Collector,
    event: EventNo,
    origin: &str,
) -> Result<std::sync::Arc<Known>, Refused> {
    let snapshot = collector.store.snapshot();
    let known = snapshot
        .by_number(event)
        .filter(|known| known.event.hidden_at().is_none() && known.section.admits(Some(origin)));
    known.cloned().ok_or(Refused::Pick(PickRefused::Ended))
}
