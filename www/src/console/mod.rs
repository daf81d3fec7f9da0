//! The console: events and their tracking, the code to paste, and what arrives.

mod account;
mod audience;
mod capture;
mod capture_draft;
mod chart;
mod create;
pub(crate) mod data;
mod day;
mod draft;
mod edit;
mod enter;
mod event;
mod health;
mod hide;
mod keys;
mod live;
mod login;
mod origins;
mod overview;
mod pick;
mod profiles;
mod quarantine;
mod replay;
mod routes;
mod section;
mod segments;
mod settings;
mod share;
mod status;
mod told;
mod tracking;
mod versions;
#[cfg(test)]
mod walk;
mod webhooks;
mod who;
mod why;
mod words;
mod work;
mod wrong;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::Response;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio::sync::watch;

use beaconry_store::{People, Role, Store};
use beaconry_traffic::Networks;

use crate::access::{Attempts, Passwords, Site, guard, read_cookie};
use crate::api::{self, Api};
use crate::page::file;
use crate::snippet::Snippets;
use routes::Routes;
use who::Who;
use wrong::failed;
pub(crate) use wrong::problem;

/// What the console works on.
#[derive(Clone)]
pub struct Console {
    /// Where everything is.
    pub store: Arc<Store>,
    /// Who may come in.
    pub people: Arc<People>,
    /// Where people reach it.
    pub site: Site,
    /// Who may say for whom it asks.
    pub proxies: Networks,
    /// Makes the code to paste.
    pub snippets: Snippets,
    /// Answers machines, on the same address.
    pub api: Api,
}

/// What every handler gets.
#[derive(Clone)]
struct State {
    console: Console,
    passwords: Passwords,
    attempts: Arc<Attempts>,
    /// Says when to end what would go on for ever.
    stopped: watch::Receiver<bool>,
    /// Replays under way.
    replays: Arc<work::Works<replay::Replayed>>,
    /// Downloads under way.
    exports: Arc<work::Works<()>>,
    /// Counts who is in segments.
    counting: Arc<segments::count::Counting>,
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
    let (passwords, attempts) = (Passwords::default(), Arc::default());
    let (replays, exports, counting) = (Arc::default(), Arc::default(), Arc::default());
    let state = State { console, passwords, attempts, stopped, replays, exports, counting };
    let service = router(state).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        let _ = ended.wait_for(|ended| *ended).await;
    });
    if let Err(error) = serving.await {
        tracing::error!(%error, "the console stopped");
    }
}

