//! What the next snippet captures: triggers and value sources, built by form.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use beaconry_model::error::Refusal;
use beaconry_model::event::Event;
use beaconry_model::time::Timestamp;
use beaconry_store::{Known, StoreError};

use super::capture_draft::{ACTIONS, Ask, CaptureDraft, Choice, SOURCES, URL_KINDS};
use super::create::Messages;
use super::draft::{Errors, Pairs};
use super::event::find;
use super::pick::{Picker, Waiting};
use super::tracking::publish;
use super::who::Who;
use super::{State as Console, failed, words};
use crate::page::{go_to, page, page_with};

#[derive(Template)]
#[template(path = "console/capture.html")]
struct Page {
    name: String,
    slug: String,
    section: String,
    folder: &'static str,
    to: String,
    action: String,
    enabled: bool,
    pending: bool,
    /// Whether nobody has said yet what makes this event.
    new: bool,
    draft: CaptureDraft,
    errors: Errors,
    waiting: Waiting,
    picker: String,
    /// What is said beside rows that were picked.
    notes: BTreeMap<String, String>,
}

impl Page {
    const ACTIONS: [Choice; 8] = ACTIONS;
    const SOURCES: [Choice; 16] = SOURCES;
    const URL_KINDS: [(&'static str, &'static str); 4] = URL_KINDS;

    fn note(&self, place: &str) -> &str {
        self.notes.get(place).map_or("", String::as_str)
    }
}

pub(super) async fn show(State(state): State<Console>, Path(event): Path<String>) -> Response {
    match find(&state, &event) {
        Ok(known) => {
            let event = &known.event;
            let (fields, capture) = (&event.versions().last().fields, event.tracking().capture());
            let draft = match is_new(event) {
                true => CaptureDraft::suggested(fields),
                false => CaptureDraft::of(capture, fields),
            };
            form(&state, &known, draft, Errors::default(), Waiting::begin())
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
    let fields = &known.event.versions().last().fields;
    let (mut draft, ask) = (CaptureDraft::read(&pairs, fields), Ask::of(&pairs));
    let mut waiting = Waiting::of(&pairs);
    if ask == Ask::Picked {
        waiting.take(&state.console.store, &mut draft, fields);
    }
    if !matches!(ask, Ask::Save | Ask::Publish) {
        draft.arrange(ask);
        return form(&state, &known, draft, Errors::default(), waiting);
    }
    match save(&state, &who, &known, &draft, ask == Ask::Publish) {
        Ok(Ok(())) => go_to(&format!("/events/{}/tracking", known.event.discriminator())),
        Ok(Err(errors)) => form(&state, &known, draft, errors, waiting),
        Err(error) => failed(&error),
    }
}

/// Says what is wrong while somebody types.
pub(super) async fn check(
    State(state): State<Console>,
    Path(event): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let known = match find(&state, &event) {
        Ok(known) => known,
        Err(error) => return failed(&error),
    };
    let fields = &known.event.versions().last().fields;
    let draft = CaptureDraft::read(&pairs, fields);
    let mut errors = Errors::default();
    draft.checked(fields, &mut errors);
    let slots = draft.slots().into_iter().map(|slot| {
        let message = errors.at(&slot);
        (slot, message)
    });
    page(&Messages { slots: slots.collect(), review: None })
}

/// Whether no settings were ever saved, nor a snippet made.
fn is_new(event: &Event) -> bool {
    event.tracking().rev() == 1 && event.tracking().pins().is_empty()
}

fn now(state: &Console) -> Timestamp {
    state.console.store.clock().steady()
}

fn form(
    state: &Console,
    known: &Known,
    draft: CaptureDraft,
    errors: Errors,
    waiting: Waiting,
) -> Response {
    let (event, store) = (&known.event, &state.console.store);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let picker = match Picker::of(state, known, &waiting) {
        Ok(picker) => picker,
        Err(error) => return failed(&error),
    };
    let to = format!("/events/{}", event.discriminator());
    let shown = Page {
        name: event.name().to_string(),
        slug: event.slug().to_string(),
        section: known.section.name.to_string(),
        folder: words::of_category(event.category()).0,
        action: format!("{to}/capture"),
        to,
        enabled: event.tracking().enabled(),
        new: is_new(event),
        pending: event.versions().pending(now(state)).is_some(),
        notes: waiting.notes(store, &draft, &event.versions().last().fields),
        waiting,
        picker,
        draft,
        errors,
    };
    page_with(status, &shown)
}

fn save(
    state: &Console,
    who: &Who,
    known: &Known,
    draft: &CaptureDraft,
    live: bool,
) -> Result<Result<(), Errors>, StoreError> {
    let mut errors = Errors::default();
    let Some(capture) = draft.checked(&known.event.versions().last().fields, &mut errors) else {
        return Ok(Err(errors));
    };
    let (now, action) = (now(state), if live { "tracking.publish" } else { "tracking.set" });
    let saved = state.console.store.change_event(known.number, who.name(), action, |event| {
        event.set_capture(capture, now)?;
        match (live, event.tracking().enabled()) {
            (false, _) => Ok(()),
            (true, true) => event.regenerate_snippet(true, now).map(|_| ()),
            (true, false) => event.enable_tracking(true, now).map(|_| ()),
        }
    });
    match saved {
        Ok((event, ())) => publish(state, &Known { event, ..known.clone() }).map(Ok),
        Err(StoreError::Refused(refusal @ Refusal::Invalid(_))) => {
            Ok(Err(Errors::one("triggers", &refusal.to_string())))
        }
        Err(error) => Err(error),
    }
}
