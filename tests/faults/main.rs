//! What Beaconry does when things go wrong. Each test is a fault that a person can run by name, and most are held against
//! a ledger of every answer: what was answered with 2xx is stored exactly once, and nothing is stored that was not sent.

mod backup;
mod broken_disk;
mod clients;
mod clocks;
mod damage;
mod disk;
mod fuzzed;
mod hand_over;
mod hostile_clients;
mod kills;
mod overload;
mod power;
mod real_disk;
mod rig;
mod small_databases;
mod soak;
