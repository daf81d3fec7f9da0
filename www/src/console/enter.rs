//! Links that let somebody in: the first administrator, who was invited, who is locked out, and who tries the demo.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use beaconry_model::names::Name;
use beaconry_store::{Link, Purpose, StoreError, email};

use super::draft::Errors;
use super::login::{let_in, with_cookie};
use super::who::here;
use super::{State as Console, failed, problem};
use crate::access::password::acceptable;
use crate::page::{go_to, page_with};

#[derive(Template)]
#[template(path = "console/enter.html")]
struct Page {
    /// What the form is sent to.
    action: String,
    purpose: Purpose,
    email: String,
    name: String,
    errors: Errors,
}

impl Page {
    fn button(&self) -> &'static str {
        match self.purpose {
            Purpose::First => "Make the first administrator",
            Purpose::Invitation { .. } => "Come in",
            Purpose::Reset(_) | Purpose::Demo(_) => "Set the password and log in",
        }
    }
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    email: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

pub(super) async fn show(
    State(state): State<Console>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let link = match good(&state, &token) {
        Ok(Some(link)) => link,
        Ok(None) => return no_longer_good(),
        Err(error) => return failed(&error),
    };
    if let Purpose::Demo(person) = &link.purpose {
        // Already in: the click changes nothing.
        if here().is_some_and(|who| who.person.number == person.number) {
            return go_to("/");
        }
        return match let_in(&state, &headers, person.number) {
            Ok(cookie) => with_cookie(go_to("/"), cookie),
            Err(error) => failed(&error),
        };
    }
    form(&token, link, String::new(), String::new(), Errors::default())
}

pub(super) async fn send(
    State(state): State<Console>,
    Path(token): Path<String>,
    headers: HeaderMap,
    Form(given): Form<Given>,
) -> Response {
    let link = match good(&state, &token) {
        Ok(Some(link)) if !matches!(link.purpose, Purpose::Demo(_)) => link,
        Ok(_) => return no_longer_good(),
        Err(error) => return failed(&error),
    };
    let checked = match check(&link.purpose, &given) {
        Ok(checked) => checked,
        Err(errors) => return form(&token, link, given.email, given.name, errors),
    };
    let Ok(password) = state.passwords.hash(given.password).await else {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "Many people are logging in just now. Try again in a few seconds.",
        );
    };
    let people = &state.console.people;
    let now = state.console.store.clock().now();
    match people.use_link(&token, &checked.email, &checked.name, &password, now) {
        Ok(Some(person)) => match let_in(&state, &headers, person.number) {
            Ok(cookie) => with_cookie(go_to("/"), cookie),
            Err(error) => failed(&error),
        },
        // Somebody else used it while this password was hashed.
        Ok(None) => no_longer_good(),
        Err(StoreError::Refused(refusal)) => {
            let errors = Errors::one("email", &refusal.to_string());
            form(&token, link, given.email, given.name, errors)
        }
        Err(error) => failed(&error),
    }
}

fn good(state: &Console, token: &str) -> Result<Option<Link>, StoreError> {
    state.console.people.link(token, state.console.store.clock().now())
}

struct Checked {
    email: String,
    name: Name,
}

/// What was typed, or what is wrong with it. What the link says itself is not asked for.
fn check(purpose: &Purpose, given: &Given) -> Result<Checked, Errors> {
    let mut errors = Errors::default();
    let (address, name) = match purpose {
        Purpose::First => (given.email.as_str(), given.name.clone()),
        Purpose::Invitation { email, .. } => (email.as_str(), given.name.clone()),
        Purpose::Reset(person) | Purpose::Demo(person) => {
            (person.email.as_str(), person.name.clone())
        }
    };
    let address = errors.note("email", email(address));
    let name = errors.note("name", Name::try_from(name));
    let about = address.as_deref().unwrap_or_default();
    errors.note("password", acceptable(&given.password, about));
    if given.password != given.again {
        errors.put("again", "the two passwords differ; type the same one twice");
    }
    match (address, name) {
        (Some(email), Some(name)) if errors.is_empty() => Ok(Checked { email, name }),
        _ => Err(errors),
    }
}

fn form(token: &str, link: Link, email: String, name: String, errors: Errors) -> Response {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let email = match &link.purpose {
        Purpose::First => email,
        Purpose::Invitation { email, .. } => email.clone(),
        Purpose::Reset(person) | Purpose::Demo(person) => person.email.clone(),
    };
    let action = format!("/enter/{token}");
    page_with(status, &Page { action, purpose: link.purpose, email, name, errors })
}

fn no_longer_good() -> Response {
    let why = "This link was used already, or its time is over. Ask who sent it for a new one; the link for the first \
               administrator is printed anew at each start of the server.";
    problem(StatusCode::GONE, why)
}
