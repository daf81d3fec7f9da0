//! Who asks: the person behind a request, for handlers, for templates and for the audit log.

use std::future::Future;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use beaconry_store::{Person, Role};

tokio::task_local! {
    /// Set while a request is answered, so that what every page shows need not go through every handler.
    static WHO: Option<Who>;
}

/// The person behind a request.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) person: Person,
}

impl Who {
    /// What the audit log says.
    pub(super) fn name(&self) -> &str {
        self.person.email.as_str()
    }

    /// Whether they may what this role may.
    pub(super) fn may(&self, role: Role) -> bool {
        self.person.role >= role
    }

    /// Answers a request as asked by somebody, or by nobody known.
    pub(super) async fn answer<T>(who: Option<Who>, work: impl Future<Output = T>) -> T {
        WHO.scope(who, work).await
    }

    /// Makes what comes after the answer began, such as a message of a stream, as asked by this person.
    pub(super) fn later<T>(&self, make: impl FnOnce() -> T) -> T {
        WHO.sync_scope(Some(self.clone()), make)
    }
}

/// The person for a handler. The route's role has them checked before; a handler of an open route has nobody.
impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Who, Self::Rejection> {
        let nobody = (StatusCode::UNAUTHORIZED, "Log in first.\n");
        parts.extensions.get::<Who>().cloned().ok_or(nobody)
    }
}

/// For templates: the person whose request is answered. Nobody in what is made after the answer began, but by
/// [`Who::later`].
pub(super) fn here() -> Option<Who> {
    WHO.try_with(Clone::clone).ok().flatten()
}

/// For templates: whether the person may what this role may.
pub(super) fn may(role: Role) -> bool {
    here().is_some_and(|who| who.may(role))
}

/// For templates: whether the person may change events, their tracking and the quarantine.
pub(super) fn marketer() -> bool {
    may(Role::Marketer)
}

/// For templates: whether the person may change sections, people and settings.
pub(super) fn administrator() -> bool {
    may(Role::Administrator)
}
