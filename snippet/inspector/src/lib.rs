//! Point and click: the inspector that an owner's own page shows.
pub mod escape;
pub mod names;
pub mod reading;
pub mod selector;
