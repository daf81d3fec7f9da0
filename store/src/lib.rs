//! Everything durable: the registry of definitions, the append-only event log with its quarantine, and the indexes
//! merged behind it.
//!
//! [`Store`] is what a server opens: it holds the folder's lease and the threads that write. [`Registry`] and [`Reader`]
//! work beside a running server, for the command line.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used))]

mod audit;
mod backlog;
mod backup;
mod clock;
mod condition;
mod error;
mod folder;
mod index;
mod jobs;
pub mod live;
mod log;
mod merger;
mod published;
mod quarantine;
mod random;
mod reader;
mod registry;
mod retention;
mod schema;
mod snapshot;
mod stats;
mod store;
mod verify;
mod watch;
mod writer;

pub use audit::AuditEntry;
pub use backup::{Progress, backup, restore};
pub use clock::Clock;
pub use error::StoreError;
pub use folder::Folder;
pub use jobs::{ReplayReport, StillRefused, replay};
pub use log::StoredEvent;
pub use published::PublishedFile;
pub use quarantine::QuarantinedEvent;
pub use quarantine::expires as quarantine_until;
pub use random::{bytes, event_seed};
pub use reader::Reader;
pub use registry::Registry;
pub use snapshot::{EventNo, Known, Snapshot};
pub use stats::{EventStats, FileStats, Stats, stats};
pub use store::Store;
pub use verify::{VerifyReport, verify};
pub use writer::{AppendError, Entry, Written};
