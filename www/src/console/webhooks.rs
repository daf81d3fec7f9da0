//! Webhooks of all sections: how each does, what was given up, and a form to make one.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use beaconry_model::error::{Invalid, Refusal};
use beaconry_model::names::{Discriminator, Name, SectionId};
use beaconry_model::profile::Keyspace;
use beaconry_model::webhook::{HookUrl, NewWebhook, Topic};
use beaconry_store::{
    DeadLetter, KnownWebhook, MadeWebhook, Snapshot, StoreError, WebhookState, hook_remarks,
};

use super::draft::{Errors, Pairs, ticked, value};
use super::who::Who;
use super::{State as Console, failed};
use crate::page::{go_to, page, page_with};

/// Posts that were given up on a page.
const PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "console/webhooks.html")]
struct Page {
    hooks: Vec<Row>,
    choices: Vec<Choices>,
    typed: Pairs,
    /// One that was just made: its secret is shown this once.
    made: Option<MadeWebhook>,
    errors: Errors,
}

/// One webhook in words.
struct Row {
    hook: KnownWebhook,
    section: String,
    topics: Vec<String>,
    remarks: Vec<String>,
    state: WebhookState,
}

/// What a webhook of a section can hear of: the value of its box, and what people read.
struct Choices {
    section: String,
    name: String,
    events: Vec<(String, String)>,
    segments: Vec<(String, String)>,
}

impl Page {
    const KEYSPACES: [Keyspace; 3] = [Keyspace::Email, Keyspace::Mobile, Keyspace::CrmId];

    fn typed(&self, name: &str) -> &str {
        value(&self.typed, name)
    }

    fn ticked(&self, name: &str) -> bool {
        ticked(&self.typed, name)
    }

    /// Whether a keyspace's box is ticked: all are before anybody ticks.
    fn reached(&self, keyspace: &Keyspace) -> bool {
        self.typed.is_empty() || self.ticked(&format!("keyspace-{keyspace}"))
    }

    fn chosen(&self, section: &str, kind: &str, named: &str) -> bool {
        let topic = format!("{section} {kind} {named}");
        self.typed.iter().any(|(name, value)| name == "topic" && value == topic.trim_end())
    }
}

