//! Webhooks: what is queued for them, in which order, and what becomes of it.

#[path = "hooks/delivering.rs"]
mod delivering;
#[path = "hooks/samples.rs"]
pub(crate) mod samples;
#[path = "hooks/segments.rs"]
mod segments;
