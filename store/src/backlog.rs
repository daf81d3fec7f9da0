//! How much may wait for the writer: as much as it writes in a second, so that what is too much is told at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// May wait whatever the disk's speed, in bytes: about what one commit holds at the most. Smaller ones write more for each event.
const LEAST: usize = 1024 * 1024;
/// May wait until the disk's speed is known, in bytes.
const FIRST: usize = 4 * 1024 * 1024;
/// May wait at the most, in bytes: what waits lies in memory.
const MOST: usize = 64 * 1024 * 1024;
/// A smaller group says how long a sync takes and not how much the disk writes in a second, in bytes.
const TELLING: usize = 64 * 1024;
/// Groups whose speed is looked at together.
const SMOOTH: f64 = 8.0;

/// Counts what waits.
#[derive(Debug)]
pub(crate) struct Backlog {
    waiting: AtomicUsize,
    allowed: AtomicUsize,
    /// Whether the disk's speed is known.
    is_known: AtomicBool,
}

/// A request's place among what waits. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place {
    backlog: Arc<Backlog>,
    bytes: usize,
}

impl Default for Backlog {
    fn default() -> Backlog {
        Backlog {
            waiting: AtomicUsize::new(0),
            allowed: AtomicUsize::new(FIRST),
            is_known: AtomicBool::new(false),
        }
    }
}

impl Backlog {
    /// Whether nothing more may wait at the moment.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= self.allowed.load(Ordering::Relaxed)
    }

    /// A place for so many bytes, for who has found that it is not full.
    pub(crate) fn enter(self: &Arc<Backlog>, bytes: usize) -> Place {
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        Place { backlog: self.clone(), bytes }
    }

    /// Learns that a group of so many bytes took so long to write.
    pub(crate) fn wrote(&self, bytes: usize, took: Duration) {
        let a_second = (bytes as f64 / took.as_secs_f64().max(1e-6)) as usize;
        let before = self.allowed.load(Ordering::Relaxed);
        if bytes >= TELLING || a_second > before {
            let allowed = match self.is_known.swap(true, Ordering::Relaxed) {
                false => a_second,
                true => average(before, a_second),
            };
            self.allowed.store(allowed.clamp(LEAST, MOST), Ordering::Relaxed);
        }
    }
}

/// Of the times that a byte takes, so that a group that was also written back counts for as long as it took.
fn average(before: usize, now: usize) -> usize {
    let time = (SMOOTH - 1.0) / before as f64 + 1.0 / now.max(1) as f64;
    (SMOOTH / time) as usize
}

impl Place {
    /// Gives it back, and says how many bytes it was for: they are written now, and the next may wait.
    pub(crate) fn leave(self) -> usize {
        self.bytes
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.backlog.waiting.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_group_tells_how_fast_the_disk_is_and_later_ones_change_that_a_little() {
        let backlog = Arc::new(Backlog::default());
        let allowed = || backlog.allowed.load(Ordering::Relaxed);
        let wrote = |bytes| backlog.wrote(bytes, Duration::from_secs(1));
        wrote(TELLING - 1);
        assert_eq!(allowed(), FIRST, "too small to tell");
        wrote(2 * LEAST);
        assert_eq!(allowed(), 2 * LEAST);
        // Every fifth takes four times as long for a byte: on average a byte takes two fifths of that.
        (0..400).for_each(|at| wrote(if at % 5 == 4 { LEAST } else { 4 * LEAST }));
        assert!(allowed().abs_diff(5 * LEAST / 2) < LEAST / 4, "{}", allowed());
    }

    #[test]
    fn as_much_may_wait_as_is_written_in_a_second() {
        let backlog = Arc::new(Backlog::default());
        for (bytes_a_second, allowed) in
            [(8 * LEAST, 8 * LEAST), (TELLING, LEAST), (1, LEAST), (1_000_000 * LEAST, MOST)]
        {
            (0..100).for_each(|_| backlog.wrote(bytes_a_second, Duration::from_secs(1)));
            let enter = || (!backlog.is_full()).then(|| backlog.enter(LEAST / 4));
            let places: Vec<_> = std::iter::from_fn(enter).take(10_000).collect();
            let waits = places.iter().map(|place| place.bytes).sum::<usize>();
            assert!(waits.abs_diff(allowed) <= LEAST / 4, "{waits} for {bytes_a_second}");
            drop(places);
            assert!(!backlog.is_full());
        }
    }
}
