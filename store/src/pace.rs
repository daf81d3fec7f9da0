//! Spreads work over the time there is for it: done at one go, it would hold up what arrives meanwhile.

use std::time::{Duration, Instant};

/// How far some work has to have come by now.
#[derive(Debug)]
pub(crate) struct Pace {
    started: Instant,
    over: Duration,
    whole: usize,
    done: usize,
}

impl Pace {
    /// For so many pieces, beginning now.
    pub(crate) fn new(started: Instant, whole: usize, over: Duration) -> Pace {
        Pace { started, over, whole, done: 0 }
    }

    /// Some more pieces are done. How long to rest before the next: nothing where the work is late.
    pub(crate) fn did(&mut self, pieces: usize, now: Instant) -> Duration {
        self.done += pieces;
        let share = self.done as f64 / self.whole.max(self.done).max(1) as f64;
        (self.started + self.over.mul_f64(share)).saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_early_rests_and_who_is_late_does_not() {
        let (start, ms) = (Instant::now(), Duration::from_millis);
        let mut pace = Pace::new(start, 100, ms(400));
        assert_eq!(pace.did(25, start + ms(10)), ms(90));
        assert_eq!(
            pace.did(25, start + ms(250)),
            ms(0),
            "half is done, and more than half of the time is over"
        );
        assert_eq!(pace.did(50, start + ms(300)), ms(100));
        assert_eq!(pace.did(1, start + ms(300)), ms(100), "more than was told of takes no longer");
        assert_eq!(Pace::new(start, 0, ms(400)).did(0, start + ms(500)), ms(0));
    }
}
