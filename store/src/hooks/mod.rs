//! Webhooks as far as they are durable: their definitions, what waits to be posted, what was given up, and who was in which
//! watched segment.
//!
//! What waits is kept as places (of the log, of the quarantine, of a profile), never as content: the body is made when it is
//! sent, by what may be read then. So what is erased, or outlives its retention, is not posted, and `hooks.db` holds nothing of
//! anybody but the ids of profiles.
//!
//! [`Outbox`] is what a sender works by, on a thread of its own.

mod feed;
mod known;
mod members;
mod outbox;
mod payload;
mod queue;
mod samples;
mod settle;
mod state;
mod store;

pub use known::{HookSecret, KnownWebhook, hook_remarks};
pub use outbox::{Outbox, Parcel};
pub use settle::{Backoff, Outcome, Tried};
pub use state::{DeadLetter, WebhookState};
pub use store::MadeWebhook;

pub(crate) use known::{MIGRATION, load};
pub(crate) use queue::Queue;
