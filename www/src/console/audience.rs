//! What a section is to know of people, on the page of its settings: attributes, consent lists, the secret for identify.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use beaconry_model::error::Invalid;
use beaconry_model::fields::Limits;
use beaconry_model::names::{Name, SectionId};
use beaconry_model::section::Section;
use beaconry_model::value::Kind;
use beaconry_store::{Snapshot, Store, StoreError};

use super::draft::{Errors, Pairs, ticked, value};
use super::who::Who;
use super::{State as Console, failed, section};
use crate::page::go_to;

/// What is known of people in a section.
pub(super) struct People {
    /// Each attribute's name, with its type and its address.
    pub(super) attributes: Vec<(String, &'static str, String)>,
    pub(super) lists: Vec<List>,
    /// Whether its back end can sign tokens already.
    pub(super) has_secret: bool,
    /// A secret that was just made: it is shown this once.
    pub(super) secret: Option<String>,
}

/// A consent list with its topics.
pub(super) struct List {
    pub(super) address: String,
    pub(super) name: String,
    pub(super) topics: String,
}

impl People {
    /// The types of an attribute to choose from, each with its word.
    pub(super) fn types() -> [(&'static str, &'static str); 6] {
        Kind::ALL.map(|kind| (kind.word(), kind.label()))
    }

    pub(super) fn of(snapshot: &Snapshot, section: &SectionId, secret: Option<String>) -> People {
        let audience = snapshot.audience();
        let attributes = audience.attributes(section).map(|known| {
            let attribute = &known.attribute;
            let kind = attribute.current().field.kind().label();
            (attribute.name.to_string(), kind, attribute.discriminator.clone())
        });
        let lists = audience.consent_lists(section).map(|list| {
            let topics: Vec<&str> = list.topics.iter().map(|topic| topic.name.as_str()).collect();
            List {
                address: list.discriminator.clone(),
                name: list.name.to_string(),
                topics: topics.join(", "),
            }
        });
        People {
            attributes: attributes.collect(),
            lists: lists.collect(),
            has_secret: audience.has_secret(section),
            secret,
        }
    }
}

pub(super) async fn add_attribute(
    State(state): State<Console>,
    Path(section): Path<String>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let (mut errors, typed) = (Errors::default(), value(&pairs, "attribute-type"));
    let name = errors.note("attribute-name", named(&pairs, "attribute-name"));
    let kind = Kind::from_word(typed)
        .ok_or_else(|| Invalid::new("type", "one of the list", format!("{typed:.80?}")));
    let kind = errors.note("attribute-type", kind);
    let (Some(name), Some(kind)) = (name, kind) else { return refused(&state, &section, errors) };
    changed(&state, &section, "attribute-name", |store, section| {
        let (kind, now) = ((kind, Limits::default()), store.clock().steady());
        store.registry().create_attribute(&section.id, name, kind, who.name(), now).map(|_| ())
    })
}

pub(super) async fn add_list(
    State(state): State<Console>,
    Path(section): Path<String>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let mut errors = Errors::default();
    let name = errors.note("list-name", named(&pairs, "list-name"));
    let topic = errors.note("list-topic", named(&pairs, "list-topic"));
    let (Some(name), Some(topic)) = (name, topic) else { return refused(&state, &section, errors) };
    changed(&state, &section, "list-name", |store, section| {
        let (topics, now) = (vec![topic], store.clock().steady());
        let mut registry = store.registry();
        registry.create_consent_list(&section.id, name, topics, who.name(), now).map(|_| ())
    })
}

pub(super) async fn add_topic(
    State(state): State<Console>,
    Path((section, list)): Path<(String, String)>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    // Each list has a form of its own on the page.
    let slot = format!("topic-{list}");
    let mut errors = Errors::default();
    let Some(topic) = errors.note(&slot, named(&pairs, "topic-name")) else {
        return refused(&state, &section, errors);
    };
    changed(&state, &section, &slot, |store, section| {
        let snapshot = store.snapshot();
        let known = snapshot.audience().consent_list(&section.id, &list);
        let known = known
            .ok_or_else(|| StoreError::NotFound { what: "consent list", name: list.clone() })?;
        let now = store.clock().steady();
        let mut registry = store.registry();
        registry.add_topics(&known.discriminator, vec![topic], who.name(), now).map(|_| ())
    })
}

pub(super) async fn make_secret(
    State(state): State<Console>,
    Path(section): Path<String>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let at_once = ticked(&pairs, "at-once");
    let made = change(&state, &section, |store, section| {
        let now = store.clock().steady();
        store.registry().make_section_secret(&section.id, at_once, who.name(), now)
    });
    match made {
        Ok((_, secret)) => {
            let ok = StatusCode::OK;
            let mut answer = section::page(&state, &section, ok, Errors::default(), Some(secret));
            answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            answer
        }
        Err(error) => failed(&error),
    }
}

/// Makes a change of a section's definitions, and has it in force before it returns.
fn change<T>(
    state: &Console,
    section: &str,
    change: impl FnOnce(&Store, &Section) -> Result<T, StoreError>,
) -> Result<(SectionId, T), StoreError> {
    let store = &state.console.store;
    let section = store.snapshot().section(section)?.clone();
    let made = change(store, &section)?;
    store.reload()?;
    Ok((section.id.clone(), made))
}

/// The same for a form: back to the page, or what is wrong at this place of it.
fn changed(
    state: &Console,
    section: &str,
    slot: &str,
    with: impl FnOnce(&Store, &Section) -> Result<(), StoreError>,
) -> Response {
    match change(state, section, with) {
        Ok((id, ())) => go_to(&format!("/sections/{id}")),
        Err(StoreError::Refused(refusal)) => {
            refused(state, section, Errors::one(slot, &refusal.to_string()))
        }
        Err(error) => failed(&error),
    }
}

fn refused(state: &Console, section: &str, errors: Errors) -> Response {
    section::page(state, section, StatusCode::UNPROCESSABLE_ENTITY, errors, None)
}

fn named(pairs: &Pairs, field: &str) -> Result<Name, Invalid> {
    Name::try_from(value(pairs, field).trim().to_owned())
}
