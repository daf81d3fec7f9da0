//! What is valid in Beaconry: fields and values, events, versions, tracking, and the beacon on the wire.
//!
//! Pure: no I/O, no clock (time is passed in), no randomness (ids are passed in).
//! Without the `alloc` feature only the rules that the browser's engine shares are here, and none of them allocates.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod calendar;
pub mod check;
pub mod convert;
pub mod value;

#[cfg(feature = "alloc")]
pub mod attribute;
#[cfg(feature = "alloc")]
pub mod capture;
#[cfg(feature = "alloc")]
pub mod category;
#[cfg(feature = "alloc")]
pub mod changes;
#[cfg(feature = "alloc")]
pub mod consent;
#[cfg(feature = "alloc")]
pub mod data;
#[cfg(feature = "alloc")]
pub mod error;
#[cfg(feature = "alloc")]
pub mod event;
#[cfg(feature = "alloc")]
pub mod event_id;
#[cfg(feature = "alloc")]
pub mod fields;
#[cfg(feature = "alloc")]
pub mod identify;
#[cfg(feature = "alloc")]
mod json;
#[cfg(feature = "alloc")]
pub mod judge;
#[cfg(feature = "alloc")]
pub mod key;
#[cfg(feature = "alloc")]
pub mod names;
#[cfg(feature = "alloc")]
pub mod pick;
#[cfg(feature = "alloc")]
pub mod plan;
#[cfg(feature = "alloc")]
pub mod post;
#[cfg(feature = "alloc")]
pub mod profile;
#[cfg(feature = "alloc")]
pub mod retention;
#[cfg(feature = "alloc")]
pub mod section;
#[cfg(feature = "alloc")]
pub mod segment;
#[cfg(feature = "alloc")]
pub mod templates;
#[cfg(feature = "alloc")]
pub mod time;
#[cfg(feature = "alloc")]
pub mod tracking;
#[cfg(feature = "alloc")]
pub mod version;
#[cfg(feature = "alloc")]
pub mod webhook;
#[cfg(feature = "alloc")]
pub mod wire;
