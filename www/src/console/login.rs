//! Logging in with a password, and out again.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use askama::Template;
use axum::Form;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use beaconry_store::{PersonNo, StoreError, Token};
use beaconry_traffic::{Networks, Prefix};

use super::who::{Who, here};
use super::{State as Console, failed};
use crate::access::{cookie, read_cookie, removed_cookie};
use crate::page::{go_to, page, page_with};

#[derive(Template)]
#[template(path = "console/login.html")]
struct Page {
    email: String,
    next: String,
    problem: Option<String>,
    /// Whether nobody can log in yet.
    first: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

pub(super) async fn show(State(state): State<Console>, Query(query): Query<Next>) -> Response {
    if here().is_some() {
        return go_to(inside(&query.next));
    }
    match state.console.people.has_administrator() {
        Ok(has) => page(&Page {
            email: String::new(),
            next: inside(&query.next).to_owned(),
            problem: None,
            first: !has,
        }),
        Err(error) => failed(&error),
    }
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn send(
    State(state): State<Console>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(given): Form<Given>,
) -> Response {
    let from = asker(&state.console.proxies, peer.ip(), &headers);
    match log_in(&state, from, &given).await {
        Ok(person) => match let_in(&state, &headers, person) {
            Ok(cookie) => with_cookie(go_to(inside(&given.next)), cookie),
            Err(error) => failed(&error),
        },
        Err(refused) => refused.answer(given),
    }
}

/// Why somebody is not let in.
enum Refused {
    Wrong,
    Wait(Duration),
    Busy,
    Failed(StoreError),
}

impl Refused {
    fn answer(self, given: Given) -> Response {
        // One sentence for an unknown account and for a wrong password, so that nobody learns who is here.
        let (status, problem, wait) = match self {
            Refused::Failed(error) => return failed(&error),
            Refused::Wrong => (
                StatusCode::FORBIDDEN,
                "This address and password do not go together.".to_owned(),
                None,
            ),
            Refused::Wait(wait) => {
                let seconds = wait.as_secs() + 1;
                let why = format!("Too many attempts. Try again in {seconds} seconds.");
                (StatusCode::TOO_MANY_REQUESTS, why, Some(seconds))
            }
            Refused::Busy => {
                let why = "Many people are logging in just now. Try again in a few seconds.";
                (StatusCode::SERVICE_UNAVAILABLE, why.to_owned(), Some(3))
            }
        };
        let next = inside(&given.next).to_owned();
        let again = Page { email: given.email, next, problem: Some(problem), first: false };
        let mut answer = page_with(status, &again);
        if let Some(seconds) = wait {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

async fn log_in(state: &Console, from: Prefix, given: &Given) -> Result<PersonNo, Refused> {
    let people = &state.console.people;
    let email = given.email.trim().to_lowercase();
    state.attempts.take(&email, from, Instant::now()).map_err(Refused::Wait)?;
    let (person, kept) = people.password(&email).map_err(Refused::Failed)?.unzip();
    let right = state.passwords.is(given.password.clone(), kept).await;
    let now = state.console.store.clock().now();
    match (right, person) {
        (Ok(true), Some(person)) => {
            state.attempts.give_back(&email, from);
            Ok(person.number)
        }
        (Ok(_), person) => {
            people.note_failed(person.as_ref(), now).map_err(Refused::Failed)?;
            Err(Refused::Wrong)
        }
        (Err(_), _) => Err(Refused::Busy),
    }
}

/// Starts a session of its own for whoever proved who they are, and ends the one that their browser had. So a session
/// that somebody else put there is worth nothing.
pub(super) fn let_in(
    state: &Console,
    headers: &HeaderMap,
    person: PersonNo,
) -> Result<HeaderValue, StoreError> {
    let people = &state.console.people;
    let now = state.console.store.clock().now();
    if let (Some(old), Some(who)) = (read_cookie(&state.console.site, headers), here()) {
        people.end_session(old, &who.person, now)?;
    }
    let token: Token = people.start_session(person, now)?;
    Ok(cookie(&state.console.site, &token))
}

pub(super) fn with_cookie(answer: Response, cookie: HeaderValue) -> Response {
    ([(header::SET_COOKIE, cookie)], answer).into_response()
}

pub(super) async fn out(State(state): State<Console>, headers: HeaderMap, who: Who) -> Response {
    let now = state.console.store.clock().now();
    let token = read_cookie(&state.console.site, &headers).unwrap_or_default();
    left(&state, state.console.people.end_session(token, &who.person, now))
}

pub(super) async fn out_everywhere(State(state): State<Console>, who: Who) -> Response {
    let now = state.console.store.clock().now();
    left(&state, state.console.people.end_sessions(&who.person, now))
}

fn left(state: &Console, ended: Result<(), StoreError>) -> Response {
    match ended {
        Ok(()) => with_cookie(go_to("/login"), removed_cookie(&state.console.site)),
        Err(error) => failed(&error),
    }
}

/// Where to go on after the log-in: a page of the console, whatever the address says.
pub(super) fn inside(next: &str) -> &str {
    // Browsers read a second slash or a backslash as the start of another host.
    let path = next.starts_with('/') && !next[1..].starts_with(['/', '\\']);
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if path && plain { next } else { "/" }
}

/// The network that asks. What a trusted proxy asks for nobody in particular is counted as its own.
pub(super) fn asker(proxies: &Networks, peer: IpAddr, headers: &HeaderMap) -> Prefix {
    Prefix::of(proxies.client(peer, headers).unwrap_or(peer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_on_stays_inside() {
        for next in ["/", "/events/x?a=b&c=%20", "/live"] {
            assert_eq!(inside(next), next);
        }
        let outside = [
            "",
            "evil.example",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/a\\b",
            "/\r\nLocation: x",
            "javascript:alert(1)",
            "/ü",
        ];
        for next in outside {
            assert_eq!(inside(next), "/", "{next:?}");
        }
    }
}
