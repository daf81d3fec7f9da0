//! The audit log: who changed what, when, and what it was before and after.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use beaconry_model::time::Timestamp;
use beaconry_store::{AuditEntry, AuditFilter, AuditLog, Snapshot, StoreError};

use super::super::{State as Console, failed};
use super::actions::said;
use super::difference::{Line, difference};
use crate::page::page;

/// Entries on a page.
const PAGE: usize = 50;

#[derive(Template)]
#[template(path = "console/audit.html")]
struct Page {
    asked: Asked,
    people: Vec<String>,
    actions: Vec<String>,
    entries: Vec<Entry>,
    /// The address of what is older.
    older: Option<String>,
}

struct Entry {
    at: Timestamp,
    actor: String,
    action: String,
    /// What people call what was changed, and its page where it has one.
    thing: String,
    to: Option<String>,
    lines: Vec<Line>,
}

impl Entry {
    /// What the lines are.
    fn summary(&self) -> String {
        let all = |mark| self.lines.iter().all(|line| line.mark() == mark);
        match self.lines.len() {
            _ if all("added") => "What it was made of".to_owned(),
            _ if all("removed") => "What it was".to_owned(),
            1 => "One difference".to_owned(),
            several => format!("{several} differences"),
        }
    }
}

/// Which entries are asked for.
#[derive(Debug, Default, Deserialize)]
pub(in super::super) struct Asked {
    #[serde(default)]
    person: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    thing: String,
    #[serde(default)]
    before: String,
}

impl Asked {
    fn is_filtered(&self) -> bool {
        [&self.person, &self.action, &self.thing].iter().any(|asked| !asked.is_empty())
    }
}

pub(in super::super) async fn show(
    State(state): State<Console>,
    Query(asked): Query<Asked>,
) -> Response {
    match made(&state, asked) {
        Ok(made) => page(&made),
        Err(error) => failed(&error),
    }
}

fn made(state: &Console, asked: Asked) -> Result<Page, StoreError> {
    let log = AuditLog::open(state.console.store.folder())?;
    let snapshot = state.console.store.snapshot();
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let filter = AuditFilter {
        actor: some(&asked.person),
        action: some(&asked.action),
        thing: some(&asked.thing).map(|text| {
            let called = called(&snapshot, &text);
            (text, called)
        }),
    };
    let (entries, next) = log.page(&filter, asked.before.parse().ok(), PAGE)?;
    let (people, actions) = log.words()?;
    let older = next.map(|place| {
        let query = [("person", &asked.person), ("action", &asked.action), ("thing", &asked.thing)];
        let query = query.map(|(name, value)| format!("{name}={}", encoded(value))).join("&");
        format!("/settings/audit?{query}&before={place}")
    });
    let entries = entries.into_iter().map(|entry| shown(&snapshot, entry)).collect();
    Ok(Page { asked, people, actions, entries, older })
}

/// The addresses of events and sections that people call so; the log has them by these.
fn called(snapshot: &Snapshot, text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let fits = |name: &str| name.to_lowercase().contains(&text);
    let events = snapshot.all_events().iter().filter(|known| fits(known.event.name().as_str()));
    let sections = snapshot.sections().iter().filter(|section| fits(section.name.as_str()));
    let segments = snapshot.audience().segments().iter();
    let segments = segments.filter(|segment| fits(segment.name.as_str()));
    events
        .map(|known| known.event.discriminator().to_string())
        .chain(sections.map(|section| section.id.to_string()))
        .chain(segments.map(|segment| segment.discriminator.clone()))
        .collect()
}

fn shown(snapshot: &Snapshot, entry: AuditEntry) -> Entry {
    let lines = difference(entry.before.as_deref(), entry.after.as_deref());
    let event = snapshot.event(&entry.thing).ok();
    let section = snapshot.section(&entry.thing).ok();
    let mut segments = snapshot.audience().segments().iter();
    let segment = segments.find(|segment| segment.discriminator == entry.thing);
    let (thing, to) = match (event, section) {
        _ if segment.is_some() => {
            let name = segment.map(|segment| segment.name.to_string()).unwrap_or_default();
            (name, Some(format!("/segments/{}", entry.thing)))
        }
        (Some(known), _) => {
            // Of a hidden event there is one page left.
            let below = if known.event.hidden_at().is_none() { "" } else { "/why" };
            (known.event.name().to_string(), Some(format!("/events/{}{below}", entry.thing)))
        }
        (_, Some(section)) => (section.name.to_string(), Some(format!("/sections/{}", section.id))),
        _ => match ISSUED.iter().find(|(word, _)| entry.action.starts_with(word)) {
            Some((_, to)) => {
                let name = entry.after.or(entry.before).as_deref().and_then(name_in);
                (name.unwrap_or(entry.thing), Some((*to).to_owned()))
            }
            None => (entry.thing, None),
        },
    };
    Entry { at: entry.at, actor: entry.actor, action: entry.action, thing, to, lines }
}

/// What the log knows by a number or an id, and people by a name, which its document has; with the page that lists it.
const ISSUED: [(&str, &str); 3] = [
    ("key.", "/settings/keys"),
    ("token.", "/settings/keys#tokens"),
    ("webhook.", "/settings/webhooks"),
];

fn name_in(document: &str) -> Option<String> {
    let document: serde_json::Value = serde_json::from_str(document).ok()?;
    document["name"].as_str().map(str::to_owned)
}

/// The moment that a value of a document is, where it is one.
fn moment(value: &str) -> Option<Timestamp> {
    value.parse().ok()
}

/// A value as a part of an address's query.
fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}
