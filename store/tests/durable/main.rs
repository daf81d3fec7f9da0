//! What the store promises, on real files.

mod counting;
mod definitions;
mod deletion;
mod log;
mod picks;
mod quarantine;
mod samples;
mod shares;
