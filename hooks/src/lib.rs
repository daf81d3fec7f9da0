//! Posts to webhooks what the store has queued for them, on threads of its own: ingest never waits for a receiver, and no
//! receiver waits for another.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used))]

mod guard;
mod post;
mod send;
mod sign;

pub use send::{Sending, run};
pub use sign::{DELIVERY, SIGNATURE, signature};
