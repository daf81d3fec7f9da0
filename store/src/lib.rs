//! Everything durable: the registry of definitions, the append-only event log with its quarantine, and the indexes
//! merged behind it.
//!
//! [`Store`] is what a server opens: it holds the folder's lease and the threads that write. [`Registry`] and [`Reader`]
//! work beside a running server, for the command line.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used))]

mod audience;
mod audit;
mod backlog;
mod backup;
mod browse;
mod bulk;
mod clock;
mod condition;
mod counts;
mod error;
mod folder;
mod hooks;
mod index;
mod jobs;
mod keyed;
mod keys;
mod lag;
pub mod live;
mod log;
mod merger;
mod pace;
mod people;
pub mod picks;
mod profiles;
mod published;
mod quarantine;
mod random;
mod reader;
mod registry;
mod replay;
mod replays;
mod retention;
mod role;
mod schema;
mod scrub;
mod shares;
mod snapshot;
mod stats;
mod storage;
mod store;
mod tail;
mod tally;
mod threads;
mod token;
mod told;
mod verify;
mod watch;
mod write_back;
mod writer;

pub use audience::{Audience, KnownAttribute};
pub use audit::{ACTIONS, AuditEntry, AuditFilter, AuditLog, AuditPlace};
pub use backup::{Progress, Restored, backup, restore};
pub use browse::{Found, Pages, Place, Range};
pub use clock::Clock;
pub use counts::{Count, Counts, Hours, OTHER, OldPage, Reason};
pub use error::StoreError;
pub use folder::Folder;
pub use hooks::{
    Backoff, DeadLetter, HookSecret, KnownWebhook, MadeWebhook, Outbox, Outcome, Parcel, Tried,
    WebhookState, hook_remarks,
};
pub use jobs::{ReplayReport, StillRefused, replay};
pub use keys::{ApiKey, Keys, MadeKey, MadeToken, PersonalToken};
pub use lag::Lag;
pub use log::StoredEvent;
pub use people::{
    Hashed, IDLE_MS, Invitation, LONGEST_MS, Link, NewPerson, People, Person, PersonNo, Purpose,
    email,
};
pub use profiles::{
    Members, Pooled, Posted, Posting, Profile, ProfileError, ProfileReader, SegmentCount,
    StoredAttribute, StoredConsent, TimelineQuery, erase, remarks,
};
pub use published::PublishedFile;
pub use quarantine::QuarantinedEvent;
pub use quarantine::expires as quarantine_until;
pub use random::{bytes, event_seed};
pub use reader::Reader;
pub use registry::{Plan, Planned, Registry};
pub use replay::{Replay, ReplayCount, Which};
pub use role::Role;
pub use shares::{SHARED_MS, Share};
pub use snapshot::{EventNo, Known, Snapshot};
pub use stats::{EventStats, FileStats, Stats, stats};
pub use storage::{DatabaseSize, Due, Many, Storage};
pub use store::Store;
pub use threads::{Rank, start_behind};
pub use token::Token;
pub use verify::{VerifyReport, verify};
pub use writer::{AppendError, Entry, Written};
