//! Changing an event: its name and what it is for, what outside systems may do, and its fields, which makes a version.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use beaconry_model::changes::{Change, changes};
use beaconry_model::error::Refusal;
use beaconry_model::event::Event;
use beaconry_model::fields::Fields;
use beaconry_model::time::Timestamp;
use beaconry_model::value::Kind;
use beaconry_model::version::LOCK_MS;
use beaconry_store::{Known, StoreError};

use super::create::{Messages, messages};
use super::draft::{Ask, Draft, Errors, Pairs, value};
use super::event::find;
use super::who::Who;
use super::{State as Console, failed};
use crate::page::{go_to, page, page_with};

#[derive(Template)]
#[template(path = "console/edit.html")]
struct Edit {
    name: String,
    section: String,
    to: String,
    action: String,
    /// The version the form was opened on, so that nobody saves over what somebody else just saved.
    base: u32,
    locked_until: Option<Timestamp>,
    review: String,
    draft: Draft,
    errors: Errors,
}

impl Edit {
    fn kinds(&self) -> [Kind; 6] {
        Kind::ALL
    }
}

/// What saving would do.
#[derive(Template)]
#[template(path = "console/review.html")]
struct Review {
    changes: Vec<Change>,
    next: u32,
    current: u32,
    until: Timestamp,
    tracking: bool,
}

pub(super) async fn show(State(state): State<Console>, Path(event): Path<String>) -> Response {
    match find(&state, &event) {
        Ok(known) => {
            form(&state, &known, Draft::of(&known.event), Errors::default(), StatusCode::OK)
        }
        Err(error) => failed(&error),
    }
}

pub(super) async fn send(
    State(state): State<Console>,
    Path(event): Path<String>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let known = match find(&state, &event) {
        Ok(known) => known,
        Err(error) => return failed(&error),
    };
    let (mut draft, ask) = (read(&pairs, &known, now(&state)), Ask::of(&pairs));
    if ask != Ask::Save {
        draft.arrange(ask);
        let errors = draft.mistakes_so_far(false);
        return form(&state, &known, draft, errors, StatusCode::OK);
    }
    match save(&state, &who, &known, &draft, value(&pairs, "base")) {
        Ok(Ok(())) => go_to(&format!("/events/{}", known.event.discriminator())),
        Ok(Err(errors)) => form(&state, &known, draft, errors, StatusCode::UNPROCESSABLE_ENTITY),
        Err(error) => failed(&error),
    }
}

/// Says what is wrong, and what saving would do, while somebody types.
pub(super) async fn check(
    State(state): State<Console>,
    Path(event): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    match find(&state, &event) {
        Ok(known) => {
            let draft = read(&pairs, &known, now(&state));
            let errors = draft.mistakes_so_far(false);
            let review = Some(review(&known.event, &draft, now(&state)));
            page(&Messages { slots: messages(&draft, &errors), review })
        }
        Err(error) => failed(&error),
    }
}

fn now(state: &Console) -> Timestamp {
    state.console.store.clock().steady()
}

/// What the form sent. A locked event's form has no fields to send: they stay as they are.
fn read(pairs: &Pairs, known: &Known, now: Timestamp) -> Draft {
    let draft = Draft::read(pairs);
    match known.event.locked_until(now) {
        Some(_) => Draft { fields: Draft::of(&known.event).fields, ..draft },
        None => draft,
    }
}

fn form(
    state: &Console,
    known: &Known,
    draft: Draft,
    errors: Errors,
    status: StatusCode,
) -> Response {
    let (event, now) = (&known.event, now(state));
    let to = format!("/events/{}", event.discriminator());
    let edit = Edit {
        name: event.name().to_string(),
        section: known.section.name.to_string(),
        action: format!("{to}/edit"),
        to,
        base: event.versions().last().number,
        locked_until: event.locked_until(now),
        review: review(event, &draft, now),
        draft,
        errors,
    };
    page_with(status, &edit)
}

fn review(event: &Event, draft: &Draft, now: Timestamp) -> String {
    let Some(fields) = draft.checked_fields(&mut Errors::default()) else {
        return "<p class=\"quiet\">What saving does is shown here once no field has a mistake.</p>".to_owned();
    };
    let last = event.versions().last();
    let review = Review {
        changes: changes(&last.fields, &fields),
        next: last.number + 1,
        current: event.versions().current(now).number,
        until: now.plus(LOCK_MS),
        tracking: event.tracking().enabled(),
    };
    review.render().unwrap_or_default()
}

fn save(
    state: &Console,
    who: &Who,
    known: &Known,
    draft: &Draft,
    base: &str,
) -> Result<Result<(), Errors>, StoreError> {
    let mut errors = Errors::default();
    let name = draft.checked_name(&mut errors);
    let description = draft.checked_description(&mut errors);
    let fields = draft.checked_fields(&mut errors);
    let (Some(name), Some(description), Some(fields)) = (name, description, fields) else {
        return Ok(Err(errors));
    };
    let random = beaconry_store::bytes()
        .map_err(|error| StoreError::Folder { path: "random bytes".into(), error })?;
    let now = now(state);
    let saved = state.console.store.change_event(known.number, who.name(), "event.edit", |event| {
        event.rename(name, now)?;
        event.describe(description, now)?;
        event.allow(draft.allowed, now)?;
        edit_fields(event, fields, base, random, now)
    });
    match saved {
        Ok(_) => Ok(Ok(())),
        Err(StoreError::Refused(refusal @ Refusal::SlugTaken { .. })) => {
            Ok(Err(Errors::one("name", &refusal.to_string())))
        }
        Err(StoreError::Refused(refusal)) => Ok(Err(Errors::one("fields", &refusal.to_string()))),
        Err(error) => Err(error),
    }
}

/// Makes a version where the fields differ, unless somebody else made one since the form was opened.
fn edit_fields(
    event: &mut Event,
    fields: Fields,
    base: &str,
    random: [u8; 16],
    now: Timestamp,
) -> Result<(), Refusal> {
    let last = event.versions().last();
    if last.fields == fields {
        return Ok(());
    }
    if base != last.number.to_string() && event.locked_until(now).is_none() {
        let expected = "the newest version, because somebody saved another one meanwhile; open this page again";
        return Err(beaconry_model::error::Invalid::new(
            "edit",
            expected,
            format!("one of version {base}"),
        )
        .into());
    }
    event.edit(fields, random, now)
}