#[derive(Template)]
#[template(path = "console/webhook.html")]
struct One {
    row: Row,
    dead: Vec<DeadLetter>,
    next: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct From {
    before: Option<i64>,
}

pub(super) async fn show(State(state): State<Console>) -> Response {
    answer(&state, Pairs::new(), None, Errors::default())
}

pub(super) async fn create(
    State(state): State<Console>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let mut errors = Errors::default();
    let url = errors.note("url", HookUrl::try_from(value(&pairs, "url").trim().to_owned()));
    let name = errors.note("name", Name::try_from(value(&pairs, "name").trim().to_owned()));
    let chosen = errors.note("topics", topics(&pairs, &state.console.store.snapshot()));
    let versions = errors.note("versions", versions(value(&pairs, "versions")));
    let keyspaces = errors.note("keyspaces", keyspaces(&pairs));
    let (Some(url), Some(name), Some((section, topics)), Some(versions), Some(keyspaces)) =
        (url, name, chosen, versions, keyspaces)
    else {
        return answer(&state, pairs, None, errors);
    };
    let topics = topics.into_iter().map(|topic| with_versions(topic, &versions)).collect();
    let new = NewWebhook { section, name, url, topics, keyspaces, made_with: None };
    match state.console.store.add_webhook(new, who.name()) {
        Ok(made) => answer(&state, Pairs::new(), Some(made), Errors::default()),
        Err(StoreError::Refused(Refusal::Invalid(invalid))) => {
            let key = match invalid.thing.as_str() {
                "url" => "url",
                "versions" => "versions",
                _ => "topics",
            };
            answer(&state, pairs, None, Errors::one(key, &invalid.to_string()))
        }
        Err(error) => failed(&error),
    }
}

pub(super) async fn open(
    State(state): State<Console>,
    Path(hook): Path<String>,
    Query(from): Query<From>,
) -> Response {
    match one(&state, &hook, from.before) {
        Ok(one) => page(&one),
        Err(error) => failed(&error),
    }
}

pub(super) async fn delete(
    State(state): State<Console>,
    Path(hook): Path<String>,
    who: Who,
) -> Response {
    match state.console.store.delete_webhook(&hook, who.name()) {
        Ok(()) => go_to("/settings/webhooks"),
        Err(error) => failed(&error),
    }
}

pub(super) async fn resend_all(
    State(state): State<Console>,
    Path(hook): Path<String>,
    who: Who,
) -> Response {
    resend(&state, &hook, None, &who)
}

pub(super) async fn resend_one(
    State(state): State<Console>,
    Path((hook, number)): Path<(String, i64)>,
    who: Who,
) -> Response {
    resend(&state, &hook, Some(number), &who)
}

fn resend(state: &Console, hook: &str, number: Option<i64>, who: &Who) -> Response {
    let store = &state.console.store;
    let resent =
        store.snapshot().webhook(hook).and_then(|known| store.resend(known, number, who.name()));
    match resent {
        Ok(_) => go_to(&format!("/settings/webhooks/{hook}")),
        Err(error) => failed(&error),
    }
}

/// The section and what is ticked of it. Boxes say `<section> <kind> <discriminator>`.
fn topics(pairs: &Pairs, snapshot: &Snapshot) -> Result<(SectionId, Vec<Topic>), Invalid> {
    let wrong = |got: &str| {
        Err(Invalid::new("topics", "at least one event or segment, all of one section", got))
    };
    let mut found: Option<SectionId> = None;
    let mut topics = Vec::new();
    for (_, box_value) in pairs.iter().filter(|(name, _)| name == "topic") {
        let mut words = box_value.split(' ');
        let (section, kind, named) = (words.next(), words.next(), words.next().unwrap_or_default());
        let section = section.and_then(|words| snapshot.section(words).ok());
        let Some(section) = section.map(|section| section.id.clone()) else {
            return wrong("a section that is not there");
        };
        if found.as_ref().is_some_and(|found| *found != section) {
            return wrong("some of several");
        }
        found = Some(section);
        let event = || Discriminator::try_from(named.to_owned());
        let segment = || named.to_owned();
        topics.push(match kind {
            Some("received") => Topic::Event { event: event()?, versions: Vec::new() },
            Some("rejected") if named.is_empty() => Topic::Rejected { event: None },
            Some("rejected") => Topic::Rejected { event: Some(event()?) },
            Some("entered") => Topic::Entered { segment: segment() },
            Some("left") => Topic::Left { segment: segment() },
            _ => return wrong("something else"),
        });
    }
    match found {
        Some(section) => Ok((section, topics)),
        None => wrong("none"),
    }
}

/// Numbers of versions as people write them: `1, 3`. None means any.
fn versions(text: &str) -> Result<Vec<u32>, Invalid> {
    let words = text.split([',', ' ']).filter(|word| !word.is_empty());
    let number = |word: &str| {
        word.parse().map_err(|_| {
            Invalid::new(
                "versions",
                "numbers of versions like 1, 3, or nothing",
                format!("{text:.60}"),
            )
        })
    };
    words.map(number).collect()
}

fn with_versions(topic: Topic, chosen: &[u32]) -> Topic {
    match topic {
        Topic::Event { event, .. } => Topic::Event { event, versions: chosen.to_vec() },
        other => other,
    }
}

fn keyspaces(pairs: &Pairs) -> Result<Vec<Keyspace>, Invalid> {
    let ticked = |keyspace: &Keyspace| ticked(pairs, &format!("keyspace-{keyspace}"));
    let keyspaces: Vec<Keyspace> = Keyspace::ALL.into_iter().filter(ticked).collect();
    if keyspaces.is_empty() {
        return Err(Invalid::new("keyspaces", "at least one", "none"));
    }
    Ok(keyspaces)
}

fn answer(state: &Console, typed: Pairs, made: Option<MadeWebhook>, errors: Errors) -> Response {
    let wrong = !errors.is_empty();
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = rows(state).map(|hooks| Page {
        hooks,
        choices: choices(&state.console.store.snapshot()),
        typed,
        made,
        errors,
    });
    match page {
        Ok(page) => {
            let mut answer = page_with(status, &page);
            // It may show a secret.
            answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            answer
        }
        Err(error) => failed(&error),
    }
}

fn rows(state: &Console) -> Result<Vec<Row>, StoreError> {
    let (store, snapshot) = (&state.console.store, state.console.store.snapshot());
    let mut states = store.webhook_states()?;
    let all = snapshot.webhooks().iter().rev();
    Ok(all
        .map(|known| row(&snapshot, known, states.remove(&known.number).unwrap_or_default()))
        .collect())
}

fn row(snapshot: &Snapshot, known: &KnownWebhook, state: WebhookState) -> Row {
    let section = snapshot.section(known.hook.section.as_str());
    Row {
        section: section.map_or_else(|_| String::new(), |section| section.name.to_string()),
        topics: known.hook.topics.iter().map(|topic| in_words(snapshot, topic)).collect(),
        remarks: hook_remarks(snapshot, &known.hook),
        hook: known.clone(),
        state,
    }
}

fn in_words(snapshot: &Snapshot, topic: &Topic) -> String {
    let event = |named: &Discriminator| {
        let known = snapshot.event(named.as_str());
        known.map_or_else(|_| named.to_string(), |known| known.event.name().to_string())
    };
    let segment = |named: &str| {
        let known = snapshot.audience().segment(named);
        known.map_or_else(|_| named.to_owned(), |segment| segment.name.to_string())
    };
    match topic {
        Topic::Event { event: named, versions } if versions.is_empty() => {
            format!("{} received", event(named))
        }
        Topic::Event { event: named, versions } => {
            let numbers: Vec<String> = versions.iter().map(ToString::to_string).collect();
            format!("{} received, version {}", event(named), numbers.join(", "))
        }
        Topic::Rejected { event: Some(named) } => format!("{} rejected", event(named)),
        Topic::Rejected { event: None } => "Any beacon rejected".to_owned(),
        Topic::Entered { segment: named } => format!("{} entered", segment(named)),
        Topic::Left { segment: named } => format!("{} left", segment(named)),
    }
}

fn choices(snapshot: &Snapshot) -> Vec<Choices> {
    let of = |section: &std::sync::Arc<beaconry_model::section::Section>| {
        let here = |known: &&std::sync::Arc<beaconry_store::Known>| known.section.id == section.id;
        let segments = snapshot.audience().segments().iter();
        let segments = segments.filter(|segment| segment.section == section.id);
        Choices {
            section: section.id.to_string(),
            name: section.name.to_string(),
            events: snapshot
                .visible_events()
                .filter(here)
                .map(|known| {
                    (known.event.discriminator().to_string(), known.event.name().to_string())
                })
                .collect(),
            segments: segments
                .map(|segment| (segment.discriminator.clone(), segment.name.to_string()))
                .collect(),
        }
    };
    snapshot.sections().iter().map(of).collect()
}

fn one(state: &Console, hook: &str, before: Option<i64>) -> Result<One, StoreError> {
    let (store, snapshot) = (&state.console.store, state.console.store.snapshot());
    let known = snapshot.webhook(hook)?;
    let dead = store.dead_letters(known, before.unwrap_or(i64::MAX), PAGE)?;
    let state = store.webhook_states()?.remove(&known.number).unwrap_or_default();
    let next = dead.last().filter(|_| dead.len() == PAGE as usize).map(|last| last.number);
    Ok(One { row: row(&snapshot, known, state), dead, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_with_commas_between_them() {
        assert_eq!(versions("").unwrap(), Vec::<u32>::new());
        assert_eq!(versions(" 1, 3,5 ").unwrap(), [1, 3, 5]);
        assert!(versions("one").unwrap_err().to_string().contains("got one"));
    }

    #[test]
    fn at_least_one_keyspace_is_ticked() {
        let ticked: Pairs = vec![("keyspace-email".into(), "yes".into())];
        assert_eq!(keyspaces(&ticked).unwrap(), [Keyspace::Email]);
        assert!(keyspaces(&Pairs::new()).is_err());
    }
}
