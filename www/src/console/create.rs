//! A new event: a folder and a template first, then its form.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use beaconry_model::category::Category;
use beaconry_model::error::Refusal;
use beaconry_model::event::{Event, NewEvent};
use beaconry_model::section::Section;
use beaconry_model::templates::{self, TEMPLATES};
use beaconry_model::time::Timestamp;
use beaconry_model::value::Kind;
use beaconry_store::{StoreError, event_seed};

use super::capture_draft::CaptureDraft;
use super::draft::{Ask, Draft, Errors, Pairs, value};
use super::event::find;
use super::tracking::publish;
use super::who::Who;
use super::{State as Console, failed, words};
use crate::page::{go_to, page, page_with};

#[derive(Template)]
#[template(path = "console/choose.html")]
struct Choose {
    section: String,
    section_name: String,
    folders: Vec<Folder>,
}

struct Folder {
    word: &'static str,
    name: &'static str,
    about: &'static str,
    templates: Vec<&'static templates::Template>,
}

#[derive(Template)]
#[template(path = "console/create.html")]
struct Create {
    action: String,
    /// Where folders and templates are chosen.
    start: String,
    section_name: String,
    folder: &'static str,
    about: &'static str,
    draft: Draft,
    errors: Errors,
}

impl Create {
    fn kinds(&self) -> [Kind; 6] {
        Kind::ALL
    }
}

/// Only the messages of a form, for the page that is being typed in.
#[derive(Template)]
#[template(path = "console/errors.html")]
pub(super) struct Messages<'a> {
    pub(super) slots: Vec<(String, &'a str)>,
    pub(super) review: Option<String>,
}

/// A message or a blank for every place of the form.
pub(super) fn messages<'a>(draft: &Draft, errors: &'a Errors) -> Vec<(String, &'a str)> {
    let fixed = ["name", "description", "retention", "fields"].map(str::to_owned);
    let rows = (0..draft.fields.len()).map(|at| format!("field-{at}"));
    let slots = fixed.into_iter().chain(rows);
    slots
        .map(|slot| {
            let message = errors.at(&slot);
            (slot, message)
        })
        .collect()
}

#[derive(Debug, Deserialize)]
pub(super) struct Start {
    #[serde(default)]
    template: String,
}

pub(super) async fn choose(State(state): State<Console>, Path(section): Path<String>) -> Response {
    let section = match find_section(&state, &section) {
        Ok(section) => section,
        Err(error) => return failed(&error),
    };
    let folders = Category::ALL.map(|category| {
        let (name, about) = words::of_category(category);
        let templates = TEMPLATES.iter().filter(|template| template.category == category).collect();
        Folder { word: category.word(), name, about, templates }
    });
    page(&Choose {
        section: section.id.to_string(),
        section_name: section.name.to_string(),
        folders: folders.into(),
    })
}

pub(super) async fn start(
    State(state): State<Console>,
    Path((section, folder)): Path<(String, String)>,
    Query(start): Query<Start>,
) -> Response {
    let draft = match templates::Template::find(&start.template) {
        Ok(template) => Draft::with_fields(template.name, &template.fields()),
        Err(_) => Draft::with_fields("", &templates::ready_made_fields()),
    };
    // All is allowed at creation; what a person unticks is forbidden.
    let draft = Draft { allowed: beaconry_model::event::AllowedOperations::default(), ..draft };
    form(&state, &section, &folder, draft, Errors::default(), StatusCode::OK)
}

