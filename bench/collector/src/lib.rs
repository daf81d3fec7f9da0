//! The beacons that are sent, and the event that they are of.

pub mod beacon;
pub mod define;
