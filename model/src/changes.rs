//! What changes from one version's fields to another's, so that people see it before they save and between any two versions.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::fields::{Field, Fields};

/// One difference between the fields of two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The field is new.
    Added {
        /// Its name.
        field: String,
        /// What it asks of a value.
        now: String,
    },
    /// The field is gone.
    Removed {
        /// Its name.
        field: String,
        /// What it asked of a value.
        was: String,
    },
    /// The field asks something else.
    Changed {
        /// Its name.
        field: String,
        /// What it asked of a value.
        was: String,
        /// What it asks of a value.
        now: String,
    },
    /// The same fields come in another order.
    Reordered,
}

/// Every difference, in the order of the fields; what is gone comes last.
pub fn changes(before: &Fields, after: &Fields) -> Vec<Change> {
    let mut changes = Vec::new();
    for field in after {
        let name = field.name().to_string();
        match before.get(&name) {
            None => changes.push(Change::Added { field: name, now: asks(field) }),
            Some(was) if was != field => {
                changes.push(Change::Changed { field: name, was: asks(was), now: asks(field) });
            }
            Some(_) => {}
        }
    }
    let gone = before.iter().filter(|field| after.get(field.name().as_str()).is_none());
    changes.extend(
        gone.map(|field| Change::Removed { field: field.name().to_string(), was: asks(field) }),
    );
    if changes.is_empty() && before != after {
        changes.push(Change::Reordered);
    }
    changes
}

/// What a field asks of a value, in a line: its type, whether it is required, and its limits.
pub fn asks(field: &Field) -> String {
    let mut line = field.kind().label().to_owned();
    if field.required() {
        line.push_str(", required");
    }
    let limits = limits(field);
    if !limits.is_empty() {
        line.push_str(", ");
        line.push_str(&limits);
    }
    line
}

/// A field's limits in words; empty where it has none.
pub fn limits(field: &Field) -> String {
    let limits = field.limits();
    let mut phrases = Vec::new();
    phrases.extend(limits.max_length.map(|length| format!("at most {length} characters")));
    phrases.extend(limits.min.map(|min| format!("at least {min}")));
    phrases.extend(limits.max.map(|max| format!("at most {max}")));
    if !limits.allowed.is_empty() {
        phrases.push(format!("one of {}", limits.allowed.join(", ")));
    }
    phrases.join(", ")
}
