//! Every answer the collector gives: status, public message and headers, in one place.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CONNECTION, CONTENT_TYPE,
    HeaderName, HeaderValue, RETRY_AFTER,
};
use hyper::{Response, StatusCode};
use serde::Serialize;

use beaconry_model::identify::BadToken;
use beaconry_model::wire::{BadEnvelope, MAX_BODY, Rejection};
use beaconry_store::picks::PickRefused;

use crate::front::TooOften;

/// What the collector sends.
pub type Answer = Response<Full<Bytes>>;

/// Why a whole request was refused.
#[derive(Debug)]
pub enum Refused {
    /// The body is no envelope.
    Envelope(BadEnvelope),
    /// The body has more than 64 KiB.
    BodyTooLarge,
    /// The body did not come in time.
    BodyTooSlow,
    /// The client went away, or sent what is no HTTP.
    BodyBroken,
    /// The store cannot take more right now.
    Busy,
    /// Somebody asks more often than the collector allows.
    TooOften(TooOften),
    /// The store cannot write.
    NotDurable(String),
    /// Nothing can be picked.
    Pick(PickRefused),
    /// There is nothing at this path.
    NotFound,
    /// The path does not take this method.
    MethodNotAllowed(&'static str),
}

impl Refused {
    /// Status, stable code and the sentence people read.
    fn parts(&self) -> (StatusCode, &'static str, String) {
        match self {
            Refused::Envelope(bad @ BadEnvelope::TooManyEvents(_)) => {
                (StatusCode::PAYLOAD_TOO_LARGE, bad.code(), bad.to_string())
            }
            Refused::Envelope(bad) => (StatusCode::BAD_REQUEST, bad.code(), bad.to_string()),
            Refused::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                format!("body: expected at most {MAX_BODY} bytes, got more; send the events in several requests"),
            ),
            Refused::BodyTooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                "body: expected within seconds, and it did not come; send it again".to_owned(),
            ),
            Refused::BodyBroken => (
                StatusCode::BAD_REQUEST,
                "body_broken",
                "body: expected as long as its headers say, got less".to_owned(),
            ),
            Refused::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "the store has more to write than it can; nothing of this request was kept, send it again".to_owned(),
            ),
            Refused::TooOften(TooOften { most, what, .. }) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_often",
                format!("expected at most {most} {what}; nothing of this request was kept, send it again after Retry-After"),
            ),
            Refused::NotDurable(why) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "not_durable",
                format!("nothing of this request was kept, send it again: {why}"),
            ),
            Refused::Pick(refused) => {
                (StatusCode::FORBIDDEN, "pick_refused", refused.to_string())
            }
            Refused::NotFound => (
                StatusCode::NOT_FOUND,
                "not_found",
                "there is nothing here; the collector has POST /c, GET /s/…, /engine/…, /healthz and /metrics".to_owned(),
            ),
            Refused::MethodNotAllowed(allowed) => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                format!("method: expected {allowed}"),
            ),
        }
    }

    /// The refusal as an answer.
    pub fn answer(&self) -> Answer {
        let (status, code, detail) = self.parts();
        let mut answer = json(status, &serde_json::json!({ "code": code, "detail": detail }));
        let headers = answer.headers_mut();
        match self {
            Refused::Busy => headers.insert(RETRY_AFTER, HeaderValue::from_static("1")),
            Refused::TooOften(TooOften { wait, .. }) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1))
            }
            Refused::NotDurable(_) => headers.insert(RETRY_AFTER, HeaderValue::from_static("5")),
            Refused::MethodNotAllowed(allowed) => {
                headers.insert(ALLOW, HeaderValue::from_static(allowed))
            }
            // What is left of the body is not read, so the connection cannot be used again.
            Refused::BodyTooLarge | Refused::BodyTooSlow | Refused::BodyBroken => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"))
            }
            Refused::Envelope(_) | Refused::Pick(_) | Refused::NotFound => None,
        };
        answer
    }
}

/// One refused event in an answer of 200.
#[derive(Debug, Serialize)]
pub struct RejectedEvent {
    /// Its place in the request.
    pub index: usize,
    /// Why.
    #[serde(flatten)]
    pub rejection: Rejection,
}

/// The answer once everything is durable: 204, or 200 that names what was refused, the token by which a visitor was to be
/// identified among it.
pub fn stored(accepted: usize, rejected: &[RejectedEvent], token: Option<&BadToken>) -> Answer {
    if rejected.is_empty() && token.is_none() {
        return status(StatusCode::NO_CONTENT);
    }
    let mut answer = serde_json::json!({ "accepted": accepted, "rejected": rejected });
    if let Some(bad) = token {
        answer["identify"] = serde_json::json!({ "code": bad.code(), "detail": bad.to_string() });
    }
    json(StatusCode::OK, &answer)
}

/// The answer to a page that may be pointed at.
pub(crate) fn found(what: &serde_json::Value) -> Answer {
    json(StatusCode::OK, what)
}

/// The answer to a page once a pick is with the form that waits for it.
pub(crate) fn taken() -> Answer {
    status(StatusCode::NO_CONTENT)
}

/// The answer to a browser that asks whether it may post with headers of its own.
pub fn preflight() -> Answer {
    let mut answer = status(StatusCode::NO_CONTENT);
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    answer
}

/// Text for people or for Prometheus.
pub fn text(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// An answer without a body.
pub fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

/// Lets pages of any origin read the answer; every answer passes here once. Without it a refusal looks like a dead network, and is retried for ever.
pub fn with_cors(mut answer: Answer) -> Answer {
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    answer
}

fn json(status: StatusCode, value: &serde_json::Value) -> Answer {
    text(status, "application/json", value.to_string())
}
