//! What the store promises, on real files.

mod apply;
mod browsing;
mod counting;
mod definitions;
mod deletion;
mod hooks;
mod keys;
mod log;
mod measuring;
mod people;
mod picks;
mod profiles;
mod quarantine;
mod samples;
mod shares;
