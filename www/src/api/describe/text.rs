//! The operations as people read them: what the page shows, and docs/api.md.

use std::fmt::Write;

use serde_json::Value;

use super::super::caller::Needs;
use super::super::operation::Operation;
use super::openapi::{openapi, part};

/// A heading with its operations.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) operations: Vec<Described>,
}

/// One operation in words.
pub(super) struct Described {
    pub(super) id: &'static str,
    pub(super) method: String,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) about: &'static str,
    pub(super) needs: &'static str,
    /// Where it is given, name, type, what it is.
    pub(super) parameters: Vec<[String; 4]>,
    pub(super) example: &'static str,
    /// Members of the body: name, type, what it is.
    pub(super) body: Vec<[String; 3]>,
    pub(super) success: u16,
    /// Members of the answer: name, type, what it is.
    pub(super) answer: Vec<[String; 3]>,
    pub(super) refusals: Vec<(u16, &'static str)>,
}

/// The operations under their headings.
pub(super) fn groups(operations: &[Operation]) -> Vec<Group> {
    let described = openapi(operations);
    let mut groups: Vec<Group> = Vec::new();
    for operation in operations {
        let one = one(operation, &described);
        match groups.iter_mut().find(|group| group.name == operation.group) {
            Some(group) => group.operations.push(one),
            None => groups.push(Group { name: operation.group, operations: vec![one] }),
        }
    }
    groups
}

fn one(operation: &Operation, openapi: &Value) -> Described {
    let method = operation.method.as_str();
    let described = &openapi["paths"][operation.path][method.to_lowercase()];
    let schema = |content: &Value| {
        let media = content.as_object().and_then(|media| media.values().next());
        members(media.map_or(&Value::Null, |media| &media["schema"]), openapi)
    };
    let success = &described["responses"][operation.success.as_str()];
    Described {
        id: operation.id,
        method: method.to_owned(),
        path: operation.path,
        summary: operation.summary,
        about: operation.about,
        needs: match operation.needs {
            Needs::Nobody => "nobody in particular",
            Needs::Key => "an access token",
            Needs::Person => "an administrator's personal token",
            Needs::KeyOrPerson => "an access token, or an administrator's personal token",
        },
        parameters: parameters(operation),
        example: operation.example,
        body: schema(&described["requestBody"]["content"]),
        success: operation.success.as_u16(),
        answer: schema(&success["content"]),
        refusals: operation.refuses.to_vec(),
    }
}

fn parameters(operation: &Operation) -> Vec<[String; 4]> {
    let parts = operation.parts().map(|name| {
        ["path".to_owned(), name.to_owned(), "text".to_owned(), part(name).0.to_owned()]
    });
    let given = |place: &'static str, list: &'static [super::super::operation::Parameter]| {
        list.iter().map(move |parameter| {
            let kind = match parameter.kind {
                super::super::operation::Kind::Text(_) => "text".to_owned(),
                super::super::operation::Kind::Number(low, high) => format!("{low} to {high}"),
            };
            [place.to_owned(), parameter.name.to_owned(), kind, parameter.about.to_owned()]
        })
    };
    parts.chain(given("query", operation.query)).chain(given("header", operation.headers)).collect()
}

/// The members of a schema, those of what it holds after it: `items[].versions[].id`.
fn members(schema: &Value, openapi: &Value) -> Vec<[String; 3]> {
    let mut rows = Vec::new();
    walk(schema, openapi, "", 0, &mut rows);
    rows
}

fn walk(schema: &Value, openapi: &Value, at: &str, depth: u32, rows: &mut Vec<[String; 3]>) {
    let schema = resolved(schema, openapi);
    // Conditions of segments hold conditions.
    if depth > 6 {
        return;
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        let about =
            member["description"].as_str().or(resolved(member, openapi)["description"].as_str());
        let required = schema["required"]
            .as_array()
            .is_some_and(|required| required.contains(&Value::from(name.as_str())));
        let kind = kind(member, openapi) + if required { "" } else { ", optional" };
        rows.push([path.clone(), kind, about.unwrap_or_default().replace('\n', " ")]);
        walk(member, openapi, &path, depth + 1, rows);
    }
    if !schema["items"].is_null() {
        walk(&schema["items"], openapi, &format!("{at}[]"), depth + 1, rows);
    }
}

/// What a reference, or a choice between something and null, comes to.
fn resolved<'a>(schema: &'a Value, openapi: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return &openapi["components"]["schemas"][name];
    }
    let choice = schema["anyOf"].as_array().and_then(|choices| choices.first());
    choice.map_or(schema, |first| resolved(first, openapi))
}

fn kind(schema: &Value, openapi: &Value) -> String {
    let found = resolved(schema, openapi);
    let words: Vec<&str> = match &found["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut words = words.join(" or ");
    if let Some(constants) = found["enum"].as_array() {
        words = constants.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
    }
    if let Some(constant) = found["const"].as_str() {
        words = constant.to_owned();
    }
    if schema["anyOf"].is_array() {
        words += " or null";
    }
    if words.is_empty() { "any".to_owned() } else { words }
}

/// docs/api.md.
pub(super) fn markdown(operations: &[Operation]) -> String {
    let mut text = String::from(include_str!("opening.md"));
    for group in groups(operations) {
        let _ = writeln!(text, "\n## {}", group.name);
        for operation in &group.operations {
            section(&mut text, operation);
        }
    }
    text
}

fn section(text: &mut String, operation: &Described) {
    let Described { method, path, summary, about, needs, .. } = operation;
    let _ = writeln!(text, "\n### {summary}\n\n`{method} {path}`\n\n{about}\n\nNeeds {needs}.");
    if !operation.parameters.is_empty() {
        table(text, &["in", "name", "", ""], &operation.parameters);
    }
    if !operation.body.is_empty() || !operation.example.is_empty() {
        let _ = writeln!(text, "\nBody:");
        if !operation.example.is_empty() {
            let _ = writeln!(text, "\n```json\n{}\n```", operation.example);
        }
        if !operation.body.is_empty() {
            table(text, &["member", "type", ""], &operation.body);
        }
    }
    let _ = writeln!(
        text,
        "\nAnswer: **{}**{}",
        operation.success,
        if operation.answer.is_empty() { "" } else { " with" }
    );
    if !operation.answer.is_empty() {
        table(text, &["member", "type", ""], &operation.answer);
    }
    if operation.refusals.is_empty() {
        return;
    }
    let refusals: Vec<_> = operation
        .refusals
        .iter()
        .map(|(status, when)| [status.to_string(), (*when).to_owned()])
        .collect();
    table(text, &["refused", "when"], &refusals);
}

fn table<const N: usize>(text: &mut String, head: &[&str; N], rows: &[[String; N]]) {
    let _ = writeln!(text, "\n| {} |\n|{}", head.join(" | "), "---|".repeat(N));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// docs/api.md is the contract, and is what the operations say. `make docs` writes it anew.
    #[test]
    fn the_document_is_what_the_operations_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md");
        let made = super::super::markdown();
        if std::env::var_os("BEACONRY_WRITE_DOCS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == made, "docs/api.md is out of date: run `make docs`");
    }
}
