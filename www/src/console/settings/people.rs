//! People and what they may do: invite, change a role, take somebody out.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use beaconry_model::error::{Invalid, Refusal};
use beaconry_store::{Invitation, Person, PersonNo, Role, StoreError};

use super::super::draft::{Errors, Pairs, value};
use super::super::who::Who;
use super::super::{State as Console, failed};
use crate::page::{go_to, page_with};

#[derive(Template)]
#[template(path = "console/people.html")]
struct Page {
    people: Vec<Person>,
    invitations: Vec<Invitation>,
    /// Who looks at the page.
    own: PersonNo,
    /// What was typed into the form.
    email: String,
    role: String,
    shown: Shown,
}

/// What the page shows besides who there is.
#[derive(Default)]
struct Shown {
    /// An invitation that was just made, shown this once.
    link: Option<String>,
    /// What was just done.
    done: Option<&'static str>,
    errors: Errors,
}

/// What was just done, as the address says it: a word, so that an address cannot make the page say anything else.
const DONE: [(&str, &str); 3] = [
    ("role", "The role is changed; it holds from their next click on."),
    ("removed", "They are removed, and logged out everywhere."),
    ("withdrawn", "The invitation is withdrawn; its link lets nobody in."),
];

impl Page {
    fn roles(&self) -> [Role; 3] {
        Role::ALL
    }
}

pub(in super::super) async fn show(
    State(state): State<Console>,
    Query(query): Query<Pairs>,
    who: Who,
) -> Response {
    let done = DONE.iter().find(|(word, _)| *word == value(&query, "done"));
    let shown = Shown { done: done.map(|(_, words)| *words), ..Shown::default() };
    answer(&state, &who, &Pairs::new(), shown)
}

pub(in super::super) async fn invite(
    State(state): State<Console>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let people = &state.console.people;
    let now = state.console.store.clock().now();
    let invited = role(&pairs).and_then(|role| {
        let token = people.invite(value(&pairs, "email"), role, who.name(), now)?;
        Ok(format!("{}/enter/{}", state.console.site.url(), token.as_str()))
    });
    match invited {
        Ok(link) => {
            let shown = Shown { link: Some(link), ..Shown::default() };
            answer(&state, &who, &Pairs::new(), shown)
        }
        Err(StoreError::Refused(refusal)) => {
            let slot = if refusal.to_string().starts_with("role") { "role" } else { "email" };
            answer(&state, &who, &pairs, Shown::wrong(slot, &refusal))
        }
        Err(error) => failed(&error),
    }
}

pub(in super::super) async fn change_role(
    State(state): State<Console>,
    Path(person): Path<String>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let now = state.console.store.clock().now();
    let changed = role(&pairs)
        .and_then(|role| state.console.people.change_role(number(&person)?, role, who.name(), now));
    done(&state, &who, changed, "role")
}

pub(in super::super) async fn remove(
    State(state): State<Console>,
    Path(person): Path<String>,
    who: Who,
) -> Response {
    let now = state.console.store.clock().now();
    let removed =
        number(&person).and_then(|person| state.console.people.remove(person, who.name(), now));
    done(&state, &who, removed, "removed")
}

pub(in super::super) async fn withdraw(
    State(state): State<Console>,
    Path(invitation): Path<i64>,
    who: Who,
) -> Response {
    let now = state.console.store.clock().now();
    let withdrawn = state.console.people.withdraw(invitation, who.name(), now);
    done(&state, &who, withdrawn, "withdrawn")
}

fn role(pairs: &Pairs) -> Result<Role, StoreError> {
    let word = value(pairs, "role");
    let choose = || Invalid::new("role", "one of the three", format!("{word:?}"));
    Role::from_word(word).ok_or_else(choose).map_err(StoreError::from)
}

fn number(text: &str) -> Result<PersonNo, StoreError> {
    let unknown = || StoreError::NotFound { what: "user", name: text.to_owned() };
    PersonNo::parse(text).ok_or_else(unknown)
}

/// `word` is one of [`DONE`].
fn done(state: &Console, who: &Who, done: Result<(), StoreError>, word: &str) -> Response {
    match done {
        Ok(()) => go_to(&format!("/settings/people?done={word}")),
        Err(StoreError::Refused(refusal @ Refusal::Invalid(_))) => {
            answer(state, who, &Pairs::new(), Shown::wrong("people", &refusal))
        }
        Err(error) => failed(&error),
    }
}

impl Shown {
    fn wrong(slot: &'static str, refusal: &Refusal) -> Shown {
        Shown { errors: Errors::one(slot, &refusal.to_string()), ..Shown::default() }
    }
}

fn answer(state: &Console, who: &Who, typed: &Pairs, shown: Shown) -> Response {
    let people = &state.console.people;
    let now = state.console.store.clock().now();
    let lists = people.list().and_then(|list| Ok((list, people.invitations(now)?)));
    let (people, invitations) = match lists {
        Ok(lists) => lists,
        Err(error) => return failed(&error),
    };
    let status =
        if shown.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = Page {
        people,
        invitations,
        own: who.person.number,
        email: value(typed, "email").to_owned(),
        role: value(typed, "role").to_owned(),
        shown,
    };
    page_with(status, &page)
}