/// Takes what a button asked for: another row, or the whole event.
pub(super) async fn send(
    State(state): State<Console>,
    Path((section, folder)): Path<(String, String)>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let (mut draft, ask) = (Draft::read(&pairs), Ask::of(&pairs));
    if ask != Ask::Save {
        draft.arrange(ask);
        let errors = draft.mistakes_so_far(true);
        return form(&state, &section, &folder, draft, errors, StatusCode::OK);
    }
    let then = value(&pairs, "do");
    match save(&state, &who, &section, &folder, &draft, then == "save-code") {
        // Most events come from web pages, so tracking is what people go on with.
        Ok(Ok(to)) if then == "save-code" => go_to(&format!("{to}/tracking")),
        Ok(Ok(to)) if then == "save" => go_to(&format!("{to}/capture")),
        Ok(Ok(to)) => go_to(&to),
        Ok(Err(errors)) => {
            form(&state, &section, &folder, draft, errors, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(error) => failed(&error),
    }
}

/// Says what is wrong while somebody types.
pub(super) async fn check(Form(pairs): Form<Pairs>) -> Response {
    let draft = Draft::read(&pairs);
    let errors = draft.mistakes_so_far(true);
    page(&Messages { slots: messages(&draft, &errors), review: None })
}

fn form(
    state: &Console,
    section: &str,
    folder: &str,
    draft: Draft,
    errors: Errors,
    status: StatusCode,
) -> Response {
    let known =
        find_section(state, section).and_then(|section| Ok((section, find_folder(folder)?)));
    let (section, category) = match known {
        Ok(known) => known,
        Err(error) => return failed(&error),
    };
    let (folder, about) = words::of_category(category);
    let action = format!("/sections/{}/new/{}", section.id, category.word());
    let start = format!("/sections/{}/new", section.id);
    let section_name = section.name.to_string();
    page_with(status, &Create { action, start, section_name, folder, about, draft, errors })
}

/// Makes the event, its web tracking on at once where that is asked; gives where to go on, or what is wrong with the form.
fn save(
    state: &Console,
    who: &Who,
    section: &str,
    folder: &str,
    draft: &Draft,
    tracked: bool,
) -> Result<Result<String, Errors>, StoreError> {
    let (section, category) = (find_section(state, section)?, find_folder(folder)?);
    let store = &state.console.store;
    let mut errors = Errors::default();
    let name = draft.checked_name(&mut errors);
    let description = draft.checked_description(&mut errors);
    let fields = draft.checked_fields(&mut errors);
    let retention = draft.checked_retention(&mut errors);
    let (Some(name), Some(description), Some(fields), Some(retention)) =
        (name, description, fields, retention)
    else {
        return Ok(Err(errors));
    };
    let now = store.clock().steady();
    let new =
        NewEvent { section: section.id.clone(), category, name, description, retention, fields };
    let seed =
        event_seed().map_err(|error| StoreError::Folder { path: "random bytes".into(), error })?;
    let mut event = Event::create(new, seed, now)?;
    event.allow(draft.allowed, now)?;
    if tracked {
        track(&mut event, now)?;
    }
    match store.registry().add_event(&event, who.name(), now) {
        Err(StoreError::Refused(refusal)) => {
            return Ok(Err(Errors::one("name", &refusal.to_string())));
        }
        added => added?,
    };
    store.reload()?;
    publish(state, &find(state, event.discriminator().as_str())?)?;
    Ok(Ok(format!("/events/{}", event.discriminator())))
}

/// Switches web tracking on with what the form of triggers and values would propose.
fn track(event: &mut Event, now: Timestamp) -> Result<(), Refusal> {
    let fields = &event.versions().last().fields;
    let proposal = CaptureDraft::suggested(fields).checked(fields, &mut Errors::default());
    // Where there is nothing to propose, the page's own code makes events.
    event.set_capture(proposal.unwrap_or_default(), now)?;
    event.enable_tracking(false, now).map(|_| ())
}

fn find_section(state: &Console, words: &str) -> Result<Section, StoreError> {
    Ok(state.console.store.snapshot().section(words)?.as_ref().clone())
}

fn find_folder(word: &str) -> Result<Category, StoreError> {
    Category::from_word(word)
        .ok_or_else(|| StoreError::NotFound { what: "folder", name: word.to_owned() })
}
