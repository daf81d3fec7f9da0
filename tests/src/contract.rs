//! Whether what the API answers is as its description says: each answer that a test gets is held against it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::http::{Answer, exchange};

/// What the API is served under.
const PREFIXES: [&str; 3] = ["/oauth/", "/audience/", "/v1/"];

/// The description of the one binary under test, read from the first server that is asked something.
static CONTRACT: OnceLock<Contract> = OnceLock::new();

/// Panics where an answer of the API is not one that its description has.
#[track_caller]
pub(crate) fn check(url: &str, method: &str, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap_or_default();
    // Where there is no answer, the test says whether that is right.
    if answer.status == 0 || !PREFIXES.iter().any(|prefix| path.starts_with(prefix)) {
        return;
    }
    let contract = CONTRACT.get_or_init(|| Contract::of(url));
    if let Err(why) = contract.holds(method, path, answer) {
        panic!("{method} {path} answered {}: {why}: {}", answer.status, answer.text());
    }
}

/// An OpenAPI description, with what its schemas were made into.
struct Contract {
    doc: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    fn new(doc: Value) -> Contract {
        Contract { doc, validators: Mutex::default() }
    }

    fn of(url: &str) -> Contract {
        let host = url.strip_prefix("http://").unwrap_or(url);
        let asked =
            format!("GET /openapi.json HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = exchange(url, asked.as_bytes()).expect("the server has its description");
        Contract::new(answer.json())
    }

    fn holds(&self, method: &str, path: &str, answer: &Answer) -> Result<(), String> {
        let Some(operation) = self.operation(method, path) else {
            let problem = json!({ "$ref": "#/components/schemas/Problem" });
            return match answer.status {
                404 | 405 => self.fits(&problem, answer),
                _ => Err("the description has no such operation".to_owned()),
            };
        };
        let described = &operation["responses"][answer.status.to_string()];
        if !described.is_object() {
            return Err("the operation is not said to answer this".to_owned());
        }
        let Some(content) = described.get("content") else {
            let empty = answer.body.is_empty();
            return empty.then_some(()).ok_or_else(|| "there is to be no body".to_owned());
        };
        let media = answer.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default();
        match content.get(media) {
            None => Err(format!("it is not said to be {media:?}")),
            Some(described) => {
                described.get("schema").map_or(Ok(()), |schema| self.fits(schema, answer))
            }
        }
    }

    /// The operation of a path: of several that fit, the one with the fewest parts left open.
    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let all = self.doc["paths"].as_object()?.iter();
        let (_, methods) = all
            .filter(|(template, _)| is_of(path, template))
            .min_by_key(|(template, _)| template.matches('{').count())?;
        methods.get(method.to_lowercase())
    }

    fn fits(&self, schema: &Value, answer: &Answer) -> Result<(), String> {
        let body: Value =
            serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        let validator = self.validator(schema)?;
        let wrong = validator.iter_errors(&body);
        let wrong: Vec<String> =
            wrong.map(|error| format!("{}: {error}", error.instance_path())).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    /// Made once: the schemas of all components go with each.
    fn validator(&self, schema: &Value) -> Result<Arc<Validator>, String> {
        let mut made = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = made.get(&schema.to_string()) {
            return Ok(validator.clone());
        }
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": self.doc["components"],
            "allOf": [schema],
        });
        let options = jsonschema::options().should_validate_formats(true);
        let validator = Arc::new(options.build(&whole).map_err(|error| error.to_string())?);
        made.insert(schema.to_string(), validator.clone());
        Ok(validator)
    }
}

/// Whether a path is of a template with `{parts}`.
fn is_of(path: &str, template: &str) -> bool {
    let parts = |path: &str| -> Vec<String> {
        path.trim_end_matches('/').split('/').map(str::to_owned).collect()
    };
    let (path, template) = (parts(path), parts(template));
    path.len() == template.len()
        && path.iter().zip(&template).all(|(part, of)| part == of || of.starts_with('{'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Contract;
    use crate::http::Answer;

    fn contract() -> Contract {
        let schema =
            |name: &str| json!({ "schema": { "$ref": format!("#/components/schemas/{name}") } });
        let found = json!({ "content": { "application/json": schema("Thing") } });
        let none = json!({ "content": { "application/problem+json": schema("Problem") } });
        Contract::new(json!({
            "paths": {
                "/v1/things/{thing}": {
                    "get": { "responses": { "200": found, "404": none } },
                    "delete": { "responses": { "204": { "description": "Done." } } },
                },
                "/v1/things/best": { "get": { "responses": { "204": {} } } },
            },
            "components": { "schemas": {
                "Thing": {
                    "type": "object",
                    "properties": { "at": { "type": ["string", "null"], "format": "date-time" } },
                    "required": ["at"],
                },
                "Problem": { "type": "object", "required": ["status"] },
            } },
        }))
    }

    fn answer(status: u16, media: &str, body: &str) -> Answer {
        let head = format!("HTTP/1.1 {status} so\r\nContent-Type: {media}");
        Answer { status, head, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn an_answer_must_be_of_a_status_a_type_and_a_shape_that_is_described() {
        let (contract, json, problem) =
            (contract(), "application/json", "application/problem+json");
        let at = r#"{"at":"2026-11-23T12:00:00Z"}"#;
        for (method, path, answer, right) in [
            ("GET", "/v1/things/a%2Fb", answer(200, json, at), true),
            ("GET", "/v1/things/a", answer(200, "application/json; charset=utf-8", at), true),
            ("GET", "/v1/things/a", answer(200, json, r#"{"at":"yesterday"}"#), false),
            ("GET", "/v1/things/a", answer(200, json, "{}"), false),
            ("GET", "/v1/things/a", answer(200, json, "not JSON"), false),
            ("GET", "/v1/things/a", answer(200, "text/html", at), false),
            ("GET", "/v1/things/a", answer(201, json, at), false),
            ("GET", "/v1/things/a", answer(404, problem, r#"{"status":404}"#), true),
            ("GET", "/v1/things/a", answer(404, problem, "{}"), false),
            ("GET", "/v1/things/best", answer(204, "", ""), true),
            ("GET", "/v1/things/best", answer(200, json, at), false),
            ("DELETE", "/v1/things/a", answer(204, "", ""), true),
            ("DELETE", "/v1/things/a", answer(204, "", "body"), false),
            ("PUT", "/v1/things/a", answer(405, problem, r#"{"status":405}"#), true),
            ("PUT", "/v1/things/a", answer(200, json, at), false),
            ("GET", "/v1/none", answer(404, problem, "{}"), false),
        ] {
            let held = contract.holds(method, path, &answer);
            assert_eq!(held.is_ok(), right, "{method} {path} {}: {held:?}", answer.text());
        }
    }
}
