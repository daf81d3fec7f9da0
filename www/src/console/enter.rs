//! Links that let somebody in: the first administrator, who was invited, who is locked out, and who tries the demo.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use beaconry_model::names::Name;
use beaconry_model::section::Origin;
use beaconry_store::{Link, Person, Purpose, StoreError, email};

use super::draft::Errors;
use super::login::{let_in, with_cookie};
use super::who::here;
use super::{State as Console, failed, problem, section};
use crate::access::password::acceptable;
use crate::page::{go_to, page_with};

#[derive(Template)]
#[template(path = "console/enter.html")]
struct Page {
    /// What the form is sent to.
    action: String,
    purpose: Purpose,
    given: Given,
    /// Whether it is also asked where events come from, because nothing says so yet.
    asks_site: bool,
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
#[derive(Default, Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    email: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    /// The web site that events come from, and the template of the first one.
    #[serde(default)]
    origins: String,
    #[serde(default)]
    template: String,
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
    form(&state, &token, link, Given::default(), Errors::default())
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
    let asks_site = asks_site(&state, &link.purpose);
    let checked = match check(&link.purpose, &given, asks_site) {
        Ok(checked) => checked,
        Err(errors) => return form(&state, &token, link, given, errors),
    };
    let Ok(password) = state.passwords.hash(given.password.clone()).await else {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "Many people are logging in just now. Try again in a few seconds.",
        );
    };
    let people = &state.console.people;
    let now = state.console.store.clock().now();
    match people.use_link(&token, &checked.email, &checked.name, &password, now) {
        Ok(Some(person)) => {
            let to = begin(&state, &person, checked.site, &given.template);
            match let_in(&state, &headers, person.number) {
                Ok(cookie) => with_cookie(go_to(&to), cookie),
                Err(error) => failed(&error),
            }
        }
        // Somebody else used it while this password was hashed.
        Ok(None) => no_longer_good(),
        Err(StoreError::Refused(refusal)) => {
            let errors = Errors::one("email", &refusal.to_string());
            form(&state, &token, link, given, errors)
        }
        Err(error) => failed(&error),
    }
}

fn good(state: &Console, token: &str) -> Result<Option<Link>, StoreError> {
    state.console.people.link(token, state.console.store.clock().now())
}

/// Whether the first who comes in is asked where events come from: not where the command line said so already.
fn asks_site(state: &Console, purpose: &Purpose) -> bool {
    *purpose == Purpose::First && state.console.store.snapshot().sections().is_empty()
}

/// Makes the section of the site that was named, and gives where to go on. Who came in is in, whatever becomes of this:
/// the first page asks for it again.
fn begin(
    state: &Console,
    person: &Person,
    site: Option<(Name, Vec<Origin>)>,
    template: &str,
) -> String {
    let made = site.map(|(name, origins)| section::add(state, &person.email, name, origins, false));
    match made {
        Some(Ok(section)) => section::first_event(&section, template),
        Some(Err(error)) => {
            tracing::error!(%error, "the first section could not be made");
            "/".to_owned()
        }
        None => "/".to_owned(),
    }
}

struct Checked {
    email: String,
    name: Name,
    /// The section to be made.
    site: Option<(Name, Vec<Origin>)>,
}

/// What was typed, or what is wrong with it. What the link says itself is not asked for.
fn check(purpose: &Purpose, given: &Given, asks_site: bool) -> Result<Checked, Errors> {
    let mut errors = Errors::default();
    let (address, name) = match purpose {
        Purpose::First => (given.email.as_str(), given.name.clone()),
        Purpose::Invitation { email, .. } => (email.as_str(), given.name.clone()),
        Purpose::Reset(person) | Purpose::Demo(person) => {
            (person.email.as_str(), person.name.clone())
        }
    };
    let address = errors.note("email", email(address));
    let about = address.as_deref().unwrap_or_default();
    // Who says no name is called by their address until they say one.
    let before_at = about.split('@').next().unwrap_or_default();
    let name = if name.trim().is_empty() { before_at.to_owned() } else { name };
    let name = errors.note("name", Name::try_from(name));
    errors.note("password", acceptable(&given.password, about));
    let site = if asks_site { check_site(given, &mut errors) } else { None };
    match (address, name) {
        (Some(email), Some(name)) if errors.is_empty() => Ok(Checked { email, name, site }),
        _ => Err(errors),
    }
}

/// The section of the web site that was named. An event to begin with needs one.
fn check_site(given: &Given, errors: &mut Errors) -> Option<(Name, Vec<Origin>)> {
    let origins = errors.note("origins", section::origins(&given.origins))?;
    if origins.is_empty() {
        if !given.template.is_empty() {
            errors.put("origins", "Say which web site sends this event; it can be changed later");
        }
        return None;
    }
    let name = errors.note("origins", section::name("", Some(&origins)))?;
    Some((name, origins))
}

fn form(state: &Console, token: &str, link: Link, given: Given, errors: Errors) -> Response {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let email = match &link.purpose {
        Purpose::First => given.email,
        Purpose::Invitation { email, .. } => email.clone(),
        Purpose::Reset(person) | Purpose::Demo(person) => person.email.clone(),
    };
    let (action, asks_site) = (format!("/enter/{token}"), asks_site(state, &link.purpose));
    let given = Given { email, ..given };
    page_with(status, &Page { action, purpose: link.purpose, given, asks_site, errors })
}

fn no_longer_good() -> Response {
    let why = "This link was used already, or its time is over. Ask who sent it for a new one; the link for the first \
               administrator is printed anew at each start of the server.";
    problem(StatusCode::GONE, why)
}
