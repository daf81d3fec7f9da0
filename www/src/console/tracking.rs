//! Web tracking of one event: on and off, the code to paste, how to paste it, and what happens to old snippets.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use beaconry_model::error::{Invalid, Refusal};
use beaconry_model::event::Event;
use beaconry_model::section::{Origin, Section};
use beaconry_model::time::Timestamp;
use beaconry_model::tracking::{Scheduled, StalePolicy};
use beaconry_store::{Known, Share, StoreError};

use super::capture_draft::TriggerDraft;
use super::draft::{Pairs, value};
use super::event::find;
use super::status::Status;
use super::who::Who;
use super::{State as Console, failed, words};
use crate::page::{go_to, page, page_with};
use crate::snippet::Snippet;

#[derive(Template)]
#[template(path = "console/tracking.html")]
struct Page {
    name: String,
    slug: String,
    to: String,
    section: String,
    section_id: String,
    folder: &'static str,
    origins: String,
    enabled: bool,
    /// Whether a snippet was ever out, so that beacons may come.
    watched: bool,
    /// Whether a beacon of the newest snippet was stored.
    seen: bool,
    /// The version that is pinned, or was last; 0 where none ever was.
    pinned: u32,
    current: u32,
    /// Whether triggers or values were changed since.
    rev_changed: bool,
    outdated: bool,
    pending_until: Option<Timestamp>,
    scheduled: Option<Scheduled>,
    stale: StaleChoice,
    /// What makes an event, in the words of the form and with what it looks for.
    triggers: Vec<(&'static str, String)>,
    test: bool,
    snippet: Option<Snippet>,
    trouble: String,
    status: String,
    /// When the page was made, in milliseconds since 1970.
    now: i64,
    shares: Vec<Share>,
    /// A link that was just made, which can be shown only now.
    shared: String,
}

/// The choice beside which hours are typed.
const REJECT_AFTER: &str = "reject-after";

/// What happens to beacons of older versions, as forms hold it: a policy's word, or [`REJECT_AFTER`] with hours beside it.
pub(super) struct StaleChoice {
    word: String,
    pub(super) hours: String,
    /// What is wrong with the hours.
    pub(super) error: &'static str,
}

impl StaleChoice {
    pub(super) fn of(policy: StalePolicy) -> StaleChoice {
        let (word, hours) = match policy {
            StalePolicy::RejectAfterHours(hours) => (REJECT_AFTER.to_owned(), hours),
            other => (String::from(other), 24),
        };
        StaleChoice { word, hours: hours.to_string(), error: "" }
    }

    /// What a form sent; `None` where it does not ask for it.
    pub(super) fn sent(pairs: &Pairs) -> Option<StaleChoice> {
        let (word, hours) =
            (value(pairs, "stale").to_owned(), value(pairs, "hours").trim().to_owned());
        let mut choice = StaleChoice { word, hours, error: "" };
        if choice.is(REJECT_AFTER) && choice.policy().is_err() {
            choice.error = "Say for how many hours: a whole number from 1 to 8760.";
        }
        (!choice.word.is_empty()).then_some(choice)
    }

    /// Whether the hours are wrong.
    fn is_mistaken(&self) -> bool {
        !self.error.is_empty()
    }

    pub(super) fn policy(&self) -> Result<StalePolicy, Invalid> {
        StalePolicy::try_from(match self.word.as_str() {
            REJECT_AFTER => format!("{REJECT_AFTER}:{}", self.hours),
            word => word.to_owned(),
        })
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.word == word
    }
}

/// The version that what is pasted carries, where the next snippet carries another: once that is made, what is pasted is
/// stale.
pub(super) fn left_behind(event: &Event) -> Option<u32> {
    let (next, last) = (event.versions().last().number, event.tracking().pins().last());
    last.map(|pin| pin.version).filter(|pinned| *pinned != next)
}

impl Page {
    const OUTDATED: &'static str = words::OUTDATED;
    const STALE: &'static str = words::STALE;
    const PINNED: &'static str = words::PINNED;
    const PENDING: &'static str = words::of_state(beaconry_model::version::VersionState::Pending);

