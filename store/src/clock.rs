//! The time as the domain sees it: the wall clock, trusted at start and doubted when it jumps.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use beaconry_model::time::Timestamp;

/// How far the wall clock may drift from the monotonic one before it is doubted, in milliseconds.
const TOLERANCE_MS: i64 = 120_000;

/// Tells the time. While running, a wall clock that jumps is not believed: events go on by the monotonic clock, and what
/// locks and retention see stands still until the wall clock comes back or the process starts anew.
#[derive(Debug)]
pub struct Clock {
    started_wall: i64,
    started: Instant,
    /// The last moment both clocks agreed on.
    agreed: AtomicI64,
}

impl Default for Clock {
    fn default() -> Clock {
        let wall = wall_ms();
        Clock { started_wall: wall, started: Instant::now(), agreed: AtomicI64::new(wall) }
    }
}

impl Clock {
    /// The time of arrival for what comes in now.
    pub fn now(&self) -> Timestamp {
        let (wall, monotonic) = self.both();
        Timestamp(if agree(wall, monotonic) { wall } else { monotonic })
    }

    /// The time that locks and retention go by: stands still while the clocks disagree.
    pub fn steady(&self) -> Timestamp {
        let (wall, monotonic) = self.both();
        if agree(wall, monotonic) {
            self.agreed.store(wall, Ordering::Relaxed);
            return Timestamp(wall);
        }
        Timestamp(self.agreed.load(Ordering::Relaxed))
    }

    /// What to tell people while the clocks disagree.
    pub fn warning(&self) -> Option<String> {
        let (wall, monotonic) = self.both();
        (!agree(wall, monotonic)).then(|| {
            format!(
                "the system clock jumped by {} s; locks and retention stand still until it is right again or Beaconry is restarted",
                (wall - monotonic) / 1000
            )
        })
    }

    fn both(&self) -> (i64, i64) {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        (wall_ms(), self.started_wall.saturating_add(elapsed))
    }
}

fn agree(wall: i64, monotonic: i64) -> bool {
    wall.abs_diff(monotonic) <= TOLERANCE_MS.unsigned_abs()
}

/// Milliseconds since 1970 by the system clock; a clock set before 1970 reads as 1970.
fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_holds_the_steady_time_and_not_the_arrivals() {
        let clock = Clock::default();
        assert!(clock.warning().is_none());
        let hour = 3_600_000;
        // The process believes it started an hour later than the wall clock says now: the wall clock went back.
        let jumped = Clock {
            started_wall: clock.started_wall + hour,
            started: clock.started,
            agreed: AtomicI64::new(clock.started_wall + hour),
        };
        assert!(jumped.now().0 >= clock.started_wall + hour);
        assert_eq!(jumped.steady().0, clock.started_wall + hour);
        assert!(jumped.warning().is_some_and(
            |warning| warning.contains("jumped by -36") || warning.contains("jumped by -35")
        ));
    }
}
