//! Random bytes for ids, from the operating system.

use std::io;

use beaconry_model::event::EventSeed;

/// Bytes nobody can guess. Fails only where the operating system has none to give.
pub fn bytes<const N: usize>() -> Result<[u8; N], io::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// What a new event's ids are made from.
pub fn event_seed() -> Result<EventSeed, io::Error> {
    Ok(EventSeed { discriminator: bytes()?, key: bytes()?, version: bytes()? })
}
