//! Who asks: the bearer token of a request, and what it opens.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use beaconry_model::key::Use;
use beaconry_model::names::SectionId;
use beaconry_model::profile::Keyspace;
use beaconry_model::time::Timestamp;
use beaconry_store::{ApiKey, Keys, People, PersonalToken, Role, StoreError};

use super::Api;
use super::problem::Problem;

/// The owner of what was made on the server's command line.
const COMMAND_LINE: &str = "command line";

/// Who must ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Anybody.
    Nobody,
    /// An outside system with an API key.
    Key,
    /// An administrator with a personal token, never an API key.
    Person,
    /// Either.
    KeyOrPerson,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// Nobody in particular.
    Nobody,
    /// An outside system.
    Key(Arc<ApiKey>),
    /// An administrator.
    Person(Arc<PersonalToken>),
}

impl Caller {
    /// Finds out who asks, where that is needed.
    pub(super) fn find(
        needs: Needs,
        headers: &HeaderMap,
        api: &Api,
        now: Timestamp,
    ) -> Result<Caller, Problem> {
        if needs == Needs::Nobody {
            return Ok(Caller::Nobody);
        }
        let token = bearer(headers)?;
        if Keys::is_personal(token) {
            let person = api.keys.by_personal_token(token, now)?.ok_or_else(unknown_person)?;
            still_administrator(&person, &api.people)?;
            if needs == Needs::Key {
                return Err(Problem::forbidden(
                    "expected an access token of an API key, got a personal token; make a key in the settings",
                ));
            }
            return Ok(Caller::Person(person));
        }
        let key = api.keys.by_access_token(token, now)?.ok_or_else(unknown_key)?;
        if needs == Needs::Person {
            return Err(Problem::forbidden(
                "expected an administrator's personal token, got an API key's: outside systems post, and never define",
            ));
        }
        Ok(Caller::Key(key))
    }

    /// What its rate goes by.
    pub(super) fn id(&self) -> String {
        match self {
            Caller::Nobody => String::new(),
            Caller::Key(key) => key.client_id.clone(),
            Caller::Person(person) => format!("person {}", person.number),
        }
    }

    /// What the audit log calls them.
    pub(super) fn actor(&self) -> String {
        match self {
            Caller::Nobody => "api".to_owned(),
            Caller::Key(key) => format!("api key {}", key.client_id),
            Caller::Person(person) => person.owner.clone(),
        }
    }

    /// Whether it sees this section. A section that it does not see is refused whether it exists or not.
    pub(super) fn covers(&self, section: &SectionId) -> bool {
        match self {
            Caller::Nobody => false,
            Caller::Key(key) => key.may.covers(section),
            Caller::Person(_) => true,
        }
    }

    /// Whether it sees all sections there are.
    pub(super) fn covers_all(&self) -> bool {
        match self {
            Caller::Nobody => false,
            Caller::Key(key) => key.may.sections() == &beaconry_model::key::Sections::All,
            Caller::Person(_) => true,
        }
    }

    /// Whether it reaches this keyspace.
    pub(super) fn reaches(&self, keyspace: Keyspace) -> bool {
        match self {
            Caller::Nobody => false,
            Caller::Key(key) => key.may.reaches(keyspace),
            Caller::Person(_) => true,
        }
    }

    /// Refuses what the key is not for.
    pub(super) fn may(&self, what: Use) -> Result<(), Problem> {
        match self {
            Caller::Key(key) if !key.may.allows(what) => Err(Problem::forbidden(format!(
                "the API key \"{}\" may not {}; make another one in the settings",
                key.name,
                what.word()
            ))),
            _ => Ok(()),
        }
    }
}

/// Refuses the token of somebody who is no administrator any more. One made on the command line is as good as the data
/// folder it was made in.
fn still_administrator(token: &PersonalToken, people: &People) -> Result<(), Problem> {
    if token.owner == COMMAND_LINE {
        return Ok(());
    }
    match people.find(&token.owner) {
        Ok(owner) if owner.role == Role::Administrator => Ok(()),
        Ok(_) | Err(StoreError::NotFound { .. }) => Err(Problem::forbidden(
            "expected the personal token of an administrator; its owner is none any more, so ask an administrator for the role",
        )),
        Err(error) => Err(error.into()),
    }
}

/// The token of `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let missing = || {
        Problem::unauthorized(
            "Authorization: expected \"Bearer\" and an access token; get one with POST /oauth/token",
        )
    };
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(missing()) };
    let (scheme, token) =
        value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    Ok(token.trim())
}

fn unknown_key() -> Problem {
    Problem::unauthorized(
        "Authorization: expected an access token that is good, got one that is over, revoked or not from here; \
         get a new one with POST /oauth/token",
    )
}

fn unknown_person() -> Problem {
    Problem::unauthorized(
        "Authorization: expected a personal token that is good, got one that is over, revoked or not from here; \
         make a new one with `beaconry token create`",
    )
}
