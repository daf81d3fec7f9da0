//! What the store promises, on real files.

mod browsing;
mod counting;
mod definitions;
mod deletion;
mod log;
mod measuring;
mod people;
mod picks;
mod quarantine;
mod samples;
mod shares;
