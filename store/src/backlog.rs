//! How much may wait for the writer: as much as it writes in a second, so that what is too much is told at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// May wait whatever the disk's speed, in bytes: about a thousand events.
const LEAST: usize = 256 * 1024;
/// May wait until the disk's speed is known, in bytes.
const FIRST: usize = 4 * 1024 * 1024;
/// May wait at the most, in bytes: what waits lies in memory.
const MOST: usize = 64 * 1024 * 1024;
/// A smaller group says how long a sync takes and not how much the disk writes in a second, in bytes.
const TELLING: usize = 64 * 1024;

/// Counts what waits.
#[derive(Debug)]
pub(crate) struct Backlog {
    waiting: AtomicUsize,
    allowed: AtomicUsize,
}

/// A request's place among what waits. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place {
    backlog: Arc<Backlog>,
    bytes: usize,
}

impl Default for Backlog {
    fn default() -> Backlog {
        Backlog { waiting: AtomicUsize::new(0), allowed: AtomicUsize::new(FIRST) }
    }
}

impl Backlog {
    /// Whether nothing more may wait at the moment.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= self.allowed.load(Ordering::Relaxed)
    }

    /// A place for so many bytes, while there is room for more.
    pub(crate) fn enter(self: &Arc<Backlog>, bytes: usize) -> Option<Place> {
        if self.is_full() {
            return None;
        }
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        Some(Place { backlog: self.clone(), bytes })
    }

    /// Learns that a group of so many bytes took so long to write.
    pub(crate) fn wrote(&self, bytes: usize, took: Duration) {
        let a_second = (bytes as f64 / took.as_secs_f64().max(1e-6)) as usize;
        let before = self.allowed.load(Ordering::Relaxed);
        if bytes >= TELLING || a_second > before {
            let allowed = before / 2 + a_second.min(MOST) / 2;
            self.allowed.store(allowed.clamp(LEAST, MOST), Ordering::Relaxed);
        }
    }
}

impl Place {
    pub(crate) fn bytes(&self) -> usize {
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
    fn as_much_may_wait_as_is_written_in_a_second() {
        let backlog = Arc::new(Backlog::default());
        for (bytes_a_second, allowed) in
            [(8 * LEAST, 8 * LEAST), (TELLING, LEAST), (1, LEAST), (1_000_000 * LEAST, MOST)]
        {
            (0..100).for_each(|_| backlog.wrote(bytes_a_second, Duration::from_secs(1)));
            let places: Vec<_> =
                std::iter::from_fn(|| backlog.enter(LEAST / 4)).take(10_000).collect();
            let waits = places.iter().map(Place::bytes).sum::<usize>();
            assert!(waits.abs_diff(allowed) <= LEAST / 4, "{waits} for {bytes_a_second}");
            drop(places);
            assert!(!backlog.is_full());
        }
    }
}
