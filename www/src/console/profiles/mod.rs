//! Finding a profile by any of its keys. What somebody looks for is sent in the body, never in an address, because addresses
//! are logged.

pub(super) mod erase;
pub(super) mod show;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_model::time::Timestamp;
use beaconry_store::{Profile, ProfileReader, StoreError};

use super::day::thousands;
use super::draft::{Errors, Pairs, value};
use super::{State as Console, failed};
use crate::page::{go_to, page_with};

/// Profiles on the first page.
const NEWEST: usize = 10;

/// A profile as one line of a list.
pub(super) struct Line {
    pub(super) id: String,
    /// The key people know it best by.
    pub(super) name: String,
    /// Its other keys, each with its keyspace.
    pub(super) others: Vec<(&'static str, String)>,
    pub(super) keyspace: &'static str,
    pub(super) created: Timestamp,
}

impl Line {
    pub(super) fn of(profile: &Profile) -> Line {
        let best = best_key(profile);
        let others = profile.keys.iter().filter(|key| Some(*key) != best);
        let line = |key: &ProfileKey| (key.keyspace().label(), key.as_str().to_owned());
        Line {
            id: profile.id.to_string(),
            name: best.map_or_else(|| profile.id.to_string(), |key| key.as_str().to_owned()),
            keyspace: best.map_or("Profile", |key| key.keyspace().label()),
            others: others.map(line).collect(),
            created: profile.created,
        }
    }
}

/// The key people know a profile best by: an email address where there is one, a web visitor's id at the last.
pub(super) fn best_key(profile: &Profile) -> Option<&ProfileKey> {
    let order = [Keyspace::Email, Keyspace::CrmId, Keyspace::Mobile, Keyspace::Web];
    order.iter().find_map(|keyspace| profile.keys.iter().find(|key| key.keyspace() == *keyspace))
}

#[derive(Template)]
#[template(path = "console/profiles.html")]
struct Find {
    key: String,
    keyspace: String,
    /// Profiles that have the key; more than one only where several keyspaces have it.
    found: Vec<Line>,
    newest: Vec<Line>,
    count: String,
    errors: Errors,
}

impl Find {
    const KEYSPACES: [Keyspace; 4] =
        [Keyspace::Email, Keyspace::Mobile, Keyspace::CrmId, Keyspace::Web];
}

pub(super) async fn show(State(state): State<Console>) -> Response {
    answer(&state, &Pairs::new(), Vec::new(), Errors::default(), StatusCode::OK)
}

pub(super) async fn find(State(state): State<Console>, Form(pairs): Form<Pairs>) -> Response {
    let looked = match look(&state, value(&pairs, "key").trim(), value(&pairs, "keyspace")) {
        Ok(looked) => looked,
        Err(error) => return failed(&error),
    };
    match looked {
        Ok(found) if found.len() == 1 => go_to(&format!("/profiles/{}", found[0].id)),
        Ok(found) => {
            let lines = found.iter().map(Line::of).collect();
            answer(&state, &pairs, lines, Errors::default(), StatusCode::OK)
        }
        Err((status, why)) => answer(&state, &pairs, Vec::new(), Errors::one("key", &why), status),
    }
}

/// The profiles with this key, in one keyspace or in any; or why there is none, and what to do.
fn look(
    state: &Console,
    key: &str,
    keyspace: &str,
) -> Result<Result<Vec<Profile>, (StatusCode, String)>, StoreError> {
    let store = &state.console.store;
    let wrong = |why: String| Ok(Err((StatusCode::UNPROCESSABLE_ENTITY, why)));
    if key.is_empty() {
        return wrong(
            "Type an email address, a mobile number, a CRM id or a web visitor's id".into(),
        );
    }
    let reader = store.profiles()?;
    let (keys, found) = match Keyspace::try_from(keyspace.to_owned()) {
        Ok(keyspace) => match ProfileKey::new(keyspace, key) {
            Ok(key) => {
                let found = reader.find(&key)?.into_iter().collect();
                (vec![key], found)
            }
            Err(invalid) => {
                return wrong(format!("{}: expected {}", keyspace.label(), invalid.expected));
            }
        },
        Err(_) => {
            let keys = Keyspace::ALL.into_iter().filter_map(|k| ProfileKey::new(k, key).ok());
            (keys.collect(), reader.search(key)?)
        }
    };
    if !found.is_empty() {
        return Ok(Ok(found));
    }
    let why = if keys.iter().any(|key| store.is_locked(key)) {
        "This person was erased and locked: nothing is kept of them, and nothing will be taken any more"
    } else if keyspace.is_empty() {
        "Nobody has this key. Keys are looked for as a whole: an email address with its domain, a mobile number with its country code"
    } else {
        "Nobody has this key in that keyspace. Look in any keyspace, or for the key as a whole"
    };
    Ok(Err((StatusCode::NOT_FOUND, why.to_owned())))
}

fn answer(
    state: &Console,
    pairs: &Pairs,
    found: Vec<Line>,
    errors: Errors,
    status: StatusCode,
) -> Response {
    let read = |reader: &ProfileReader| -> Result<_, StoreError> {
        Ok((reader.newest(NEWEST)?, reader.count()?))
    };
    match state.console.store.profiles().and_then(|reader| read(&reader)) {
        Ok((newest, count)) => {
            let page = Find {
                key: value(pairs, "key").to_owned(),
                keyspace: value(pairs, "keyspace").to_owned(),
                found,
                newest: newest.iter().map(Line::of).collect(),
                count: thousands(count),
                errors,
            };
            page_with(status, &page)
        }
        Err(error) => failed(&error),
    }
}
