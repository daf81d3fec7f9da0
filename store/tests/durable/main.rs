//! What the store promises, on real files.

mod definitions;
mod deletion;
mod log;
mod profiles;
mod quarantine;
mod samples;
