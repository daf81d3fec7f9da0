//! One's own account: name, password, and where one is logged in.

use std::net::SocketAddr;
use std::time::Instant;

use askama::Template;
use axum::Form;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use beaconry_model::names::Name;
use beaconry_store::{Role, StoreError};

use super::draft::{Errors, Pairs, value};
use super::login::{asker, let_in, with_cookie};
use super::who::Who;
use super::{State as Console, failed};
use crate::access::password::acceptable;
use crate::page::{go_to, page_with};
use beaconry_traffic::Prefix;

#[derive(Template)]
#[template(path = "console/account.html")]
struct Page {
    email: String,
    name: String,
    role: Role,
    has_password: bool,
    sessions: u64,
    errors: Errors,
}

pub(super) async fn show(State(state): State<Console>, who: Who) -> Response {
    answer(&state, &who, Errors::default())
}

pub(super) async fn rename(
    State(state): State<Console>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let now = state.console.store.clock().now();
    let renamed = Name::try_from(value(&pairs, "name").to_owned())
        .map_err(StoreError::from)
        .and_then(|name| state.console.people.rename(who.person.number, &name, who.name(), now));
    match renamed {
        Ok(()) => go_to("/account"),
        Err(StoreError::Refused(refusal)) => {
            answer(&state, &who, Errors::one("name", &refusal.to_string()))
        }
        Err(error) => failed(&error),
    }
}

/// Sets another password, where the one that is in force was given; whoever else is in as this person is out.
pub(super) async fn set_password(
    State(state): State<Console>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let new = value(&pairs, "password");
    let mut errors = Errors::default();
    errors.note("password", acceptable(new, who.name()));
    if new != value(&pairs, "again") {
        errors.put("again", "the two passwords differ; type the same one twice");
    }
    if errors.is_empty() {
        let from = asker(&state.console.proxies, peer.ip(), &headers);
        match is_own(&state, &who, from, value(&pairs, "current")).await {
            Ok(None) => {}
            Ok(Some(why)) => errors.put("current", &why),
            Err(error) => return failed(&error),
        }
    }
    if !errors.is_empty() {
        return answer(&state, &who, errors);
    }
    let Ok(hashed) = state.passwords.hash(new.to_owned()).await else {
        return answer(&state, &who, Errors::one("password", "try again in a few seconds"));
    };
    let (people, now) = (&state.console.people, state.console.store.clock().now());
    let set = people
        .set_password(who.person.number, &hashed, who.name(), now)
        .and_then(|()| let_in(&state, &headers, who.person.number));
    match set {
        Ok(cookie) => with_cookie(go_to("/account"), cookie),
        Err(error) => failed(&error),
    }
}

/// Whether this is the person's password, counted like a log-in; else what is wrong. Who has none needs none.
async fn is_own(
    state: &Console,
    who: &Who,
    from: Prefix,
    given: &str,
) -> Result<Option<String>, StoreError> {
    let Some((_, kept)) = state.console.people.password(who.name())? else { return Ok(None) };
    if let Err(wait) = state.attempts.take(who.name(), from, Instant::now()) {
        return Ok(Some(format!("too many attempts; try again in {} seconds", wait.as_secs() + 1)));
    }
    match state.passwords.is(given.to_owned(), Some(kept)).await {
        Ok(true) => {
            state.attempts.give_back(who.name(), from);
            Ok(None)
        }
        Ok(false) => {
            let now = state.console.store.clock().now();
            state.console.people.note_failed(Some(&who.person), now)?;
            Ok(Some("this is not your password; type the one you logged in with".to_owned()))
        }
        Err(_) => Ok(Some("try again in a few seconds".to_owned())),
    }
}

fn answer(state: &Console, who: &Who, errors: Errors) -> Response {
    let now = state.console.store.clock().now();
    let sessions = match state.console.people.sessions(who.person.number, now) {
        Ok(sessions) => sessions,
        Err(error) => return failed(&error),
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let person = &who.person;
    let page = Page {
        email: person.email.clone(),
        name: person.name.clone(),
        role: person.role,
        has_password: person.has_password,
        sessions,
        errors,
    };
    page_with(status, &page)
}
