//! Who asks, from where, and how often: what the collector, the console and the API count before they work, in bounded memory.
//!
//! Addresses live here for as long as a request takes, and after it only as keyed hashes in memory: nothing is stored.

mod networks;
mod prefix;

mod rate;

pub use ipnet::IpNet;
pub use networks::Networks;
pub use prefix::Prefix;

pub use rate::Rate;
