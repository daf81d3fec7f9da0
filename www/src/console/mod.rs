//! The console: events and their tracking, the code to paste, and what arrives.

mod capture;
mod capture_draft;
mod create;
mod draft;
mod edit;
mod event;
mod hide;
mod keys;
mod live;
mod overview;
mod section;
mod status;
mod tracking;
mod versions;
mod who;
mod words;

use std::future::Future;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::Response;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::watch;

use beaconry_store::{Store, StoreError};

use crate::api::{self, Api};
use crate::guard::guard;
use crate::page::{file, page_with};
use crate::snippet::Snippets;

/// What the console works on.
#[derive(Clone)]
pub struct Console {
    /// Where everything is.
    pub store: Arc<Store>,
    /// Makes the code to paste.
    pub snippets: Snippets,
    /// Answers machines, on the same address.
    pub api: Api,
}

/// What every handler gets.
#[derive(Clone)]
struct State {
    console: Console,
    /// Says when to end what would go on for ever.
    stopped: watch::Receiver<bool>,
}

/// Serves until `shutdown` is ready, then finishes what is open.
pub async fn run(
    listener: TcpListener,
    console: Console,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let (stop, stopped) = watch::channel(false);
    let mut ended = stopped.clone();
    tokio::spawn(async move {
        shutdown.await;
        let _ = stop.send(true);
    });
    let router = router(State { console, stopped });
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = ended.wait_for(|ended| *ended).await;
    });
    if let Err(error) = serving.await {
        eprintln!("console: {error}");
    }
}

fn router(state: State) -> Router {
    let api = api::router(&state.console.api);
    Router::new()
        .route("/", get(overview::show))
        .route("/sections", post(section::create))
        .route("/sections/new", get(section::new))
        .route("/sections/{section}", get(section::show).post(section::change))
        .route("/sections/{section}/new", get(create::choose))
        .route("/sections/{section}/new/{folder}", get(create::start).post(create::send))
        .route("/sections/{section}/new/{folder}/check", post(create::check))
        .route("/events/{event}", get(event::show))
        .route("/events/{event}/edit", get(edit::show).post(edit::send))
        .route("/events/{event}/edit/check", post(edit::check))
        .route("/events/{event}/hide", get(hide::show).post(hide::send))
        .route("/events/{event}/versions", get(versions::show))
        .route("/events/{event}/capture", get(capture::show).post(capture::send))
        .route("/events/{event}/capture/check", post(capture::check))
        .route("/events/{event}/tracking", get(tracking::show))
        .route("/events/{event}/tracking/enable", post(tracking::enable))
        .route("/events/{event}/tracking/disable", post(tracking::disable))
        .route("/events/{event}/tracking/regenerate", post(tracking::regenerate))
        .route("/events/{event}/tracking/stale", post(tracking::stale))
        .route("/events/{event}/tracking/origin", post(tracking::allow_origin))
        .route("/events/{event}/tracking/status", get(status::stream))
        .route("/settings/keys", get(keys::show).post(keys::create))
        .route("/settings/keys/{key}/revoke", post(keys::revoke))
        .route("/settings/tokens", post(keys::create_token))
        .route("/settings/tokens/{token}/revoke", post(keys::revoke_token))
        .route("/live", get(live::show))
        .route("/live/stream", get(live::stream))
        .route(
            "/static/console.css",
            get(async || file("text/css", include_str!("../../static/console.css"))),
        )
        .route(
            "/static/console.js",
            get(async || file("text/javascript", include_str!("../../static/console.js"))),
        )
        .route(
            "/static/htmx.js",
            get(async || file("text/javascript", include_str!("../../static/htmx-2.0.11.min.js"))),
        )
        .fallback(async || {
            problem(StatusCode::NOT_FOUND, "There is no such page. Start from the events.")
        })
        .layer(middleware::from_fn(guard))
        .with_state(state)
        .merge(api)
}

#[derive(Template)]
#[template(path = "console/problem.html")]
struct Problem<'a> {
    why: &'a str,
}

/// A page that says what went wrong and what to do.
fn problem(status: StatusCode, why: &str) -> Response {
    page_with(status, &Problem { why })
}

/// A store's error as a page.
fn failed(error: &StoreError) -> Response {
    let status = match error {
        StoreError::NotFound { .. } => StatusCode::NOT_FOUND,
        StoreError::Refused(_) | StoreError::Ambiguous { .. } => StatusCode::CONFLICT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    problem(status, &error.to_string())
}
