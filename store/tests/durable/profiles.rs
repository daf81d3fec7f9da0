//! Profiles: linked behind the log, merged, posted to, erased.

mod linking;
mod posting;
mod samples;
