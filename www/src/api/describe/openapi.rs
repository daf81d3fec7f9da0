//! The operations as an OpenAPI 3.1 description.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::super::caller::Needs;
use super::super::operation::{Kind, Operation, Parameter};
use super::super::problem::ProblemDoc;

/// The description of these operations.
pub(in super::super) fn openapi(operations: &[Operation]) -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let described = describe(operation, &mut schemas);
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_lowercase()] = described;
    }
    let schemas = schemas.all();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Beaconry",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Post events to profiles, and read what is known of them. Outside systems post, never define.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "accessToken": { "type": "http", "scheme": "bearer", "description": "An access token of an API key, from POST /oauth/token." },
                "personalToken": { "type": "http", "scheme": "bearer", "description": "An administrator's personal token, from `beaconry token create`." },
            },
        },
    })
}

/// The schemas of what comes in and of what goes out: a member may be left out of the one and always be in the other.
struct Schemas {
    bodies: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Schemas {
    fn new() -> Schemas {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Schemas {
            bodies: settings().for_deserialize().into_generator(),
            answers: settings().for_serialize().into_generator(),
        }
    }

    fn all(mut self) -> Map<String, Value> {
        let mut all = self.bodies.take_definitions(true);
        all.extend(self.answers.take_definitions(true));
        all
    }
}

fn describe(operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut answers = Map::new();
    let success = match operation.answer {
        Some(shape) => json!({
            "description": operation.summary,
            "content": { "application/json": { "schema": shape(&mut schemas.answers) } },
        }),
        None if !operation.files.is_empty() => {
            let media = operation.files.iter().map(|media| ((*media).to_owned(), json!({})));
            let content: Map<String, Value> = media.collect();
            json!({ "description": operation.summary, "content": content })
        }
        None => json!({ "description": "Done; there is no body." }),
    };
    answers.insert(operation.success.as_str().to_owned(), success);
    let problem = schemas.answers.subschema_for::<ProblemDoc>();
    for (status, when) in operation.refusals() {
        let mut answer = json!({
            "description": when,
            "content": { "application/problem+json": { "schema": problem } },
        });
        if matches!(status, 429 | 503) {
            answer["headers"] = json!({ "Retry-After": {
                "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 1 },
            } });
        }
        answers.insert(status.to_string(), answer);
    }
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.group],
        "summary": operation.summary,
        "description": operation.about,
        "parameters": parameters(operation),
        "responses": answers,
        "security": security(operation.needs),
    });
    if let Some(shape) = operation.body {
        let media = if operation.method == axum::http::Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        described["requestBody"] = json!({
            "required": true,
            "content": { media: { "schema": shape(&mut schemas.bodies) } },
        });
    }
    described
}

fn security(needs: Needs) -> Value {
    match needs {
        Needs::Nobody => json!([]),
        Needs::Key => json!([{ "accessToken": [] }]),
        Needs::Person => json!([{ "personalToken": [] }]),
        Needs::KeyOrPerson => json!([{ "accessToken": [] }, { "personalToken": [] }]),
    }
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let parts = operation.parts().map(|name| {
        let (about, schema) = part(name);
        json!({ "name": name, "in": "path", "required": true, "description": about, "schema": schema })
    });
    let query = operation.query.iter().map(|parameter| given(parameter, "query"));
    let headers = operation.headers.iter().map(|parameter| given(parameter, "header"));
    parts.chain(query).chain(headers).collect()
}

fn given(parameter: &Parameter, place: &str) -> Value {
    let schema = match parameter.kind {
        Kind::Text(most) => json!({ "type": "string", "minLength": 1, "maxLength": most }),
        Kind::Number(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
    };
    json!({ "name": parameter.name, "in": place, "description": parameter.about, "schema": schema })
}

/// What each part of a path is, whatever operation it stands in.
pub(super) fn part(name: &str) -> (&'static str, Value) {
    let text = || json!({ "type": "string", "minLength": 1 });
    match name {
        "keyspace" => ("A keyspace's discriminator, like `com.apsis1.keyspaces.email`.", text()),
        "key" => {
            ("The profile's key in that keyspace, percent-encoded: `ada%40shop.example`.", text())
        }
        "section" => ("A section's discriminator.", text()),
        "channel" => ("A channel's discriminator, like `com.apsis1.channels.email`.", text()),
        "address" => ("The address in that channel, percent-encoded.", text()),
        "attribute" => ("An attribute's discriminator.", text()),
        "list" => ("A consent list's discriminator.", text()),
        "segment" => ("A segment's discriminator.", text()),
        "version" => ("The id of a version.", text()),
        "event" => ("An event's discriminator, or its slug where only one event has it.", text()),
        "webhook" => ("A webhook's discriminator.", text()),
        "number" => ("Its number.", json!({ "type": "integer", "minimum": 1 })),
        _ => ("", text()),
    }
}
