//! One thing the API can do, declared once: where it is, who may, what comes in and goes out, and the function that does
//! it. Types of bodies and answers are those of the function, so that the description cannot say others.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::Call;
use super::caller::Needs;
use super::problem::Problem;

/// The most bytes of a request's body: 100 kB.
pub(super) const MAX_BODY: usize = 100_000;

/// One thing the API can do.
pub(super) struct Operation {
    pub(super) method: Method,
    /// Its path, `{parts}` in braces.
    pub(super) path: &'static str,
    /// Its name in generated clients.
    pub(super) id: &'static str,
    /// The heading it stands under.
    pub(super) group: &'static str,
    /// What it does, in a few words.
    pub(super) summary: &'static str,
    /// What it does, in sentences.
    pub(super) about: &'static str,
    pub(super) needs: Needs,
    pub(super) query: &'static [Parameter],
    pub(super) headers: &'static [Parameter],
    pub(super) body: Option<Shape>,
    pub(super) max_body: usize,
    /// A body as it may come.
    pub(super) example: &'static str,
    pub(super) success: StatusCode,
    pub(super) answer: Option<Shape>,
    /// The types of the files it may answer with instead.
    pub(super) files: &'static [&'static str],
    /// Statuses of its refusals, beside those that who asks, rates and bodies bring, and when.
    pub(super) refuses: &'static [(u16, &'static str)],
    pub(super) run: Run,
}

/// What an operation does.
pub(super) type Run = Box<dyn Fn(&Call) -> Result<Response, Problem> + Send + Sync>;

/// The schema of a type.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// A value of the query or a header.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) kind: Kind,
}

/// What a parameter holds.
pub(super) enum Kind {
    /// Text of at most so many bytes.
    Text(u32),
    /// A number from, to.
    Number(i64, i64),
}

/// What a function of the API gives: a status, and perhaps a body of a type.
pub(super) trait Outcome {
    const STATUS: StatusCode;
    const SHAPE: Option<Shape>;
    fn answer(self) -> Response;
}

/// 200 with a body.
pub(super) struct Found<T>(pub(super) T);
/// 201 with a body.
pub(super) struct Created<T>(pub(super) T);
/// 204.
pub(super) struct Done;
/// 200 with a file, streamed as it is made.
pub(super) struct File(pub(super) Response);

impl<T: Serialize + JsonSchema> Outcome for Found<T> {
    const STATUS: StatusCode = StatusCode::OK;
    const SHAPE: Option<Shape> = Some(shape::<T>);

    fn answer(self) -> Response {
        Json(self.0).into_response()
    }
}

impl<T: Serialize + JsonSchema> Outcome for Created<T> {
    const STATUS: StatusCode = StatusCode::CREATED;
    const SHAPE: Option<Shape> = Some(shape::<T>);

    fn answer(self) -> Response {
        Json(self.0).into_response()
    }
}

impl Outcome for Done {
    const STATUS: StatusCode = StatusCode::NO_CONTENT;
    const SHAPE: Option<Shape> = None;

    fn answer(self) -> Response {
        ().into_response()
    }
}

impl Outcome for File {
    const STATUS: StatusCode = StatusCode::OK;
    const SHAPE: Option<Shape> = None;

    fn answer(self) -> Response {
        self.0
    }
}

fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// An operation without a body.
pub(super) fn without<O: Outcome + 'static>(
    method: Method,
    path: &'static str,
    id: &'static str,
    run: fn(&Call) -> Result<O, Problem>,
) -> Operation {
    declared::<O>(method, path, id, Box::new(move |call| run(call).map(answered)))
}

/// An operation with a body of this type.
pub(super) fn with<B: DeserializeOwned + JsonSchema + 'static, O: Outcome + 'static>(
    method: Method,
    path: &'static str,
    id: &'static str,
    run: fn(&Call, B) -> Result<O, Problem>,
) -> Operation {
    let run = Box::new(move |call: &Call| run(call, call.json()?).map(answered));
    Operation { body: Some(shape::<B>), ..declared::<O>(method, path, id, run) }
}

/// An operation that reads its body itself; the type says of what form that is.
pub(super) fn with_raw<B: JsonSchema + 'static, O: Outcome + 'static>(
    method: Method,
    path: &'static str,
    id: &'static str,
    run: fn(&Call) -> Result<O, Problem>,
) -> Operation {
    Operation { body: Some(shape::<B>), ..without(method, path, id, run) }
}

fn declared<O: Outcome>(
    method: Method,
    path: &'static str,
    id: &'static str,
    run: Run,
) -> Operation {
    Operation {
        method,
        path,
        id,
        group: "",
        summary: "",
        about: "",
        needs: Needs::Key,
        query: &[],
        headers: &[],
        body: None,
        max_body: MAX_BODY,
        example: "",
        success: O::STATUS,
        answer: O::SHAPE,
        files: &[],
        refuses: &[],
        run,
    }
}

fn answered<O: Outcome>(outcome: O) -> Response {
    let mut answer = outcome.answer();
    *answer.status_mut() = O::STATUS;
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

impl Operation {
    /// The names of the parts of its path, in order.
    pub(super) fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Every status it can refuse with, and when, in order.
    pub(super) fn refusals(&self) -> Vec<(u16, &'static str)> {
        let mut refusals = self.refuses.to_vec();
        let mut common = |status, when| {
            if refusals.iter().all(|(known, _)| *known != status) {
                refusals.push((status, when));
            }
        };
        // An address that cannot be decoded is wrong whatever the operation.
        common(400, "Something in the request is wrong; the detail names it.");
        if self.needs != Needs::Nobody {
            common(401, "There is no token, or it is not good any more.");
            common(403, "The token is not for this.");
            common(429, "Too many requests; wait `Retry-After` seconds.");
        }
        if self.body.is_some() {
            common(408, "The body did not come within ten seconds.");
            common(413, "The body is too large.");
        }
        common(500, "The server failed; what it prints says how.");
        refusals.sort_by_key(|(status, _)| *status);
        refusals
    }
}
