//! What went wrong, as a page in the console's words. The store's own words are for who runs commands, and axum's are for
//! who writes programs; people at the console can do neither.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::Response;

use beaconry_model::error::Refusal;
use beaconry_store::StoreError;

use super::told::Told;
use crate::page::page_with;

/// What a hidden event is called where it is looked for: it has a page that says why nothing more comes, and no other.
pub(super) const HIDDEN: &str = "hidden event";

#[derive(Template)]
#[template(path = "console/problem.html")]
struct Problem {
    why: Told,
    /// A page that says more: address and words.
    link: Option<(String, &'static str)>,
}

/// A page that says what went wrong and what to do.
pub(crate) fn problem(status: StatusCode, why: &str) -> Response {
    page_with(status, &Problem { why: why.into(), link: None })
}

/// A store's error as a page.
pub(super) fn failed(error: &StoreError) -> Response {
    let status = match error {
        StoreError::NotFound { .. } => StatusCode::NOT_FOUND,
        StoreError::Refused(_) | StoreError::Ambiguous { .. } => StatusCode::CONFLICT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    if status.is_server_error() {
        tracing::error!(%error, "a page of the console could not be made");
    }
    let link = match error {
        StoreError::NotFound { what: HIDDEN, name } => {
            Some((format!("/events/{name}/why"), "Why nothing more arrives"))
        }
        _ => None,
    };
    page_with(status, &Problem { why: said(error), link })
}

/// What a store's error says to people, with what they can do.
fn said(error: &StoreError) -> Told {
    match error {
        StoreError::NotFound { what: HIDDEN, .. } => {
            "This event is hidden, which cannot be undone: it takes no more data, and has no pages any more.".into()
        }
        StoreError::NotFound { what, name } => {
            format!("There is no {what} “{name}” here; it may have been deleted. Start from the events.").into()
        }
        StoreError::Ambiguous { slug, .. } => {
            format!("Several events are called “{slug}”. Open the one you mean from the events.").into()
        }
        StoreError::Refused(refusal) => refused(refusal),
        StoreError::Broken { .. } => error.to_string().into(),
        // What the others say names files of the server; the log has it.
        _ => "The server could not read or write its data. Try again; if it stays so, an administrator finds the cause in \
              what the server prints."
            .into(),
    }
}

/// What a refusal says to people, its moment in their own time zone.
fn refused(refusal: &Refusal) -> Told {
    match refusal {
        Refusal::Locked { until } => Told::at(
            "The event is locked until ",
            *until,
            ", because its fields were changed less than an hour ago. Change the fields after that; name, description, \
             allowed operations, triggers and values can be changed meanwhile.",
        ),
        Refusal::Pending { version, until } => Told::at(
            format!("Version {version} is pending until "),
            *until,
            ", and no snippet can carry it before. Wait for that, or choose on the page of web tracking that it happens \
             when the new version is current.",
        ),
        other => other.to_string().into(),
    }
}

/// What axum answers before a handler runs, where an address or a form is not what the route takes, as a page. Inside of
/// what finds out who asks, so that the page is a whole one.
pub(super) async fn as_page(answer: Response) -> Response {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain")) {
        return answer;
    }
    let why = match answer.status() {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            "This address or form holds something else than was expected there, so nothing was done. Go back, load the page \
             anew, and follow a link or send the form from there."
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            "Nothing is done by opening this address. Go back, and use the button on the page."
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            "This was not sent by a form of the console, so nothing was done. Do it on the page."
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            "The form holds more than 2 MB, so nothing was done. Go back, and send less at once."
        }
        StatusCode::INTERNAL_SERVER_ERROR => {
            "The page could not be made. Try again; if it stays so, an administrator finds the cause in what the server prints."
        }
        _ => return answer,
    };
    let mut page = problem(answer.status(), why);
    if let Some(allowed) = answer.headers().get(header::ALLOW) {
        page.headers_mut().insert(header::ALLOW, allowed.clone());
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use beaconry_model::time::Timestamp;

    #[test]
    fn errors_speak_to_people_who_have_no_command_line() {
        let until = Timestamp(0);
        let not_found = |what| StoreError::NotFound { what, name: "orders".to_owned() };
        let errors = [
            not_found("event"),
            not_found(HIDDEN),
            StoreError::Ambiguous { slug: "orders".to_owned(), candidates: vec![] },
            StoreError::Refused(Refusal::Locked { until }),
            StoreError::Refused(Refusal::Pending { version: 2, until }),
            StoreError::Folder { path: "/srv/data".into(), error: std::io::Error::other("gone") },
            StoreError::Damaged { what: "row 7 of events.db".to_owned() },
            StoreError::NoAnswer,
            StoreError::Stopped,
        ];
        for error in errors {
            let Told { text, rest, .. } = said(&error);
            for word in ["`", "--", ".db", "/srv", "database", "1970"] {
                assert!(!text.contains(word) && !rest.contains(word), "{error:?}: {text}{rest}");
            }
        }
    }

    #[test]
    fn a_moment_is_told_apart_from_its_words() {
        let told = said(&StoreError::Refused(Refusal::Locked { until: Timestamp(5) }));
        assert_eq!(
            (told.text.as_str(), told.at),
            ("The event is locked until ", Some(Timestamp(5)))
        );
        assert_eq!(told.after("Edit: ").text, "Edit: The event is locked until ");
        assert_eq!(Told::from("No more.").at, None);
    }
}
