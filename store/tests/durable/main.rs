//! What the store promises, on real files.

mod definitions;
mod deletion;
mod log;
mod picks;
mod quarantine;
mod samples;
mod shares;
