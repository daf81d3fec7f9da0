//! What the store promises, on real files.

mod definitions;
mod deletion;
mod log;
mod measuring;
mod people;
mod quarantine;
mod samples;
mod shares;
