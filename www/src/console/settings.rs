//! Settings: sections with their web origins, people, the audit log, and what is stored for how long.

mod actions;
pub(super) mod audit;
mod difference;
pub(super) mod people;
pub(super) mod storage;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::State as Console;
use super::tracking::origins;
use crate::page::page;

#[derive(Template)]
#[template(path = "console/settings.html")]
struct Page {
    sections: Vec<Section>,
}

struct Section {
    id: String,
    name: String,
    origins: String,
    origin_required: bool,
    events: usize,
}

pub(super) async fn show(State(state): State<Console>) -> Response {
    let snapshot = state.console.store.snapshot();
    let row = |section: &std::sync::Arc<beaconry_model::section::Section>| Section {
        id: section.id.to_string(),
        name: section.name.to_string(),
        origins: origins(section),
        origin_required: section.origin_required,
        events: snapshot.visible_events().filter(|known| known.section.id == section.id).count(),
    };
    page(&Page { sections: snapshot.sections().iter().map(row).collect() })
}