/// Every route, by who may come in: each role may also what is listed above it.
fn routes() -> Routes {
    Routes::new()
        .open()
        .get("/login", login::show)
        .post("/login", login::send)
        .get("/enter/{token}", enter::show)
        .post("/enter/{token}", enter::send)
        .get("/share/{token}", share::show)
        .get("/static/console.css", async || {
            file("text/css", include_str!("../../static/console.css"))
        })
        .get("/static/reports.css", async || {
            file("text/css", include_str!("../../static/reports.css"))
        })
        .get("/static/people.css", async || {
            file("text/css", include_str!("../../static/people.css"))
        })
        .get("/static/reports.js", async || {
            file("text/javascript", include_str!("../../static/reports.js"))
        })
        .get("/static/console.js", async || {
            file("text/javascript", include_str!("../../static/console.js"))
        })
        .get("/static/icon.svg", async || {
            file("image/svg+xml", include_str!("../../static/icon.svg"))
        })
        .get("/static/htmx.js", async || {
            file("text/javascript", include_str!("../../static/htmx-4.0.1.min.js"))
        })
        .role(Role::Viewer)
        .get("/", overview::show)
        .get("/events/{event}", event::show)
        .get("/events/{event}/versions", versions::show)
        .get("/events/{event}/capture", capture::show)
        .get("/events/{event}/tracking", tracking::show)
        .get("/events/{event}/tracking/status", status::stream)
        .get("/sections/{section}/health", health::of_section)
        .get("/events/{event}/health", health::show)
        .get("/events/{event}/why", why::show)
        .get("/events/{event}/data", data::show)
        .get("/events/{event}/data/{place}", data::open)
        .get("/events/{event}/data/csv", data::export::csv)
        .get("/events/{event}/data/parquet", data::export::parquet)
        .get("/events/{event}/data/downloads/{download}", data::export::progress)
        .post("/events/{event}/data/downloads/{download}/cancel", data::export::cancel)
        .get("/quarantine", quarantine::show)
        .get("/quarantine/{number}", quarantine::open)
        .get("/quarantine/replays/{replay}", replay::show)
        .get("/live", live::show)
        .get("/live/stream", live::stream)
        .get("/profiles", profiles::show)
        .post("/profiles", profiles::find)
        .get("/profiles/{profile}", profiles::show::show)
        .get("/segments", segments::show)
        .get("/segments/{segment}", segments::edit::show)
        .get("/segments/{segment}/count", segments::counted)
        .get("/segments/{segment}/review", segments::reviewed)
        .get("/segments/{segment}/members", segments::members::show)
        .get("/account", account::show)
        .post("/account/name", account::rename)
        .post("/account/password", account::set_password)
        .post("/logout", login::out)
        .post("/logout/everywhere", login::out_everywhere)
        .role(Role::Marketer)
        .get("/sections/{section}/new", create::choose)
        .get("/sections/{section}/new/{folder}", create::start)
        .post("/sections/{section}/new/{folder}", create::send)
        .post("/sections/{section}/new/{folder}/check", create::check)
        .get("/events/{event}/edit", edit::show)
        .post("/events/{event}/edit", edit::send)
        .post("/events/{event}/edit/check", edit::check)
        .get("/events/{event}/hide", hide::show)
        .post("/events/{event}/hide", hide::send)
        .post("/events/{event}/capture", capture::send)
        .post("/events/{event}/capture/check", capture::check)
        .post("/events/{event}/pick", pick::open)
        .get("/events/{event}/picks/{form}", pick::picks)
        .get("/static/pick.js", async || {
            file("text/javascript", include_str!("../../static/pick.js"))
        })
        .get("/segments/new/{section}", segments::edit::new)
        .post("/segments/new/{section}", segments::edit::create)
        .post("/segments/new/{section}/check", segments::edit::check_new)
        .post("/segments/{segment}", segments::edit::change)
        .post("/segments/{segment}/check", segments::edit::check)
        .get("/segments/{segment}/delete", segments::delete::show)
        .post("/segments/{segment}/delete", segments::delete::send)
        .get("/segments/{segment}/csv", segments::members::csv)
        .get("/segments/{segment}/downloads/{download}", data::export::progress)
        .post("/segments/{segment}/downloads/{download}/cancel", data::export::cancel)
        .post("/quarantine/replays", replay::rehearse)
        .post("/quarantine/replays/{replay}/replay", replay::replay)
        .post("/quarantine/replays/{replay}/cancel", replay::cancel)
        .post("/events/{event}/tracking/enable", tracking::enable)
        .post("/events/{event}/tracking/disable", tracking::disable)
        .post("/events/{event}/tracking/regenerate", tracking::regenerate)
        .post("/events/{event}/tracking/stale", tracking::stale)
        .post("/events/{event}/tracking/unschedule", tracking::unschedule)
        .post("/events/{event}/tracking/origin", origins::allow)
        .post("/events/{event}/tracking/share", share::create)
        .post("/events/{event}/tracking/share/{share}/end", share::end)
        .role(Role::Administrator)
        .get("/settings", settings::show)
        .get("/profiles/{profile}/export", profiles::show::export)
        .get("/profiles/{profile}/erase", profiles::erase::show)
        .post("/profiles/{profile}/erase", profiles::erase::send)
        .get("/settings/people", settings::people::show)
        .post("/settings/people/invite", settings::people::invite)
        .post("/settings/people/{person}/role", settings::people::change_role)
        .post("/settings/people/{person}/remove", settings::people::remove)
        .post("/settings/people/invitations/{invitation}/withdraw", settings::people::withdraw)
        .get("/settings/keys", keys::show)
        .post("/settings/keys", keys::create)
        .post("/settings/keys/{key}/revoke", keys::revoke)
        .post("/settings/tokens", keys::create_token)
        .post("/settings/tokens/{token}/revoke", keys::revoke_token)
        .get("/settings/webhooks", webhooks::show)
        .post("/settings/webhooks", webhooks::create)
        .get("/settings/webhooks/{hook}", webhooks::open)
        .post("/settings/webhooks/{hook}/delete", webhooks::delete)
        .post("/settings/webhooks/{hook}/resend", webhooks::resend_all)
        .post("/settings/webhooks/{hook}/dead/{number}/resend", webhooks::resend_one)
        .get("/settings/audit", settings::audit::show)
        .get("/settings/storage", settings::storage::show)
        .post("/sections", section::create)
        .get("/sections/new", section::new)
        .get("/sections/{section}", section::show)
        .post("/sections/{section}", section::change)
        .post("/sections/{section}/attributes", audience::add_attribute)
        .post("/sections/{section}/consent-lists", audience::add_list)
        .post("/sections/{section}/consent-lists/{list}/topics", audience::add_topic)
        .post("/sections/{section}/secret", audience::make_secret)
}

fn router(state: State) -> Router {
    // Beside the console: bearer tokens instead of sessions, and no forms.
    let api = api::router(&state.console.api);
    routes()
        .router()
        .layer(middleware::map_response(wrong::as_page))
        .layer(middleware::from_fn_with_state(state.clone(), identify))
        .layer(middleware::from_fn_with_state(state.console.site.clone(), guard))
        .with_state(state)
        .merge(api)
}

/// Finds out who asks, by the session's cookie.
async fn identify(
    axum::extract::State(state): axum::extract::State<State>,
    mut request: Request,
    next: Next,
) -> Response {
    let now = state.console.store.clock().now();
    let token = read_cookie(&state.console.site, request.headers()).unwrap_or_default().to_owned();
    let who = match state.console.people.session(&token, now) {
        Ok(person) => person.map(|person| Who { person }),
        Err(error) => return failed(&error),
    };
    if let Some(who) = &who {
        request.extensions_mut().insert(who.clone());
    }
    let answer = Who::answer(who, next.run(request)).await;
    let stream =
        answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == EVENT_STREAM);
    if stream { until_session_ends(answer, state, token) } else { answer }
}

/// What server-sent events come as.
const EVENT_STREAM: &str = "text/event-stream";
/// How often a stream looks whether its session is still there.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Ends a stream, which else went on for ever, soon after its session.
fn until_session_ends(answer: Response, state: State, token: String) -> Response {
    let ended = async move {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let now = state.console.store.clock().now();
            if !matches!(state.console.people.is_in(&token, now), Ok(true)) {
                return;
            }
        }
    };
    answer.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(ended))))
}
