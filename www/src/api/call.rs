//! One request as a handler gets it: who asks, the parts of the address, the body.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use beaconry_model::key::Use;
use beaconry_model::names::SectionId;
use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_model::section::Section;
use beaconry_model::time::Timestamp;
use beaconry_store::{Pooled, Snapshot, StoreError};

use super::Api;
use super::caller::Caller;
use super::problem::Problem;

/// One request.
pub(super) struct Call {
    pub(super) api: Api,
    pub(super) caller: Caller,
    pub(super) now: Timestamp,
    /// The parts of the path by name, decoded.
    pub(super) parts: Vec<(&'static str, String)>,
    /// The query, decoded.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// How long a reader waits for what was stored just before, at the most.
const LINKED: Duration = Duration::from_secs(2);

impl Call {
    /// Profiles, with what somebody posted a moment ago on them: linking is behind the log. Blocks, so not for an async
    /// thread.
    pub(super) fn profiles_now(&self) -> Result<Pooled<'_>, StoreError> {
        Handle::current().block_on(self.api.store.linked(LINKED));
        self.api.store.profiles()
    }

    /// A part of the path.
    pub(super) fn part(&self, name: &str) -> &str {
        self.parts.iter().find(|(part, _)| *part == name).map_or("", |(_, value)| value)
    }

    /// A value of the query, where it is there.
    pub(super) fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// A number of the query, within bounds.
    pub(super) fn number<T>(&self, name: &str, low: T, high: T, without: T) -> Result<T, Problem>
    where
        T: FromStr + PartialOrd + std::fmt::Display + Copy,
    {
        let Some(text) = self.asked(name) else { return Ok(without) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<T>() {
            Ok(number) if digits && number >= low && number <= high => Ok(number),
            _ => Err(Problem::bad_request(
                "invalid",
                format!("{name}: expected a number from {low} to {high}, got {text:?}"),
            )),
        }
    }

    /// The body, read as JSON whatever its content type says.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        // Every body is an object. A list would be read as one, member by member in their order.
        if self.body.trim_ascii_start().first() != Some(&b'{') {
            let detail = "body: expected a JSON object, got something else";
            return Err(Problem::bad_request("invalid_body", detail));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| Problem::bad_request("invalid_body", format!("body: {error}")))
    }

    /// All definitions.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.api.store.snapshot()
    }

    /// The section of the path, where the caller may do this with it.
    pub(super) fn section(&self, what: Use) -> Result<Arc<Section>, Problem> {
        self.caller.may(what)?;
        self.section_called(self.part("section"))
    }

    /// The section with this id, where the caller sees it. One that it does not see is refused whether it exists or not.
    pub(super) fn section_called(&self, id: &str) -> Result<Arc<Section>, Problem> {
        let covered = SectionId::try_from(id.to_owned()).is_ok_and(|id| self.caller.covers(&id));
        if !covered && !self.caller.covers_all() {
            return Err(Problem::forbidden(format!(
                "the API key is not for the section \"{id:.200}\"; list its sections with GET /audience/sections"
            )));
        }
        let snapshot = self.snapshot();
        let found = snapshot.sections().iter().find(|section| section.id.as_str() == id).cloned();
        found.ok_or_else(|| {
            Problem::from(StoreError::NotFound { what: "section", name: id.to_owned() })
        })
    }

    /// The keyspace with this address, where the caller reaches it.
    pub(super) fn keyspace_called(&self, address: &str) -> Result<Keyspace, Problem> {
        let found = Keyspace::ALL.into_iter().find(|found| found.discriminator() == address);
        let keyspace = found.ok_or_else(|| {
            let name = address.to_owned();
            Problem::from(StoreError::NotFound { what: "keyspace", name })
        })?;
        if self.caller.reaches(keyspace) {
            return Ok(keyspace);
        }
        Err(Problem::forbidden(format!(
            "the API key is not for the keyspace {address}; list its keyspaces with GET /audience/keyspaces"
        )))
    }

    /// The profile's key that the path names, where the caller may do this through its keyspace.
    pub(super) fn profile_key(&self, what: Use) -> Result<ProfileKey, Problem> {
        self.caller.may(what)?;
        let keyspace = self.keyspace_called(self.part("keyspace"))?;
        key(keyspace, self.part("key"))
    }
}

/// A key of a profile, in the one form in which it is kept.
pub(super) fn key(keyspace: Keyspace, text: &str) -> Result<ProfileKey, Problem> {
    ProfileKey::new(keyspace, text)
        .map_err(|invalid| Problem::bad_request("invalid_key", invalid.to_string()))
}
