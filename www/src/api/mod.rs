//! The API for machines, on the console's address: its own router, bearer tokens instead of sessions, its own errors.
//!
//! Every operation is declared once (see `operation`); routes, checks, the OpenAPI description and docs/api.md are made
//! from that declaration.

mod audience;
mod call;
mod caller;
mod consents;
mod decode;
mod definitions;
mod describe;
mod events;
mod export;
mod failure;
mod limits;
mod operation;
mod people;
mod problem;
mod profiles;
mod quarantine;
mod segments;
mod serve;
mod token;
mod v1;
mod webhooks;
mod zone;

use std::sync::Arc;

use axum::Router;

use beaconry_store::{Keys, People, Store};

pub use describe::markdown;
use limits::Limiter;
pub use limits::Limits;
use operation::Operation;

use crate::console::data::export::Downloads;
use crate::snippet::Snippets;

/// What the API works on. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    store: Arc<Store>,
    keys: Arc<Keys>,
    people: Arc<People>,
    snippets: Snippets,
    limiter: Arc<Limiter>,
    downloads: Arc<Downloads>,
}

impl Api {
    /// An API over this store that lets in whom these keys let in, and those of these people who are administrators.
    pub fn new(
        store: Arc<Store>,
        keys: Arc<Keys>,
        people: Arc<People>,
        snippets: Snippets,
        limits: Limits,
    ) -> Api {
        let limiter = Arc::new(Limiter::new(limits));
        Api { store, keys, people, snippets, limiter, downloads: Arc::default() }
    }

    /// The keys it goes by.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }
}

/// All that the API can do, in the order people read of it.
fn operations() -> Vec<Operation> {
    let groups = [
        token::operations(),
        definitions::operations(),
        people::operations(),
        events::operations(),
        profiles::operations(),
        consents::operations(),
        v1::operations(),
        audience::operations(),
        segments::operations(),
        quarantine::operations(),
        export::operations(),
        webhooks::operations(),
    ];
    groups.into_iter().flatten().collect()
}

/// Every operation: its method and path, and whether it lets in whoever asks.
#[cfg(test)]
pub(crate) fn listed() -> Vec<(axum::http::Method, &'static str, bool)> {
    let operations = operations().into_iter();
    let row = |it: Operation| (it.method, it.path, it.needs == caller::Needs::Nobody);
    operations.map(row).collect()
}

/// The API's routes.
pub fn router(api: &Api) -> Router {
    serve::router(api, operations())
}
