//! What the collector answers to: one `match` on method and path.

use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};

use crate::answer::{Answer, Refused, preflight, text, with_cors};
use crate::assets;
use crate::ingest;
use crate::pick;
use crate::server::Collector;

/// Answers one request.
pub(crate) async fn route(collector: &Collector, request: Request<Incoming>) -> Answer {
    let answer = match (request.method(), request.uri().path()) {
        (&Method::POST, "/c") => ingest::post(collector, request).await,
        (&Method::OPTIONS, "/c") => preflight(),
        (&Method::POST, "/pick") => pick::post(collector, request).await,
        (&Method::OPTIONS, "/pick") => preflight(),
        (_, "/c" | "/pick") => Refused::MethodNotAllowed("POST, OPTIONS").answer(),
        (&Method::GET | &Method::HEAD, path) if assets::is_asset(path) => {
            assets::get(collector, &request)
        }
        (&Method::GET, "/healthz") => health(collector),
        (&Method::GET, "/metrics") => metrics(collector),
        (_, path) if assets::is_asset(path) || matches!(path, "/healthz" | "/metrics") => {
            Refused::MethodNotAllowed("GET").answer()
        }
        _ => Refused::NotFound.answer(),
    };
    collector.metrics.answered(answer.status());
    with_cors(answer)
}

/// Whether the collector can store what it is sent.
fn health(collector: &Collector) -> Answer {
    match collector.store.health() {
        Ok(()) => text(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned()),
        Err(why) => {
            text(StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", format!("{why}\n"))
        }
    }
}

fn metrics(collector: &Collector) -> Answer {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    text(StatusCode::OK, OPEN_METRICS, collector.metrics.encode(collector.store.behind()))
}
