//! What the store promises, on real files.

mod apply;
mod definitions;
mod deletion;
mod keys;
mod log;
mod profiles;
mod quarantine;
mod samples;
