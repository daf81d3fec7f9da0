//! Why a request was refused, as RFC 9457 says it: the one place where a refusal becomes a status and a message.

use std::time::Duration;

use axum::Json;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use beaconry_model::error::Refusal;
use beaconry_store::StoreError;

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    pub(crate) errors: Vec<Fault>,
    retry_after: Option<Duration>,
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Fault {
    /// The item's place in the request, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<usize>,
    /// The field's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    /// The stable code.
    pub(crate) code: String,
    /// What was expected and what came.
    pub(crate) detail: String,
}

/// How a refusal is written.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemDoc {
    /// Always `about:blank`: the status says what kind of problem it is, `code` says it more finely.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: String,
    /// The status.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What was expected, what came, and what to do.
    detail: String,
    /// The stable code.
    code: String,
    /// The same code, where clients of OAuth look for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Each thing that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Problem {
        Problem { status, code, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// 400: something in the request is wrong.
    pub(crate) fn bad_request(code: &'static str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401: who asks is not known.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, "invalid_token", detail)
    }

    /// 403: who asks may not.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "not_allowed", detail)
    }

    /// 404: there is none.
    pub(crate) fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 409: it cannot be done as things stand.
    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::CONFLICT, code, detail)
    }

    /// 429: too often.
    pub(crate) fn too_many(detail: impl Into<String>, wait: Duration) -> Problem {
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail);
        Problem { retry_after: Some(wait), ..problem }
    }

    /// 503: not now.
    pub(crate) fn unavailable(
        code: &'static str,
        detail: impl Into<String>,
        wait: Duration,
    ) -> Problem {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        Problem { retry_after: Some(wait), ..problem }
    }

    /// 405: the path does not take this method.
    pub(crate) fn method_not_allowed(allowed: &str) -> Response {
        let detail = format!("method: expected {allowed}");
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        let mut answer = problem.into_response();
        if let Ok(allowed) = HeaderValue::from_str(allowed) {
            answer.headers_mut().insert(ALLOW, allowed);
        }
        answer
    }

    pub(crate) fn with(self, errors: Vec<Fault>) -> Problem {
        Problem { errors, ..self }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        let detail = error.to_string();
        match &error {
            StoreError::Refused(Refusal::Invalid(_)) => Problem::bad_request("invalid", detail),
            StoreError::Refused(refusal) => Problem::conflict(refusal.code(), detail),
            StoreError::NotFound { what, name } => {
                Problem::not_found(format!("{what}: there is none called \"{name:.200}\""))
            }
            StoreError::Ambiguous { .. } => Problem::conflict("ambiguous", detail),
            StoreError::Broken { .. } => Problem::conflict("broken", detail),
            _ => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let oauth = matches!(
            self.code,
            "invalid_client" | "invalid_request" | "unsupported_grant_type" | "invalid_token"
        );
        let doc = ProblemDoc {
            kind: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or("Refused").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code.to_owned(),
            error: oauth.then(|| self.code.to_owned()),
            errors: self.errors,
        };
        let mut answer = (self.status, Json(doc)).into_response();
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            headers.insert(WWW_AUTHENTICATE, scheme);
        }
        if let Some(wait) = self.retry_after {
            let seconds = u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}
