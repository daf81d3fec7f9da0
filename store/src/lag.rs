//! How far the indexes and timelines may be behind the log before no more is taken: what waits for them lies in memory, and is
//! read one by one by who looks.

/// Events whose ids may wait in memory to be merged; 80 bytes each.
const UNINDEXED: u64 = 600_000;
/// Events that may wait to be linked.
pub(crate) const UNLINKED: u64 = 18_000_000;

/// What is made behind the log, in events that it is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// Not in the indexes yet; known by a set in memory until they are.
    pub unindexed: u64,
    /// Not on the timeline of a profile yet.
    pub unlinked: u64,
}

impl Lag {
    /// By the last places of the log that hold an event, that are merged and that are linked.
    pub(crate) fn new(committed: i64, merged: i64, linked: i64) -> Lag {
        let behind = |reached: i64| committed.saturating_sub(reached).max(0) as u64;
        Lag { unindexed: behind(merged), unlinked: behind(linked) }
    }

    /// Whether new events have to wait until some of these are done.
    pub(crate) fn is_too_much(self) -> bool {
        self.unindexed > UNINDEXED || self.unlinked > UNLINKED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_may_be_behind_and_one_more_is_too_much() {
        let lag = |unindexed, unlinked| Lag { unindexed, unlinked }.is_too_much();
        assert!(!lag(UNINDEXED, UNLINKED));
        assert!(lag(UNINDEXED + 1, 0) && lag(0, UNLINKED + 1));
        assert_eq!(Lag::new(10, 7, 4), Lag { unindexed: 3, unlinked: 6 });
        // The newest rows may be deleted, so that what is merged is ahead of what there is.
        assert_eq!(Lag::new(10, 12, 11), Lag { unindexed: 0, unlinked: 0 });
    }
}
