//! Profiles: keys, attributes, consents and locks of people, with a timeline linked behind the log.
//!
//! Everything a server does with profiles goes through methods of [`crate::Store`]: changes wait for their commit, reading
//! takes a [`ProfileReader`] from [`crate::Store::profiles`].

mod attributes;
mod changes;
mod check;
mod consents;
mod erase;
mod erase_again;
mod error;
mod export;
mod gathering;
mod identify;
mod link;
mod locks;
mod look;
mod post;
mod readable;
mod reader;
mod segments;
mod slots;
mod store;
mod thread;
mod timeline;

pub use attributes::StoredAttribute;
pub use consents::StoredConsent;
pub use error::ProfileError;
pub use post::{Posted, Posting};
pub use reader::{Pooled, Profile, ProfileReader};
pub use segments::{Members, SegmentCount, remarks};
pub use timeline::TimelineQuery;

pub(crate) use check::Logged;
pub use erase::erase;
pub(crate) use erase::{Person, erase_here, finish as finish_erasing};
pub(crate) use erase_again::{Erased, erase_again};
pub(crate) use link::watermark;
pub(crate) use reader::Pool;
pub(crate) use segments::Plan;
pub(crate) use slots::{
    Slot, by_id as slot_by_id, by_key as slot_by_key, ids as ids_of, keys as keys_of,
};
pub(crate) use thread::{Behind, Profiler, Shared, start};
pub(crate) use timeline::forget;
