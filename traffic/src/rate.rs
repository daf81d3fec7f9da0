//! How often who may: so many at once, and then one with each time that passes, for each of many, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many are remembered at the most: some 2 MiB.
const REMEMBERED: usize = 65_536;

/// A rate that each of many has for itself.
///
/// Of each, only the moment is kept at which it would have everything back, were what it took spread evenly (the generic
/// cell rate algorithm of ITU-T I.371), under a keyed hash, so that nobody outside can pick what collides.
#[derive(Debug)]
pub struct Rate {
    each: Duration,
    window: Duration,
    keys: RandomState,
    full: Mutex<HashMap<u64, Instant>>,
}

impl Rate {
    /// So many at once, and one more with each time that passes.
    pub fn new(at_once: u32, each: Duration) -> Rate {
        let at_once = at_once.max(1);
        Rate { each, window: each * at_once, keys: RandomState::new(), full: Mutex::default() }
    }

    /// So many in a second, as many of them at once.
    pub fn per_second(most: u32) -> Rate {
        let most = most.max(1);
        Rate::new(most, Duration::from_secs(1) / most)
    }

    /// Takes so many for somebody at this moment, all or none; where they are too many, says how long to wait for them.
    pub fn take(&self, who: impl Hash, count: u32, now: Instant) -> Result<(), Duration> {
        let who = self.keys.hash_one(who);
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let before = full.get(&who).copied().map_or(now, |full| full.max(now));
        // Who asks for more than there is at once gets it once everything is back.
        let after = before + (self.each * count).min(self.window);
        match (after - now).checked_sub(self.window).filter(|wait| !wait.is_zero()) {
            Some(wait) => Err(wait),
            None => {
                if full.len() >= REMEMBERED {
                    forget(&mut full, now);
                }
                full.insert(who, before + self.each * count);
                Ok(())
            }
        }
    }

    /// Gives one back that was taken.
    pub fn give_back(&self, who: impl Hash) {
        let who = self.keys.hash_one(who);
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = full.get_mut(&who) {
            *at -= self.each;
        }
    }

    /// Gives everything back that was taken for somebody.
    pub fn forgive(&self, who: impl Hash) {
        let who = self.keys.hash_one(who);
        self.full.lock().unwrap_or_else(PoisonError::into_inner).remove(&who);
    }
}

/// Drops who has everything back; where that is nobody, the quarter that would have it soonest, so that a flood of others
/// makes nobody forgotten who took much.
fn forget(full: &mut HashMap<u64, Instant>, now: Instant) {
    full.retain(|_, at| *at > now);
    if full.len() < REMEMBERED {
        return;
    }
    let mut times: Vec<Instant> = full.values().copied().collect();
    let quarter = times.len() / 4;
    let (_, soon, _) = times.select_nth_unstable(quarter);
    let soon = *soon;
    full.retain(|_, at| *at > soon);
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFTEN: u32 = 10;

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn so_many_come_at_once_and_then_one_by_one() {
        let (rate, start) = (Rate::per_second(OFTEN), Instant::now());
        let ask = |ms| rate.take("ada", 1, at(start, ms));
        (0..OFTEN).for_each(|_| assert_eq!(ask(0), Ok(())));
        assert_eq!(ask(0), Err(Duration::from_millis(100)));
        assert_eq!(ask(60), Err(Duration::from_millis(40)));
        assert_eq!(ask(100), Ok(()), "what was refused does not count");
        assert!(ask(100).is_err());
        assert!((0..OFTEN).all(|_| ask(2_000).is_ok()) && ask(2_000).is_err());
        assert_eq!(rate.take("bob", 1, start), Ok(()), "another is not held up");
    }

    #[test]
    fn several_are_taken_together_or_not_at_all() {
        let (rate, start) = (Rate::per_second(OFTEN), Instant::now());
        assert_eq!(rate.take("ada", 8, start), Ok(()));
        assert_eq!(rate.take("ada", 3, start), Err(Duration::from_millis(100)));
        assert_eq!(rate.take("ada", 2, start), Ok(()));
        let full = at(start, 1_000);
        assert_eq!(
            rate.take("ada", 25, full),
            Ok(()),
            "more than there is at once is not refused for ever"
        );
        assert_eq!(rate.take("ada", 1, full), Err(Duration::from_millis(1_600)), "and is paid for");
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let (rate, now) = (Rate::new(2, Duration::from_secs(60)), Instant::now());
        (0..2).for_each(|_| assert_eq!(rate.take("ada", 1, now), Ok(())));
        rate.give_back("ada");
        assert_eq!(rate.take("ada", 1, now), Ok(()));
        assert!(rate.take("ada", 1, now).is_err());
        rate.forgive("ada");
        (0..2).for_each(|_| assert_eq!(rate.take("ada", 1, now), Ok(())));
    }

    #[test]
    fn memory_is_bounded_and_keeps_who_has_least_left() {
        let (rate, now) = (Rate::new(OFTEN, Duration::from_secs(60)), Instant::now());
        while rate.take("ada", 1, now).is_ok() {}
        for other in 0..3 * REMEMBERED {
            assert_eq!(rate.take(other, 1, now), Ok(()));
        }
        assert!(rate.full.lock().unwrap().len() <= REMEMBERED);
        assert!(rate.take("ada", 1, now).is_err(), "a flood of others makes nobody forgotten");
        let later = now + Duration::from_secs(3_600);
        (0..REMEMBERED).for_each(|other| assert_eq!(rate.take(other, 1, later), Ok(())));
        assert!(rate.full.lock().unwrap().len() <= REMEMBERED);
    }
}
