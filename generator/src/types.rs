//! The TypeScript types of one event. Files of several events merge: each adds an overload of `track`.

use std::fmt::Write;

use beaconry_model::fields::Field;
use beaconry_model::value::Kind;

use crate::Input;
use crate::literal::text;

/// The declarations that every event's file repeats, each of a form that TypeScript merges with itself.
const SHARED: &str = r#"/** What is wrong with one field, or with the whole event where `field` is empty. */
interface BeaconryFieldError {
  field: string;
  /** A stable code: "missing_field", "unexpected_field", "wrong_type", "too_long", "not_allowed", "out_of_range", "too_large", "stale_version", "no_consent". */
  code: string;
  expected?: string;
  got?: unknown;
}

interface Beaconry {
  /** Whether the visitor agrees. Nothing is remembered: call it on each page. A refusal forgets what was not yet sent. */
  consent(given: boolean): void;
  /** Says who the visitor is, by a token that the site's back end signed. Call it on each page, as early as you can. */
  identify(token: string): void;
  /** Clears everything that is kept in this browser. */
  forget(): void;
  /** Says in the browser's console what happens, in this tab, until it is switched off. */
  debug(on?: boolean): void;
}

declare var beaconry: Beaconry;

interface Window {
  beaconry: Beaconry;
}
"#;

/// The file's text.
pub(crate) fn of(input: &Input) -> String {
    let mut fields = String::new();
    let mut optional = true;
    for field in input.fields {
        let mapped = input.capture.mapping(field.name().as_str()).is_some();
        let needed = field.required() && !mapped;
        optional &= !needed;
        member(&mut fields, field, needed, mapped);
    }
    let data = if optional { "data?" } else { "data" };
    format!(
        "// Types of the event {event} ({section}), version {version}. Made by Beaconry; regenerate instead of editing.\n\n\
         interface Beaconry {{\n\
         \x20 /** Records {event}, version {version}. The promise says whether its data fits; sending goes on by itself. */\n\
         \x20 track(event: {slug}, {data}: {{\n{fields}\x20 }}): Promise<{{ ok: true }} | {{ ok: false; errors: BeaconryFieldError[] }}>;\n\
         }}\n\n{SHARED}",
        event = comment(&text(input.event.as_str())),
        section = comment(input.section.as_str()),
        version = input.version,
        slug = text(input.slug.as_str()),
    )
}

fn member(out: &mut String, field: &Field, needed: bool, mapped: bool) {
    let note = note(field, mapped);
    if !note.is_empty() {
        let _ = writeln!(out, "    /** {note} */");
    }
    let (mark, null) = if needed { ("", "") } else { ("?", " | null") };
    let _ = writeln!(out, "    {}{mark}: {}{null};", field.name(), type_of(field));
}

fn type_of(field: &Field) -> String {
    let allowed = &field.limits().allowed;
    match field.kind() {
        Kind::Text if !allowed.is_empty() => {
            allowed.iter().map(|value| text(value)).collect::<Vec<_>>().join(" | ")
        }
        Kind::Text | Kind::Date | Kind::Timestamp => "string".to_owned(),
        Kind::Bool => "boolean".to_owned(),
        Kind::Number | Kind::Decimal => "number".to_owned(),
    }
}

/// What the type alone does not say.
fn note(field: &Field, mapped: bool) -> String {
    let limits = field.limits();
    let mut notes = Vec::new();
    match field.kind() {
        Kind::Date => notes.push("A date like 2026-03-01.".to_owned()),
        Kind::Timestamp => notes.push("A time stamp like 2026-03-01T12:00:00Z.".to_owned()),
        Kind::Number => notes.push("An integer.".to_owned()),
        _ => {}
    }
    if let Some(max) = limits.max_length {
        notes.push(format!("At most {max} characters."));
    }
    if let Some(min) = limits.min {
        notes.push(format!("At least {min}."));
    }
    if let Some(max) = limits.max {
        notes.push(format!("At most {max}."));
    }
    if mapped {
        notes.push("Filled in from the page where it is not given.".to_owned());
    }
    notes.join(" ")
}

/// Text that cannot end the comment it stands in.
fn comment(text: &str) -> String {
    text.replace("*/", "* /")
}
