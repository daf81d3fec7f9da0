//! What differs between two documents, as lines that people can read.

use std::collections::BTreeMap;

use serde_json::Value;

/// The most lines that are shown; a definition of a hundred fields has more.
const MOST: usize = 200;
/// The most characters of a value.
const LONGEST: usize = 200;

/// One place that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where: `fields › total › required`.
    pub(super) place: String,
    /// Blank where it was not there.
    pub(super) before: String,
    /// Blank where it is not there any more.
    pub(super) after: String,
}

impl Line {
    /// A word for what happened, and the class it is shown with.
    pub(super) fn mark(&self) -> &'static str {
        match (self.before.is_empty(), self.after.is_empty()) {
            (true, _) => "added",
            (_, true) => "removed",
            _ => "changed",
        }
    }
}

/// Every place that differs: those of the document after in its order, then those that are gone.
pub(super) fn difference(before: Option<&str>, after: Option<&str>) -> Vec<Line> {
    let (before, after) = (places(before), places(after));
    let was: BTreeMap<&str, &str> = by_place(&before);
    let is: BTreeMap<&str, &str> = by_place(&after);
    let gone = before.iter().filter(|(place, _)| !is.contains_key(place.as_str()));
    let line = |(place, _): &(String, String)| Line {
        place: place.clone(),
        before: was.get(place.as_str()).copied().unwrap_or_default().to_owned(),
        after: is.get(place.as_str()).copied().unwrap_or_default().to_owned(),
    };
    let lines = after.iter().chain(gone).map(line).filter(|line| line.before != line.after);
    lines.take(MOST).collect()
}

fn by_place(places: &[(String, String)]) -> BTreeMap<&str, &str> {
    places.iter().map(|(place, value)| (place.as_str(), value.as_str())).collect()
}

/// Every leaf of a document with where it is.
fn places(document: Option<&str>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Some(Ok(value)) = document.map(serde_json::from_str::<Value>) {
        gather(String::new(), &value, &mut found);
    }
    found
}

fn gather(place: String, value: &Value, found: &mut Vec<(String, String)>) {
    let below = |name: &str| {
        if place.is_empty() { name.to_owned() } else { format!("{place} › {name}") }
    };
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| gather(below(name), value, found));
        }
        Value::Array(list) if list.iter().any(|one| one.is_object()) => {
            for (at, value) in list.iter().enumerate() {
                gather(below(&name_of(value, at)), value, found);
            }
        }
        Value::Null => {}
        Value::Array(list) => {
            let texts: Vec<String> = list.iter().map(leaf).collect();
            found.push((place, cut(&texts.join(", "))));
        }
        value => found.push((place, cut(&leaf(value)))),
    }
}

/// What a member of a list is known by: its own name or number, so that one that moved is the same.
fn name_of(value: &Value, at: usize) -> String {
    let known = ["name", "number", "field", "id"].iter().find_map(|name| value.get(name));
    known.map_or_else(|| (at + 1).to_string(), leaf)
}

fn leaf(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "“”".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(before: &str, after: &str) -> Vec<String> {
        let document = |text| Some(text).filter(|text: &&str| !text.is_empty());
        let lines = difference(document(before), document(after)).into_iter();
        lines
            .map(|line| format!("{} {}: {} → {}", line.mark(), line.place, line.before, line.after))
            .collect()
    }

    #[test]
    fn what_differs_is_named_by_where_it_is() {
        let table: [(&str, &str, &[&str]); 7] = [
            (r#"{"name":"A","x":1}"#, r#"{"name":"B","x":1}"#, &["changed name: A → B"]),
            ("", r#"{"name":"A","on":true}"#, &["added name:  → A", "added on:  → yes"]),
            (r#"{"name":"A"}"#, "", &["removed name: A → "]),
            (r#"{"a":[]}"#, r#"{"a":["x","y"]}"#, &["added a:  → x, y"]),
            (
                r#"{"fields":[{"name":"a","required":false},{"name":"b","required":false}]}"#,
                r#"{"fields":[{"name":"b","required":true}]}"#,
                &[
                    "changed fields › b › required: no → yes",
                    "removed fields › a › name: a → ",
                    "removed fields › a › required: no → ",
                ],
            ),
            (r#"{"a":null}"#, r#"{"a":""}"#, &["added a:  → “”"]),
            ("not a document", r#"{"a":1}"#, &["added a:  → 1"]),
        ];
        for (before, after, expected) in table {
            assert_eq!(lines(before, after), expected, "{before} {after}");
        }
    }

    #[test]
    fn what_is_long_is_cut() {
        let long = format!(r#"{{"a":"{}"}}"#, "ä".repeat(1_000));
        let lines = difference(None, Some(&long));
        assert_eq!(lines[0].after.chars().count(), LONGEST + 1);
        let many: Vec<String> = (0..1_000).map(|n| format!(r#""f{n}":1"#)).collect();
        let many = format!("{{{}}}", many.join(","));
        assert_eq!(difference(None, Some(&many)).len(), MOST);
    }
}
