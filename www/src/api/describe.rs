//! The API described, from the operations themselves: as OpenAPI 3.1, as a page, and as docs/api.md.

mod openapi;
mod text;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::routing::get;

use super::operation::Operation;

pub(super) use openapi::openapi;

/// docs/api.md as the operations make it.
pub fn markdown() -> String {
    text::markdown(&super::operations())
}

/// `/openapi.json`, and `/api` for people to read.
pub(super) fn routes(operations: &[Operation]) -> Router {
    let described = openapi(operations).to_string();
    let page: Arc<str> =
        Page { groups: text::groups(operations) }.render().unwrap_or_default().into();
    Router::new()
        .route(
            "/openapi.json",
            get(async move || {
                ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], described.clone())
            }),
        )
        .route(
            "/api",
            get(async move || {
                let policy =
                    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";
                let headers = [
                    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
                    (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
                ];
                (headers, page.to_string())
            }),
        )
}

#[derive(Template)]
#[template(path = "api/page.html")]
struct Page {
    groups: Vec<text::Group>,
}
