//! Sections and the web origins whose pages may send.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use beaconry_model::error::Invalid;
use beaconry_model::names::{Name, SectionId};
use beaconry_model::section::{Origin, Section};
use beaconry_model::templates::Template;
use beaconry_store::StoreError;

use super::audience::People;
use super::draft::{Errors, Pairs, value};
use super::who::Who;
use super::{State as Console, failed};
use crate::page::{go_to, page_with};

#[derive(askama::Template)]
#[template(path = "console/section.html")]
struct Page {
    /// `None` for one that is to be made.
    id: Option<String>,
    name: String,
    /// One a line.
    origins: String,
    origin_required: bool,
    /// What is known of people in one that is there.
    people: Option<People>,
    errors: Errors,
}

pub(super) async fn new() -> Response {
    let page = Page {
        id: None,
        name: String::new(),
        origins: String::new(),
        origin_required: false,
        people: None,
        errors: Errors::default(),
    };
    page_with(StatusCode::OK, &page)
}

pub(super) async fn show(State(state): State<Console>, Path(section): Path<String>) -> Response {
    page(&state, &section, StatusCode::OK, Errors::default(), None)
}

/// The page of a section as it is, with what is wrong with one of its forms, or a secret that was just made.
pub(super) fn page(
    state: &Console,
    section: &str,
    status: StatusCode,
    errors: Errors,
    secret: Option<String>,
) -> Response {
    let snapshot = state.console.store.snapshot();
    let section = match snapshot.section(section) {
        Ok(section) => section.clone(),
        Err(error) => return failed(&error),
    };
    let origins: Vec<_> = section.origins.iter().map(Origin::as_str).collect();
    let page = Page {
        id: Some(section.id.to_string()),
        name: section.name.to_string(),
        origins: origins.join("\n"),
        origin_required: section.origin_required,
        people: Some(People::of(&snapshot, &section.id, secret)),
        errors,
    };
    page_with(status, &page)
}

pub(super) async fn create(
    State(state): State<Console>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    answer(&state, None, &pairs, save(&state, &who, None, &pairs))
}

pub(super) async fn change(
    State(state): State<Console>,
    Path(section): Path<String>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let saved = save(&state, &who, Some(&section), &pairs);
    answer(&state, Some(section), &pairs, saved)
}

fn answer(
    state: &Console,
    id: Option<String>,
    pairs: &Pairs,
    saved: Result<Result<SectionId, Errors>, StoreError>,
) -> Response {
    match saved {
        Ok(Ok(section)) => go_to(&first_event(&section, value(pairs, "template"))),
        Ok(Err(errors)) => {
            let snapshot = state.console.store.snapshot();
            let known = id.as_deref().and_then(|id| snapshot.section(id).ok());
            let page = Page {
                people: known.map(|section| People::of(&snapshot, &section.id, None)),
                id,
                name: value(pairs, "name").to_owned(),
                origins: value(pairs, "origins").to_owned(),
                origin_required: !value(pairs, "origin-required").is_empty(),
                errors,
            };
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => failed(&error),
    }
}

/// Where to go on after a form that asks for both at once: where events come from, and which one comes first.
pub(super) fn first_event(section: &SectionId, template: &str) -> String {
    match Template::find(template) {
        Ok(ready) => {
            let folder = ready.category.word();
            format!("/sections/{section}/new/{folder}?template={}", ready.slug)
        }
        Err(_) => "/".to_owned(),
    }
}

/// Makes the section, or changes it; gives what is wrong with the form.
fn save(
    state: &Console,
    who: &Who,
    id: Option<&str>,
    pairs: &Pairs,
) -> Result<Result<SectionId, Errors>, StoreError> {
    let mut errors = Errors::default();
    let origins = errors.note("origins", origins(value(pairs, "origins")));
    let name = errors.note("name", name(value(pairs, "name").trim(), origins.as_deref()));
    let (Some(name), Some(origins)) = (name, origins) else { return Ok(Err(errors)) };
    let origin_required = !value(pairs, "origin-required").is_empty();
    let store = &state.console.store;
    let Some(id) = id else {
        return add(state, who.name(), name, origins, origin_required).map(Ok);
    };
    let id = store.snapshot().section(id)?.id.clone();
    let section = Section { id: id.clone(), name, origins, origin_required };
    store.registry().change_section(&section, who.name(), store.clock().steady())?;
    store.reload()?;
    Ok(Ok(id))
}

/// Makes a section.
pub(super) fn add(
    state: &Console,
    actor: &str,
    name: Name,
    origins: Vec<Origin>,
    origin_required: bool,
) -> Result<SectionId, StoreError> {
    let random = beaconry_store::bytes()
        .map_err(|error| StoreError::Folder { path: "random bytes".into(), error })?;
    let id = SectionId::new(&name, random)?;
    let store = &state.console.store;
    let section = Section { id: id.clone(), name, origins, origin_required };
    store.registry().add_section(&section, actor, store.clock().steady())?;
    store.reload()?;
    Ok(id)
}

/// The name; one that is not given is the first web site's.
pub(super) fn name(given: &str, origins: Option<&[Origin]>) -> Result<Name, Invalid> {
    let site = || Some(origins?.first()?.as_str().split_once("://")?.1.to_owned());
    let name = if given.is_empty() { site().unwrap_or_default() } else { given.to_owned() };
    Name::try_from(name)
}

/// Origins as people write them, one a line; the address of a page stands for its origin.
pub(super) fn origins(text: &str) -> Result<Vec<Origin>, Invalid> {
    let mut origins = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let origin = Origin::try_from(origin_of(line))?;
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    Ok(origins)
}

/// `shop.example/basket` as `https://shop.example`.
fn origin_of(line: &str) -> String {
    let (scheme, rest) = line.split_once("://").unwrap_or(("https", line));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_page_stands_for_its_origin() {
        let read =
            origins("https://shop.example/basket?a=1\r\n\nshop.example\n http://localhost:8080/ ")
                .unwrap();
        let read: Vec<_> = read.iter().map(Origin::as_str).collect();
        assert_eq!(read, ["https://shop.example", "http://localhost:8080"]);
        assert!(origins("ftp://shop.example").is_err() && origins("two words").is_err());
    }

    #[test]
    fn a_section_without_a_name_is_called_like_its_first_site() {
        let sites = origins("https://shop.example\nhttps://other.example").unwrap();
        assert_eq!(name("", Some(&sites)).unwrap().as_str(), "shop.example");
        assert_eq!(name("Shop", Some(&sites)).unwrap().as_str(), "Shop");
        assert!(name("", None).is_err() && name("", Some(&[])).is_err());
    }
}
