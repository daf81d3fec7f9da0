//! Erasing a person, which cannot be undone: what it does is said first, and a word is asked for; what it did is said after.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use beaconry_store::{Profile, ProfileError, ProfileReader, Snapshot, StoreError};

use super::show::{broke_off, find, gone};
use super::{Line, best_key};
use crate::console::day::thousands;
use crate::console::draft::{Errors, Pairs, value};
use crate::console::who::Who;
use crate::console::{State as Console, failed, problem};
use crate::page::{page, page_with};

/// What is typed to show that it is meant.
const WORD: &str = "erase";

/// What is kept of a person.
struct Kept {
    keys: usize,
    events: String,
    attributes: usize,
    consents: usize,
}

#[derive(Template)]
#[template(path = "console/erase.html")]
struct Erase {
    line: Line,
    kept: Kept,
    lock: bool,
    errors: Errors,
}

#[derive(Template)]
#[template(path = "console/erased.html")]
struct Erased {
    kept: Kept,
    lock: bool,
}

pub(in crate::console) async fn show(
    State(state): State<Console>,
    Path(id): Path<String>,
) -> Response {
    match read(&state, &id) {
        Ok(Some((profile, kept))) => ask(&profile, kept, false, Errors::default()),
        Ok(None) => gone(),
        Err(error) => failed(&error),
    }
}

pub(in crate::console) async fn send(
    State(state): State<Console>,
    Path(id): Path<String>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let (profile, kept) = match read(&state, &id) {
        Ok(Some(read)) => read,
        Ok(None) => return gone(),
        Err(error) => return failed(&error),
    };
    let lock = value(&pairs, "how") == "lock";
    if !value(&pairs, "word").trim().eq_ignore_ascii_case(WORD) {
        let errors = Errors::one("word", &format!("Type {WORD}, to show that you mean it"));
        return ask(&profile, kept, lock, errors);
    }
    let Some(key) = best_key(&profile).cloned() else { return gone() };
    let store = state.console.store.clone();
    let erasing = tokio::task::spawn_blocking(move || store.erase(&key, lock, who.name()));
    match erasing.await {
        Ok(Ok(())) => page(&Erased { kept, lock }),
        Ok(Err(ProfileError::NotFound | ProfileError::Locked)) => gone(),
        Ok(Err(ProfileError::Store(error))) => failed(&error),
        Ok(Err(error)) => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            &format!(
                "It is not certain that everything is gone ({error}). The server goes on by itself; look for the person in a \
                 minute, and erase them again if they are still there."
            ),
        ),
        Err(_) => broke_off(),
    }
}

fn read(state: &Console, id: &str) -> Result<Option<(Profile, Kept)>, StoreError> {
    let store = &state.console.store;
    let reader = store.profiles()?;
    let Some(profile) = find(&reader, id)? else { return Ok(None) };
    let kept = kept(&store.snapshot(), &reader, &profile)?;
    Ok(Some((profile, kept)))
}

fn kept(
    snapshot: &Snapshot,
    reader: &ProfileReader,
    profile: &Profile,
) -> Result<Kept, StoreError> {
    let mut attributes = 0;
    for section in snapshot.sections() {
        attributes += reader.attributes(snapshot, profile, &section.id)?.len();
    }
    Ok(Kept {
        keys: profile.keys.len(),
        events: thousands(reader.events(profile)?),
        attributes,
        consents: reader.consents(profile)?.len(),
    })
}

fn ask(profile: &Profile, kept: Kept, lock: bool, errors: Errors) -> Response {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page_with(status, &Erase { line: Line::of(profile), kept, lock, errors })
}
