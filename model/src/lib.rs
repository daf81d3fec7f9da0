//! What is valid in Beaconry: fields and values, events, versions, tracking, and the beacon on the wire.
//!
//! Pure: no I/O, no clock (time is passed in), no randomness (ids are passed in).
//! Without the `alloc` feature only the rules that the browser's engine shares are here, and none of them allocates.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod calendar;
pub mod check;
pub mod value;
