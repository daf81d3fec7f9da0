//! Profiles: linked behind the log, merged, posted to, erased.

mod erasing;
mod linking;
mod merging;
mod posting;
mod samples;
mod segments;
