//! How long stored events are kept.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Invalid;
use crate::names::quoted;
use crate::time::{DAY_MS, Timestamp};

/// How long an event's data is kept, counted from its arrival. Set for good at creation; there is no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Retention {
    /// Until it is deleted by somebody.
    Forever,
    /// For this many days (1 to 36,500).
    Days(u32),
}

impl Retention {
    /// The moment before which arrivals have expired, or `None` where nothing ever does.
    pub fn expired_before(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Retention::Forever => None,
            Retention::Days(days) => Some(now.plus(-i64::from(days) * DAY_MS)),
        }
    }
}

/// Reads `forever`, or a count with `d` (days), `w` (7 days), `m` (30 days) or `y` (365 days).
impl TryFrom<String> for Retention {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Retention, Invalid> {
        if text == "forever" {
            return Ok(Retention::Forever);
        }
        let days = ["d", "w", "m", "y"].iter().zip([1, 7, 30, 365]).find_map(|(unit, days)| {
            text.strip_suffix(unit)?.parse::<u32>().ok()?.checked_mul(days)
        });
        match days {
            Some(days @ 1..=36_500) => Ok(Retention::Days(days)),
            _ => Err(Invalid::new(
                "retention",
                "\"forever\", or a period of at most 100 years like 30d, 12w, 6m or 2y",
                quoted(&text),
            )),
        }
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match *self {
            Retention::Forever => "forever".to_string(),
            Retention::Days(days) if days % 365 == 0 => format!("{}y", days / 365),
            Retention::Days(days) => format!("{days}d"),
        })
    }
}

impl From<Retention> for String {
    fn from(retention: Retention) -> String {
        retention.to_string()
    }
}
