//! From a request to its operation: who asks, how often, how much; then the work, away from the threads that serve.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, any};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use beaconry_model::consent::Channel;
use beaconry_model::profile::{Keyspace, ProfileKey};

use super::call::Call;
use super::caller::Caller;
use super::operation::Operation;
use super::problem::Problem;
use super::{Api, decode, describe};

/// How long a client may take to send a body.
const BODY: Duration = Duration::from_secs(10);

/// Routes for these operations, and for the description of them.
pub(super) fn router(api: &Api, operations: Vec<Operation>) -> Router {
    let mut router = describe::routes(&operations);
    let mut by_path: BTreeMap<&'static str, (MethodRouter, Vec<&'static str>)> = BTreeMap::new();
    for operation in operations {
        let (methods, names) = by_path.entry(operation.path).or_default();
        let (filter, name) = filter(&operation.method);
        names.push(name);
        let (api, operation) = (api.clone(), Arc::new(operation));
        *methods = std::mem::take(methods)
            .on(filter, move |request: Request| answer(api.clone(), operation.clone(), request));
    }
    for (path, (methods, names)) in by_path {
        let allowed = names.join(", ");
        let methods = methods.fallback(async move || Problem::method_not_allowed(&allowed));
        if let Some(bare) = path.strip_suffix('/') {
            router = router.route(bare, methods.clone());
        }
        router = router.route(path, methods);
    }
    for rest in ["/audience/{*rest}", "/v1/{*rest}", "/oauth/{*rest}"] {
        router = router.route(rest, any(async || no_such_path()));
    }
    router.layer(axum::middleware::map_response(plain))
}

fn filter(method: &Method) -> (MethodFilter, &'static str) {
    match *method {
        Method::POST => (MethodFilter::POST, "POST"),
        Method::PUT => (MethodFilter::PUT, "PUT"),
        Method::PATCH => (MethodFilter::PATCH, "PATCH"),
        Method::DELETE => (MethodFilter::DELETE, "DELETE"),
        _ => (MethodFilter::GET, "GET"),
    }
}

fn no_such_path() -> Problem {
    Problem::not_found("there is nothing at this address; GET /openapi.json says what there is")
}

/// What no answer goes without.
async fn plain(mut answer: Response) -> Response {
    let nosniff = HeaderValue::from_static("nosniff");
    answer.headers_mut().insert(HeaderName::from_static("x-content-type-options"), nosniff);
    answer
}

async fn answer(api: Api, operation: Arc<Operation>, request: Request) -> Response {
    match run(api, &operation, request).await {
        Ok(answer) => answer,
        Err(problem) => {
            let status = problem.status.as_u16();
            let declared = operation.refusals().iter().any(|(known, _)| *known == status);
            debug_assert!(declared, "{} does not say that it can answer {status}", operation.id);
            problem.into_response()
        }
    }
}

async fn run(api: Api, operation: &Arc<Operation>, request: Request) -> Result<Response, Problem> {
    let now = api.store.clock().steady();
    let (head, body) = request.into_parts();
    let caller = Caller::find(operation.needs, &head.headers, &api, now)?;
    if !matches!(caller, Caller::Nobody) {
        api.limiter.request(&caller.id())?;
    }
    let parts = parts(operation.path, head.uri.path())?;
    let query = decode::query(head.uri.query().unwrap_or_default())?;
    let body = match operation.body {
        Some(_) => read(operation.max_body, &head.headers, body).await?,
        None => Bytes::new(),
    };
    let call = Call { api, caller, now, parts, query, headers: head.headers, body };
    count_profile(&call)?;
    let operation = operation.clone();
    // The store reads and waits for disks.
    let done = tokio::task::spawn_blocking(move || (operation.run)(&call)).await;
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "an operation of the API failed");
        let detail = "the server failed; its log says how";
        Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail))
    })
}

/// The parts of a path by their names. Taken from the path as it came: the router's own have been decoded, leniently, and
/// must not be a second time.
fn parts(template: &'static str, path: &str) -> Result<Vec<(&'static str, String)>, Problem> {
    let mut parts = Vec::new();
    for (name, raw) in template.split('/').zip(path.split('/')) {
        if let Some(name) = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            parts.push((name, decode::part(name, raw)?));
        }
    }
    Ok(parts)
}

/// Counts a request that names a profile's key, in the one form in which it is kept, however it is written. An address of a
/// channel is a key too. What is none names nobody, and is refused anyway.
fn count_profile(call: &Call) -> Result<(), Problem> {
    let named = |name: &str, address: &str| call.part(name) == address;
    let keyspace = Keyspace::ALL.into_iter().find(|of| named("keyspace", of.discriminator()));
    let channel = Channel::ALL.into_iter().find(|of| named("channel", of.discriminator()));
    let key = match (keyspace, channel) {
        (Some(keyspace), _) => ProfileKey::new(keyspace, call.part("key")),
        (None, Some(channel)) => ProfileKey::new(channel.keyspace(), call.part("address")),
        (None, None) => return Ok(()),
    };
    key.map_or(Ok(()), |key| call.api.limiter.profile(&key))
}

/// The body, where it is not too large and comes in time.
async fn read(most: usize, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail =
            format!("body: expected at most {most} bytes, got more; send it in several requests");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    };
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > most) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY, Limited::new(body, most).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::bad_request(
            "body_broken",
            "body: expected as long as its headers say, got less",
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            "body: expected within ten seconds, and it did not come; send it again",
        )),
    }
}
