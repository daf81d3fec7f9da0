//! The first page: every section with its three folders, and the events in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use beaconry_model::category::Category;
use beaconry_model::templates::{TEMPLATES, Template as Ready};
use beaconry_model::time::Timestamp;
use beaconry_store::{Counts, EventNo, Known, Snapshot};

use super::day::Day;
use super::{State as Console, failed, words};
use crate::page::page;

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Overview {
    query: String,
    sections: Vec<Section>,
}

impl Overview {
    /// Whether a search found nothing in any section.
    fn nothing_fits(&self) -> bool {
        !self.query.is_empty() && self.sections.iter().all(Section::is_empty)
    }
}

struct Section {
    id: String,
    name: String,
    origins: String,
    folders: Vec<Folder>,
}

impl Section {
    fn is_empty(&self) -> bool {
        self.folders.iter().all(|folder| folder.events.is_empty())
    }
}

struct Folder {
    word: &'static str,
    name: &'static str,
    about: &'static str,
    events: Vec<Row>,
    templates: Vec<&'static Ready>,
}

struct Row {
    discriminator: String,
    name: String,
    description: String,
    version: u32,
    locked: bool,
    tracking: &'static str,
    day: Day,
}

#[derive(Debug, Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
}

pub(super) async fn show(State(state): State<Console>, Query(search): Query<Search>) -> Response {
    let store = &state.console.store;
    let query = search.q.trim().to_owned();
    let now = store.clock().steady();
    let arrivals = store.reader().and_then(|reader| reader.arrivals(Day::hours(now)));
    match arrivals.map(|arrivals| sections(&store.snapshot(), &query, now, &arrivals)) {
        Ok(sections) => page(&Overview { query, sections }),
        Err(error) => failed(&error),
    }
}

fn sections(
    snapshot: &Snapshot,
    query: &str,
    now: Timestamp,
    arrivals: &BTreeMap<EventNo, Vec<Counts>>,
) -> Vec<Section> {
    let section = |section: &Arc<beaconry_model::section::Section>| {
        let folder = |category: Category| {
            let in_it = |known: &&Arc<Known>| {
                known.event.category() == category && known.section.id == section.id
            };
            let rows =
                snapshot.visible_events().filter(in_it).filter(|known| matches(known, query));
            let (name, about) = words::of_category(category);
            Folder {
                word: category.word(),
                name,
                about,
                events: rows.map(|known| row(known, arrivals.get(&known.number), now)).collect(),
                templates: TEMPLATES.iter().filter(|ready| ready.category == category).collect(),
            }
        };
        let origins: Vec<_> = section.origins.iter().map(|origin| origin.as_str()).collect();
        Section {
            id: section.id.to_string(),
            name: section.name.to_string(),
            origins: origins.join(", "),
            folders: Category::ALL.into_iter().map(folder).collect(),
        }
    };
    snapshot.sections().iter().map(section).collect()
}

/// Whether every word of the query is in what people know the event by.
fn matches(known: &Known, query: &str) -> bool {
    let event = &known.event;
    let text = [
        event.name().as_str(),
        event.description().as_str(),
        event.slug().as_str(),
        event.discriminator().as_str(),
    ];
    let text = text.join(" ").to_lowercase();
    query.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

fn row(known: &Known, arrivals: Option<&Vec<Counts>>, now: Timestamp) -> Row {
    let event = &known.event;
    let mut day = Day::default();
    day.add(arrivals.map_or(&[], Vec::as_slice));
    Row {
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
        day,
    }
}
