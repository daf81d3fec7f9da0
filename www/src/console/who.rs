//! Who asks, as the audit log calls them.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// The person behind a request.
#[derive(Clone, Debug)]
pub(super) struct Who {
    name: String,
}

impl Who {
    /// What the audit log says.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Who, Infallible> {
        Ok(Who { name: "console".to_owned() })
    }
}
