//! From the text people write on pages to the values fields hold.

#[cfg(feature = "alloc")]
use serde::{Deserialize, Serialize};

/// Which sign parts whole from decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "alloc", derive(Serialize, Deserialize), serde(rename_all = "lowercase"))]
#[repr(u8)]
pub enum Decimals {
    /// As the text itself shows; text that could mean two numbers (`1,299`) is refused.
    #[default]
    Auto = 0,
    /// A point: `1,299.50`.
    Point = 1,
    /// A comma: `1.299,50`.
    Comma = 2,
}

/// In which order a date's parts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "alloc", derive(Serialize, Deserialize), serde(rename_all = "lowercase"))]
#[repr(u8)]
pub enum DateOrder {
    /// Year, month, day: `2026-11-23`. Nothing else is read.
    #[default]
    Ymd = 0,
    /// Day, month, year: `23/11/2026`.
    Dmy = 1,
    /// Month, day, year: `11/23/2026`.
    Mdy = 2,
}
