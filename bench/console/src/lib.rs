//! A data folder with hundreds of events defined and millions stored, and the program serving it.

pub mod client;
pub mod fill;
