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
use super::draft::{Ask, Draft, Errors, Pairs, ticked, value};
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
    /// The version the rows were opened on, so that nobody saves over what somebody else just saved.
    base: u32,
    /// Whether there are rows: not where the form was opened while the event was locked.
    rows: bool,
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

/// What the form sent.
struct Sent {
    draft: Draft,
    /// The version its rows were opened on; `None` where it had none to send.
    base: Option<u32>,
}

impl Sent {
    /// A form that has no rows says nothing of the fields, so they stay as they are, whatever the lock says by now: rows
    /// that are missing must never be taken for rows that were deleted.
    fn read(pairs: &Pairs, event: &Event) -> Sent {
        let draft = Draft::read(pairs);
        match ticked(pairs, "fields") {
            true => Sent { draft, base: Some(value(pairs, "base").parse().unwrap_or_default()) },
            false => Sent { draft: Draft { fields: Draft::of(event).fields, ..draft }, base: None },
        }
    }

    /// What is wrong so far, and whether somebody else saved a version since the rows were opened.
    fn mistakes_so_far(&self, event: &Event, now: Timestamp) -> Errors {
        let mut errors = self.draft.mistakes_so_far(false);
        self.note_overtaken(event, now, &mut errors);
        errors
    }

    /// Says so where somebody else saved a version since the rows were opened, and these would change it.
    fn note_overtaken(&self, event: &Event, now: Timestamp, errors: &mut Errors) -> bool {
        let newest = event.versions().last().number;
        let Some(base) = self.base.filter(|base| *base != newest) else { return false };
        let fields = self.draft.checked_fields(&mut Errors::default());
        let overtaken = fields.is_none_or(|fields| changes_fields(event, &fields, base));
        if overtaken {
            errors.put("fields", &overtaken_by(event, now));
        }
        overtaken
    }
}

/// Whether these fields are to be saved: not where they are the newest ones already, nor where nobody touched them since
/// the form was opened.
fn changes_fields(event: &Event, fields: &Fields, base: u32) -> bool {
    let opened = event.versions().get(base);
    event.versions().last().fields != *fields
        && opened.is_none_or(|opened| opened.fields != *fields)
}

/// Without the moment, which the page shows in the reader's own time zone.
const LOCKED: &str =
    "the fields are locked until the time above, because they were changed less than an hour ago";

fn overtaken_by(event: &Event, now: Timestamp) -> String {
    let said = format!(
        "somebody else saved version {} meanwhile, so this form is not saved. What you typed is still here",
        event.versions().last().number
    );
    match event.locked_until(now) {
        Some(_) => format!("{said}; {LOCKED}"),
        None => format!("{said}; saving once more puts it in place of theirs"),
    }
}

pub(super) async fn show(State(state): State<Console>, Path(event): Path<String>) -> Response {
    match find(&state, &event) {
        Ok(known) => {
            let sent = Sent { draft: Draft::of(&known.event), base: None };
            form(&state, &known, sent, Errors::default(), StatusCode::OK)
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
    let (mut sent, ask) = (Sent::read(&pairs, &known.event), Ask::of(&pairs));
    if ask != Ask::Save {
        sent.draft.arrange(ask);
        let errors = sent.mistakes_so_far(&known.event, now(&state));
        return form(&state, &known, sent, errors, StatusCode::OK);
    }
    match save(&state, &who, &known, &sent) {
        Ok(Ok(())) => go_to(&format!("/events/{}", known.event.discriminator())),
        Ok(Err(mut errors)) => {
            // Who is told of the other version may save over it.
            if sent.note_overtaken(&known.event, now(&state), &mut errors) {
                sent.base = Some(known.event.versions().last().number);
            }
            form(&state, &known, sent, errors, StatusCode::UNPROCESSABLE_ENTITY)
        }
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
            let (sent, now) = (Sent::read(&pairs, &known.event), now(&state));
            let errors = sent.mistakes_so_far(&known.event, now);
            let review = Some(review(&known.event, &sent.draft, now));
            page(&Messages { slots: messages(&sent.draft, &errors), review })
        }
        Err(error) => failed(&error),
    }
}

fn now(state: &Console) -> Timestamp {
    state.console.store.clock().steady()
}

fn form(
    state: &Console,
    known: &Known,
    sent: Sent,
    errors: Errors,
    status: StatusCode,
) -> Response {
    let (event, now) = (&known.event, now(state));
    let Sent { draft, base } = sent;
    let to = format!("/events/{}", event.discriminator());
    let edit = Edit {
        name: event.name().to_string(),
        section: known.section.name.to_string(),
        action: format!("{to}/edit"),
        to,
        base: base.unwrap_or(event.versions().last().number),
        rows: base.is_some() || event.locked_until(now).is_none(),
        locked_until: event.locked_until(now),
        review: review(event, &draft, now),
        draft,
        errors,
    };
    page_with(status, &edit)
}

/// What saving would do; nothing while the fields are locked, because saving them is refused then.
fn review(event: &Event, draft: &Draft, now: Timestamp) -> String {
    if event.locked_until(now).is_some() {
        return String::new();
    }
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
    Sent { draft, base }: &Sent,
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
        match base {
            Some(base) => edit_fields(event, fields, *base, random, now),
            None => Ok(()),
        }
    });
    match saved {
        Ok(_) => Ok(Ok(())),
        Err(StoreError::Refused(refusal @ Refusal::SlugTaken { .. })) => {
            Ok(Err(Errors::one("name", &refusal.to_string())))
        }
        Err(StoreError::Refused(Refusal::Locked { .. })) => Ok(Err(Errors::one("fields", LOCKED))),
        Err(StoreError::Refused(refusal)) => Ok(Err(Errors::one("fields", &refusal.to_string()))),
        Err(error) => Err(error),
    }
}

/// Makes a version where the fields differ, unless somebody else made one since the form was opened.
fn edit_fields(
    event: &mut Event,
    fields: Fields,
    base: u32,
    random: [u8; 16],
    now: Timestamp,
) -> Result<(), Refusal> {
    if !changes_fields(event, &fields, base) {
        return Ok(());
    }
    if base != event.versions().last().number {
        return Err(Refusal::Overtaken);
    }
    event.edit(fields, random, now)
}