    /// All bytes a page downloads for this event alone, in Brotli.
    fn brotli(&self) -> usize {
        self.snippet.iter().map(Snippet::brotli).sum()
    }
}

pub(super) async fn show(State(state): State<Console>, Path(event): Path<String>) -> Response {
    match find(&state, &event).and_then(|known| page_of(&state, &known, "")) {
        Ok(made) => page(&made),
        Err(error) => failed(&error),
    }
}

/// The page, with a link to it that was just made, where one was.
pub(super) fn page_of(
    state: &Console,
    known: &Known,
    shared: &str,
) -> Result<impl Template + use<>, StoreError> {
    made(state, known, shared)
}

fn made(state: &Console, known: &Known, shared: &str) -> Result<Page, StoreError> {
    let store = &state.console.store;
    let (event, now) = (&known.event, store.clock().steady());
    let tracking = event.tracking();
    let (snippet, trouble) = match tracking.enabled().then(|| (state.console.snippets)(known)) {
        None => (None, String::new()),
        Some(Ok(snippet)) => (Some(snippet), String::new()),
        Some(Err(why)) => (None, why),
    };
    let last = tracking.pins().last();
    let status = Status::so_far(store, known)?;
    Ok(Page {
        name: event.name().to_string(),
        slug: event.slug().to_string(),
        to: format!("/events/{}", event.discriminator()),
        section: known.section.name.to_string(),
        section_id: known.section.id.to_string(),
        folder: words::of_category(event.category()).0,
        origins: origins(&known.section),
        enabled: tracking.enabled(),
        watched: last.is_some(),
        seen: tracking.pin().is_some_and(|pin| pin.seen.is_some()),
        pinned: last.map_or(0, |pin| pin.version),
        current: event.versions().current(now).number,
        rev_changed: last.is_some_and(|pin| pin.rev != tracking.rev()),
        outdated: event.outdated(now),
        pending_until: event.versions().pending(now).map(|version| version.usable_from()),
        scheduled: tracking.scheduled(),
        stale: StaleChoice::of(tracking.stale()),
        triggers: tracking.capture().triggers.iter().map(TriggerDraft::said).collect(),
        test: tracking.pin().is_some_and(|pin| pin.capture.test),
        snippet,
        trouble,
        status: status.render().unwrap_or_default(),
        now: now.0,
        shares: store.registry().shares(known.number, now)?,
        shared: shared.to_owned(),
    })
}

pub(super) fn origins(section: &Section) -> String {
    section.origins.iter().map(Origin::as_str).collect::<Vec<_>>().join(", ")
}

/// Takes what a form chose for old snippets, where it asks for that.
fn choose_stale(pairs: &Pairs, event: &mut Event, now: Timestamp) -> Result<(), Refusal> {
    match StaleChoice::sent(pairs) {
        Some(choice) => event.set_stale_policy(choice.policy()?, now),
        None => Ok(()),
    }
}

/// Whether what a form asks for is to wait for the pending version.
fn when_ready(pairs: &Pairs) -> bool {
    value(pairs, "when_ready") == "true"
}

pub(super) async fn enable(
    State(state): State<Console>,
    Path(event): Path<String>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    chosen(&state, &who, &event, "tracking.enable", &pairs, |event, now| {
        event.enable_tracking(when_ready(&pairs), now).map(|_| ())
    })
}

pub(super) async fn regenerate(
    State(state): State<Console>,
    Path(event): Path<String>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    chosen(&state, &who, &event, "tracking.regenerate", &pairs, |event, now| {
        event.regenerate_snippet(when_ready(&pairs), now).map(|_| ())
    })
}

pub(super) async fn stale(
    State(state): State<Console>,
    Path(event): Path<String>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    chosen(&state, &who, &event, "tracking.stale", &pairs, |_, _| Ok(()))
}

pub(super) async fn disable(
    State(state): State<Console>,
    Path(event): Path<String>,
    who: Who,
) -> Response {
    change(&state, &who, &event, "tracking.disable", Event::disable_tracking)
}

pub(super) async fn unschedule(
    State(state): State<Console>,
    Path(event): Path<String>,
    who: Who,
) -> Response {
    change(&state, &who, &event, "tracking.unschedule", Event::unschedule)
}

/// Changes what happens to old snippets as it was chosen, and does what else was asked for.
fn chosen(
    state: &Console,
    who: &Who,
    words: &str,
    action: &str,
    pairs: &Pairs,
    then: impl FnOnce(&mut Event, Timestamp) -> Result<(), Refusal>,
) -> Response {
    if let Some(mistaken) = mistaken(state, words, pairs) {
        return mistaken;
    }
    change(state, who, words, action, |event, now| {
        choose_stale(pairs, event, now)?;
        then(event, now)
    })
}

/// The page with what is wrong with the hours beside them, where something is.
fn mistaken(state: &Console, words: &str, pairs: &Pairs) -> Option<Response> {
    let stale = StaleChoice::sent(pairs).filter(StaleChoice::is_mistaken)?;
    let made = find(state, words).and_then(|known| made(state, &known, ""));
    Some(match made {
        Ok(page) => page_with(StatusCode::UNPROCESSABLE_ENTITY, &Page { stale, ..page }),
        Err(error) => failed(&error),
    })
}

/// Changes the event, publishes its snippet, and shows its tracking again.
fn change(
    state: &Console,
    who: &Who,
    words: &str,
    action: &str,
    change: impl FnOnce(&mut Event, Timestamp) -> Result<(), Refusal>,
) -> Response {
    let store = &state.console.store;
    let now = store.clock().steady();
    let changed = find(state, words).and_then(|known| {
        let (event, ()) =
            store.change_event(known.number, who.name(), action, |event| change(event, now))?;
        publish(state, &Known { event, ..known.clone() })?;
        Ok(known)
    });
    match changed {
        Ok(known) => go_to(&format!("/events/{}/tracking", known.event.discriminator())),
        Err(error) => failed(&error),
    }
}

/// Publishes the snippet of an event whose tracking is on. What keeps it from being made is shown on the event's page.
pub(super) fn publish(state: &Console, known: &Known) -> Result<(), StoreError> {
    if known.event.tracking().enabled()
        && let Err(why) = (state.console.snippets)(known)
    {
        let event = known.event.discriminator();
        tracing::error!(%event, error = %why, "a snippet could not be published");
    }
    Ok(())
}
