//! The first page: all events, folder by folder.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use beaconry_model::category::Category;

use super::{State as Console, failed, words};
use crate::page::page;

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Overview {
    folders: Vec<Folder>,
}

struct Folder {
    name: &'static str,
    about: &'static str,
    word: &'static str,
    events: Vec<Row>,
}

struct Row {
    discriminator: String,
    name: String,
    section: String,
    description: String,
    version: u32,
    locked: bool,
    tracking: &'static str,
    stored: u64,
    quarantined: u64,
}

pub(super) async fn show(State(state): State<Console>) -> Response {
    let store = &state.console.store;
    let now = store.clock().steady();
    let reader = match store.reader() {
        Ok(reader) => reader,
        Err(error) => return failed(&error),
    };
    let mut folders: Vec<Folder> = Category::ALL.into_iter().map(folder).collect();
    for known in store.snapshot().visible_events() {
        let event = &known.event;
        let row = Row {
            discriminator: event.discriminator().to_string(),
            name: event.name().to_string(),
            section: known.section.name.to_string(),
            description: event.description().as_str().to_owned(),
            version: event.versions().current(now).number,
            locked: event.locked_until(now).is_some(),
            tracking: match event.tracking().enabled() {
                true if event.outdated(now) => "outdated",
                true => "on",
                false => "off",
            },
            stored: reader.count(known.number).unwrap_or_default(),
            quarantined: reader.quarantine_count(known.number).unwrap_or_default(),
        };
        if let Some(folder) =
            folders.iter_mut().find(|folder| folder.word == event.category().word())
        {
            folder.events.push(row);
        }
    }
    page(&Overview { folders })
}

fn folder(category: Category) -> Folder {
    let (name, about) = words::of_category(category);
    Folder { name, about, word: category.word(), events: Vec::new() }
}
