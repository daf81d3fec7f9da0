//! Routes, each with who may come in by it: an answer is given in this one place, before any handler runs.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};

use beaconry_store::Role;

use super::who::Who;
use super::{State, problem};
use crate::page::go_to;

/// Who may come in by a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Anybody, without a session.
    Nothing,
    /// A session of somebody who may at least this.
    Role(Role),
}

/// The console's routes. Those that are added before any role is named need an administrator.
pub(super) struct Routes {
    needs: Needs,
    router: Router<State>,
    /// Kept so that a test can walk them all.
    listed: Vec<(Method, &'static str, Needs)>,
}

impl Routes {
    pub(super) fn new() -> Routes {
        let needs = Needs::Role(Role::Administrator);
        Routes { needs, router: Router::new(), listed: Vec::new() }
    }

    /// The routes that follow are for everybody, without a session.
    pub(super) fn open(self) -> Routes {
        Routes { needs: Needs::Nothing, ..self }
    }

    /// The routes that follow are for sessions of this role, and of those who may more.
    pub(super) fn role(self, role: Role) -> Routes {
        Routes { needs: Needs::Role(role), ..self }
    }

    pub(super) fn get<T: 'static>(
        self,
        path: &'static str,
        handler: impl Handler<T, State>,
    ) -> Routes {
        self.add(Method::GET, path, get(handler))
    }

    pub(super) fn post<T: 'static>(
        self,
        path: &'static str,
        handler: impl Handler<T, State>,
    ) -> Routes {
        self.add(Method::POST, path, post(handler))
    }

    fn add(mut self, method: Method, path: &'static str, handler: MethodRouter<State>) -> Routes {
        let needs = self.needs;
        let gate = middleware::from_fn(move |request, next| enter(needs, request, next));
        self.router = self.router.route(path, handler.route_layer(gate));
        self.listed.push((method, path, needs));
        self
    }

    /// Every route with its method and who may come in.
    #[cfg(test)]
    pub(super) fn listed(&self) -> &[(Method, &'static str, Needs)] {
        &self.listed
    }

    /// The router; what is at no route needs a session to hear so.
    pub(super) fn router(self) -> Router<State> {
        let gate =
            middleware::from_fn(|request, next| enter(Needs::Role(Role::Viewer), request, next));
        let nothing_here = async || {
            problem(StatusCode::NOT_FOUND, "There is no such page. Start from the events.")
        };
        self.router.fallback_service(Router::<()>::new().fallback(nothing_here).layer(gate))
    }
}

/// Lets a request on to its handler, or says what is missing.
async fn enter(needs: Needs, request: Request, next: Next) -> Response {
    let Needs::Role(role) = needs else { return next.run(request).await };
    match request.extensions().get::<Who>() {
        None => log_in_first(&request),
        Some(who) if !who.may(role) => forbidden(who.person.role, role),
        Some(_) => next.run(request).await,
    }
}

fn forbidden(has: Role, needs: Role) -> Response {
    let why = format!(
        "This needs the role {}; yours is {}. Ask an administrator to do it, or for the role.",
        needs.label(),
        has.label()
    );
    problem(StatusCode::FORBIDDEN, &why)
}

/// Sends people to the log-in and back to their page; what scripts ask for is answered with the status alone.
fn log_in_first(request: &Request) -> Response {
    let headers = request.headers();
    let here = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if text(headers, "hx-request").is_some() {
        // The page goes to the log-in as a whole, not the part that was to be swapped.
        let page = text(headers, "hx-current-url").and_then(path_of).unwrap_or("/");
        let to =
            HeaderValue::from_str(&to_login(page)).unwrap_or(HeaderValue::from_static("/login"));
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", to)]).into_response();
    }
    let for_people = text(headers, header::ACCEPT.as_str()).is_none_or(|kinds| {
        kinds.split(',').any(|kind| kind.starts_with("text/html") || kind.starts_with("*/*"))
    });
    match *request.method() {
        Method::GET | Method::HEAD if for_people => go_to(&to_login(here)),
        Method::GET | Method::HEAD => StatusCode::UNAUTHORIZED.into_response(),
        _ => problem(
            StatusCode::UNAUTHORIZED,
            "Your session has ended, and nothing was changed. Log in, and do it again.",
        ),
    }
}

fn to_login(page: &str) -> String {
    if page == "/" {
        return "/login".to_owned();
    }
    let mut next = String::new();
    for byte in page.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                next.push(char::from(byte));
            }
            _ => next += &format!("%{byte:02X}"),
        }
    }
    format!("/login?next={next}")
}

/// The path and query of an address.
fn path_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.find('/').map(|at| &rest[at..])
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
