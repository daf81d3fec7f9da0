//! How many profiles fit: counted one condition at a time, so that building segments never takes all of the machine, and
//! remembered for lists.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use tokio::sync::Semaphore;

use beaconry_model::names::SectionId;
use beaconry_model::segment::Condition;
use beaconry_model::time::Timestamp;
use beaconry_store::{SegmentCount, Store, StoreError};

use crate::console::day::thousands;
use crate::console::profiles::Line;

/// Segments whose counts are remembered.
const REMEMBERED: usize = 1_000;

/// A count that was made before.
#[derive(Clone, Debug)]
pub(super) struct Before {
    pub(super) count: String,
    pub(super) at: Timestamp,
}

/// Counts conditions, one at a time.
#[derive(Debug)]
pub(in crate::console) struct Counting {
    turn: Semaphore,
    before: Mutex<HashMap<String, (Condition, Before)>>,
}

impl Default for Counting {
    fn default() -> Counting {
        Counting { turn: Semaphore::new(1), before: Mutex::default() }
    }
}

impl Counting {
    /// Counts, once it is this one's turn. Who goes away while they wait lose their turn.
    pub(super) async fn count(
        &self,
        store: &Arc<Store>,
        section: SectionId,
        condition: Condition,
    ) -> Result<SegmentCount, StoreError> {
        let _turn = self.turn.acquire().await.map_err(|_| StoreError::Stopped)?;
        let store = store.clone();
        let counted = tokio::task::spawn_blocking(move || {
            let now = store.clock().now();
            store.profiles()?.count_segment(&store.snapshot(), &section, &condition, now)
        });
        counted.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// What was counted last of this segment, as long as it asks the same.
    pub(super) fn before(&self, segment: &str, condition: &Condition) -> Option<Before> {
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        before.get(segment).filter(|(was, _)| was == condition).map(|(_, before)| before.clone())
    }

    pub(super) fn remember(&self, segment: &str, condition: &Condition, count: u64, at: Timestamp) {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        if before.len() >= REMEMBERED {
            before.clear();
        }
        let counted = Before { count: thousands(count), at };
        before.insert(segment.to_owned(), (condition.clone(), counted));
    }
}

/// What is said of a condition before it is saved: who fits, or why that cannot be said.
#[derive(Template)]
#[template(path = "console/segment_review.html")]
pub(super) struct Review {
    pub(super) counted: Option<Counted>,
    /// Why nobody was counted.
    pub(super) why_not: String,
}

pub(super) struct Counted {
    pub(super) count: String,
    pub(super) of: String,
    pub(super) sample: Vec<Line>,
    pub(super) none: bool,
}

impl Review {
    pub(super) fn of(counted: Result<SegmentCount, StoreError>) -> Review {
        match counted {
            Ok(counted) => Review {
                counted: Some(Counted {
                    count: thousands(counted.count),
                    of: thousands(counted.of),
                    sample: counted.sample.iter().map(Line::of).collect(),
                    none: counted.count == 0,
                }),
                why_not: String::new(),
            },
            Err(StoreError::Broken { why }) => {
                Review::none(&format!("Broken, and not evaluated: {why}."))
            }
            Err(error) => Review::none(&format!("Counting failed: {error}. Try again.")),
        }
    }

    pub(super) fn none(why: &str) -> Review {
        Review { counted: None, why_not: why.to_owned() }
    }
}
