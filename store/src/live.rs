//! What arrives, as it arrives, for those who watch: bounded, lossy, and free while nobody does.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::broadcast;

use beaconry_model::time::Timestamp;
use beaconry_model::wire::{Code, Rejection};

/// Arrivals a slow watcher may be behind before it misses some.
const BACKLOG: usize = 256;

/// What became of one beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is stored.
    Accepted,
    /// It is in quarantine.
    Quarantined,
    /// It was counted, and its content is not kept.
    Refused,
}

/// One beacon that arrived.
#[derive(Clone, Debug, Serialize)]
pub struct Arrival {
    /// When.
    pub received: Timestamp,
    /// The event's discriminator, where there is such an event.
    pub event: Option<String>,
    /// The event's name, where there is such an event.
    pub name: Option<String>,
    /// The version it came under.
    pub ver: Option<u32>,
    /// The revision of the tracking settings it came under.
    pub rev: Option<u32>,
    /// The page's web origin, so that one that is not allowed can be.
    pub origin: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was turned away.
    pub rejection: Option<Rejection>,
    /// The page it happened on; not of what was refused.
    pub url: Option<String>,
    /// Its data as JSON; not of what was refused.
    pub data: Option<String>,
    /// Whether it is a trial that counts nowhere.
    pub test: bool,
    /// Whether the browser could not check it.
    pub unchecked: bool,
}

impl Arrival {
    /// The code it was turned away with.
    pub fn code(&self) -> Option<Code> {
        self.rejection.as_ref().map(|rejection| rejection.code)
    }
}

/// Tells watchers what arrives.
#[derive(Clone, Debug)]
pub struct Feed(broadcast::Sender<Arc<Arrival>>);

impl Default for Feed {
    fn default() -> Feed {
        Feed(broadcast::Sender::new(BACKLOG))
    }
}

impl Feed {
    /// Whether anybody watches, so that describing arrivals is worth it.
    pub fn is_watched(&self) -> bool {
        self.0.receiver_count() > 0
    }

    /// Tells everybody who watches.
    pub fn tell(&self, arrival: Arrival) {
        let _ = self.0.send(Arc::new(arrival));
    }

    /// Watches from now on.
    pub fn watch(&self) -> broadcast::Receiver<Arc<Arrival>> {
        self.0.subscribe()
    }
}
