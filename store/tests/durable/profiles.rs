//! Profiles: linked behind the log, merged, posted to, erased.

mod erasing;
mod linking;
mod merging;
mod posting;
pub(crate) mod samples;
mod segments;
