//! What the next snippet captures: triggers and value sources, built by form; and what making that snippet does to those
//! that are out.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use beaconry_model::capture::Capture;
use beaconry_model::error::Refusal;
use beaconry_model::event::Event;
use beaconry_model::time::Timestamp;
use beaconry_model::tracking::StalePolicy;
use beaconry_store::{Known, StoreError};

use super::capture_draft::{ACTIONS, Ask, CaptureDraft, Choice, SOURCES, URL_KINDS};
use super::create::Messages;
use super::draft::{Errors, Pairs, value};
use super::event::find;
use super::pick::{Picker, Waiting};
use super::tracking::{StaleChoice, left_behind, publish};
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
    /// The version that what is pasted carries, where the next snippet carries another.
    left_behind: Option<u32>,
    /// The version the next snippet carries.
    next: u32,
    stale: StaleChoice,
    /// The revision the form was opened on, so that nobody saves over what somebody else just saved.
    base: u32,
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
    const STALE: &'static str = words::STALE;

    fn note(&self, place: &str) -> &str {
        self.notes.get(place).map_or("", String::as_str)
    }
}

/// What the form sent, or what it opens with.
struct Sent {
    draft: CaptureDraft,
    /// The revision of the settings that the form was opened on.
    base: u32,
    /// What is to happen to old snippets, where that was asked.
    stale: Option<StaleChoice>,
    waiting: Waiting,
}

impl Sent {
    fn begin(event: &Event) -> Sent {
        let (fields, tracking) = (&event.versions().last().fields, event.tracking());
        let draft = match is_new(event) {
            true => CaptureDraft::suggested(fields),
            false => CaptureDraft::of(tracking.capture(), fields),
        };
        Sent { draft, base: tracking.rev(), stale: None, waiting: Waiting::begin() }
    }

    fn read(pairs: &Pairs, event: &Event) -> Sent {
        Sent {
            draft: CaptureDraft::read(pairs, &event.versions().last().fields),
            base: value(pairs, "base").parse().unwrap_or_default(),
            stale: StaleChoice::sent(pairs),
            waiting: Waiting::of(pairs),
        }
    }

    /// Says so where somebody else saved since the form was opened, and this would change it.
    fn note_overtaken(&self, event: &Event, errors: &mut Errors) -> bool {
        if self.base == event.tracking().rev() {
            return false;
        }
        let fields = &event.versions().last().fields;
        let capture = self.draft.checked(fields, &mut Errors::default());
        let overtaken = capture.is_none_or(|capture| changes_capture(event, &capture));
        if overtaken {
            errors.put("triggers", OVERTAKEN);
        }
        overtaken
    }

    /// What is to happen to old snippets. It has to be chosen where the next snippet makes them stale: that was not so,
    /// and not asked, where the version changed since the form was opened.
    fn policy(&self, event: &Event, errors: &mut Errors) -> Option<StalePolicy> {
        match &self.stale {
            Some(choice) => errors.note("stale", choice.policy()),
            None if left_behind(event).is_none() => Some(event.tracking().stale()),
            None => {
                errors.put("stale", "Choose this before the snippet is made");
                None
            }
        }
    }
}

const OVERTAKEN: &str = "Somebody else saved triggers and values meanwhile, so this form is not saved. What you chose is still \
                         here: look at theirs in another tab; saving here once more puts this in place of it";

fn changes_capture(event: &Event, capture: &Capture) -> bool {
    event.tracking().capture() != capture
}

pub(super) async fn show(State(state): State<Console>, Path(event): Path<String>) -> Response {
    match find(&state, &event) {
        Ok(known) => form(&state, &known, Sent::begin(&known.event), Errors::default()),
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
    if ask == Ask::Picked {
        let fields = &known.event.versions().last().fields;
        sent.waiting.take(&state.console.store, &mut sent.draft, fields);
    }
    if !matches!(ask, Ask::Save | Ask::Publish) {
        sent.draft.arrange(ask);
        return form(&state, &known, sent, Errors::default());
    }
    match save(&state, &who, &known, &sent, ask == Ask::Publish) {
        Ok(Ok(())) => go_to(&format!("/events/{}/tracking", known.event.discriminator())),
        Ok(Err(mut errors)) => {
            // Who is told of the other settings may save over them.
            if sent.note_overtaken(&known.event, &mut errors) {
                sent.base = known.event.tracking().rev();
            }
            form(&state, &known, sent, errors)
        }
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
    let sent = Sent::read(&pairs, &known.event);
    let mut errors = Errors::default();
    sent.draft.checked(&known.event.versions().last().fields, &mut errors);
    sent.note_overtaken(&known.event, &mut errors);
    let slots = sent.draft.slots().into_iter().map(|slot| {
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

fn form(state: &Console, known: &Known, sent: Sent, errors: Errors) -> Response {
    let (event, store) = (&known.event, &state.console.store);
    let Sent { draft, base, stale, waiting } = sent;
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
        left_behind: left_behind(event),
        next: event.versions().last().number,
        stale: stale.unwrap_or_else(|| StaleChoice::of(event.tracking().stale())),
        base,
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
    sent: &Sent,
    live: bool,
) -> Result<Result<(), Errors>, StoreError> {
    let mut errors = Errors::default();
    let capture = sent.draft.checked(&known.event.versions().last().fields, &mut errors);
    // Settings that are only saved change nothing for what is out.
    let policy = live.then(|| sent.policy(&known.event, &mut errors)).flatten();
    let (Some(capture), true) = (capture, errors.is_empty()) else { return Ok(Err(errors)) };
    let (now, action) = (now(state), if live { "tracking.publish" } else { "tracking.set" });
    let saved = state.console.store.change_event(known.number, who.name(), action, |event| {
        if changes_capture(event, &capture) && sent.base != event.tracking().rev() {
            return Err(Refusal::Overtaken);
        }
        event.set_capture(capture, now)?;
        policy.map_or(Ok(()), |policy| event.set_stale_policy(policy, now))?;
        match (live, event.tracking().enabled()) {
            (false, _) => Ok(()),
            (true, true) => event.regenerate_snippet(true, now).map(|_| ()),
            (true, false) => event.enable_tracking(true, now).map(|_| ()),
        }
    });
    match saved {
        Ok((event, ())) => publish(state, &Known { event, ..known.clone() }).map(Ok),
        Err(StoreError::Refused(refusal @ (Refusal::Invalid(_) | Refusal::Overtaken))) => {
            Ok(Err(Errors::one("triggers", &refusal.to_string())))
        }
        Err(error) => Err(error),
    }
}
