//! What the collector answers to: one `match` on method and path.

use std::net::IpAddr;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, TRANSFER_ENCODING};
use hyper::{Method, Request, StatusCode};

use crate::answer::{Answer, Refused, preflight, text, with_cors};
use crate::assets;
use crate::ingest;
use crate::pick;
use crate::server::Collector;

/// Answers one request.
pub(crate) async fn route(
    collector: &Collector,
    request: Request<Incoming>,
    peer: Option<IpAddr>,
) -> Answer {
    let chunked = request.headers().contains_key(TRANSFER_ENCODING);
    let mut answer = match collector.front.request(peer, request.headers()) {
        Err(too_often) => Refused::TooOften(too_often).answer(),
        Ok(()) => find(collector, request, peer).await,
    };
    if chunked {
        // Browsers send a length. Where a proxy in front saw another end of this body than Hyper, what follows on the
        // connection is not what its client sent (RFC 9112, 6.1).
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    collector.metrics.answered(answer.status());
    with_cors(answer)
}

async fn find(collector: &Collector, request: Request<Incoming>, peer: Option<IpAddr>) -> Answer {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/c") => ingest::post(collector, request).await,
        (&Method::OPTIONS, "/c") => preflight(),
        (&Method::POST, "/pick") => pick::post(collector, request).await,
        (&Method::OPTIONS, "/pick") => preflight(),
        (_, "/c" | "/pick") => Refused::MethodNotAllowed("POST, OPTIONS").answer(),
        (&Method::GET | &Method::HEAD, path) if assets::is_asset(path) => {
            assets::get(collector, &request)
        }
        (&Method::GET, "/healthz") => health(collector),
        // How much comes in is the operator's business, and nobody's on the internet.
        (&Method::GET, "/metrics") if collector.front.is_local(peer, request.headers()) => {
            metrics(collector)
        }
        (_, path) if assets::is_asset(path) || path == "/healthz" => {
            Refused::MethodNotAllowed("GET").answer()
        }
        _ => Refused::NotFound.answer(),
    }
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
