//! What comes from outside, made up by libFuzzer: one target for each place it is read.

pub mod targets;
