//! The first page: every section with its three folders, and the events in them.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use beaconry_model::category::Category;
use beaconry_model::time::Timestamp;
use beaconry_store::{Known, Reader, Snapshot, StoreError};

use super::{State as Console, failed, words};
use crate::page::page;

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Overview {
    query: String,
    sections: Vec<Section>,
}

struct Section {
    id: String,
    name: String,
    origins: String,
    folders: Vec<Folder>,
}

struct Folder {
    name: &'static str,
    about: &'static str,
    events: Vec<Row>,
}

struct Row {
    discriminator: String,
    name: String,
    description: String,
    version: u32,
    locked: bool,
    tracking: &'static str,
    stored: u64,
    quarantined: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
}

pub(super) async fn show(State(state): State<Console>, Query(search): Query<Search>) -> Response {
    let store = &state.console.store;
    let query = search.q.trim().to_owned();
    match sections(&store.snapshot(), &query, store.clock().steady(), || store.reader()) {
        Ok(sections) => page(&Overview { query, sections }),
        Err(error) => failed(&error),
    }
}

fn sections(
    snapshot: &Snapshot,
    query: &str,
    now: Timestamp,
    reader: impl Fn() -> Result<Reader, StoreError>,
) -> Result<Vec<Section>, StoreError> {
    let reader = reader()?;
    let fits = |known: &&std::sync::Arc<Known>| matches(known, query);
    let section = |section: &std::sync::Arc<beaconry_model::section::Section>| {
        let folder = |category: Category| {
            let in_it = |known: &&std::sync::Arc<Known>| {
                known.event.category() == category && known.section.id == section.id
            };
            let rows = snapshot.visible_events().filter(in_it).filter(fits);
            let (name, about) = words::of_category(category);
            let events = rows.map(|known| row(known, &reader, now)).collect::<Result<_, _>>()?;
            Ok::<_, StoreError>(Folder { name, about, events })
        };
        let origins: Vec<_> = section.origins.iter().map(|origin| origin.as_str()).collect();
        Ok(Section {
            id: section.id.to_string(),
            name: section.name.to_string(),
            origins: origins.join(", "),
            folders: Category::ALL.into_iter().map(folder).collect::<Result<_, StoreError>>()?,
        })
    };
    snapshot.sections().iter().map(section).collect()
}

/// Whether every word of the query is in what people know the event by.
fn matches(known: &Known, query: &str) -> bool {
    let event = &known.event;
    let text =
        format!("{} {} {}", event.name(), event.description().as_str(), event.discriminator());
    let text = text.to_lowercase();
    query.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

fn row(known: &Known, reader: &Reader, now: Timestamp) -> Result<Row, StoreError> {
    let event = &known.event;
    Ok(Row {
        discriminator: event.discriminator().to_string(),
        name: event.name().to_string(),
        description: event.description().as_str().to_owned(),
        version: event.versions().current(now).number,
        locked: event.locked_until(now).is_some(),
        tracking: match event.tracking().enabled() {
            true if event.outdated(now) => "outdated",
            true => "on",
            false => "off",
        },
        stored: reader.count(known.number)?,
        quarantined: reader.quarantine_count(known.number)?,
    })
}
