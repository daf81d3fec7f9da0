//! How many events are linked next, and when. Those of one profile that are linked together share pages and a commit, so some
//! gather first. And a rush goes first: what arrives needs the processor more than timelines do, which follow when it is over.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// How many events may gather, and for how long.
#[derive(Clone, Copy, Debug)]
struct Bound {
    events: i64,
    time: Duration,
}

/// While some arrive: no longer than anybody would notice.
const SOME: Bound = Bound { events: 5_000, time: Duration::from_millis(100) };
/// What a rush has the processor to itself for. So many are linked in half a minute once it is over.
const RUSH: Bound = Bound { events: 14_000_000, time: Duration::from_secs(60) };
/// Arrivals a second that are a rush, about two thirds of what a machine takes one by one; it is over at half of that, so that
/// a moment in which fewer arrive does not end it.
static RUSHING: LazyLock<f64> =
    LazyLock::new(|| 20_000.0 * std::thread::available_parallelism().map_or(1, |n| n.get()) as f64);
/// How long arrivals are counted for that.
const WINDOW: Duration = Duration::from_millis(100);
/// Fewer events than this at once are not worth waiting for.
const FEW: i64 = 200;
/// Events linked in one transaction: few enough that a change does not wait long for it.
const BATCH: i64 = 1_000;
/// The same where linking is far behind: then more at a time, so that those of one profile share pages.
const LARGE_BATCH: i64 = 10_000;

/// What is known of how events arrive and are linked.
#[derive(Debug)]
pub(super) struct Gathering {
    rushing: f64,
    /// The last place of the log that is linked, where the log ended then, and when that was.
    linked: i64,
    committed: i64,
    at: Instant,
    /// How many were linked last.
    last: i64,
    /// When the window began, and where the log ended then.
    window: (Instant, i64),
    /// Since when there is a rush.
    rush: Option<Instant>,
}

impl Gathering {
    /// Everything up to `linked` is linked, and the log ends at `committed`.
    pub(super) fn new(linked: i64, committed: i64, now: Instant) -> Gathering {
        Gathering {
            rushing: *RUSHING,
            linked,
            committed,
            at: now,
            last: 0,
            // What is there already has not arrived just now.
            window: (now, committed),
            rush: None,
        }
    }

    /// Some were linked, now up to this place, where the log ended at `committed`.
    pub(super) fn linked(&mut self, linked: i64, committed: i64, now: Instant) {
        self.last = linked - self.linked;
        (self.linked, self.committed, self.at) = (linked, committed, now);
    }

    /// How many to link now, where the log ends at `committed`; `None` to let more arrive, unless somebody waits for it.
    pub(super) fn next(&mut self, committed: i64, awaited: bool, now: Instant) -> Option<usize> {
        self.count(committed, now);
        if awaited {
            return Some(self.all(committed));
        }
        let arrived = committed - self.committed;
        let gathers = arrived < SOME.events && now - self.at < SOME.time;
        match self.rush {
            Some(since) if now - since < RUSH.time && committed - self.linked < RUSH.events => None,
            // A little more than arrives: all at once would have what arrives wait for the disk.
            Some(_) if gathers => None,
            Some(_) => Some((arrived * 5 / 4).clamp(BATCH, LARGE_BATCH) as usize),
            None if gathers && self.last >= FEW && self.committed - self.linked < SOME.events => {
                None
            }
            None => Some(self.all(committed)),
        }
    }

    /// Whether more arrives than leaves time for what can wait.
    pub(super) fn rushes(&self) -> bool {
        self.rush.is_some()
    }

    /// How many to link now, where nothing is to gather.
    pub(super) fn all(&self, committed: i64) -> usize {
        let far_behind = committed - self.linked > SOME.events;
        (if far_behind { LARGE_BATCH } else { BATCH }) as usize
    }

    fn count(&mut self, committed: i64, now: Instant) {
        let (began, from) = self.window;
        let counted = now - began;
        if counted < WINDOW {
            return;
        }
        let enough = if self.rush.is_some() { self.rushing / 2.0 } else { self.rushing };
        let rushes = (committed - from) as f64 >= enough * counted.as_secs_f64();
        self.rush = rushes.then(|| self.rush.unwrap_or(began));
        self.window = (now, committed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Duration = Duration::from_millis(10);

    /// Events that arrive at a constant rate, looked at every ten milliseconds.
    struct Log {
        gathering: Gathering,
        committed: i64,
        now: Instant,
    }

    impl Log {
        /// Everything is linked, of which so many events just now.
        fn new(last: i64) -> Log {
            let now = Instant::now();
            let mut gathering = Gathering { rushing: 40_000.0, ..Gathering::new(0, 0, now) };
            gathering.linked(last, last, now);
            Log { gathering, committed: last, now }
        }

        /// A window of a rush has passed, and everything is linked.
        fn rushing(a_second: i64) -> Log {
            let mut log = Log::new(FEW);
            log.now += WINDOW;
            log.committed += a_second / 10;
            log.gathering.next(log.committed, false, log.now);
            log.gathering.linked(log.committed, log.committed, log.now);
            log
        }

        /// How many are linked at once, after how long, and how many have arrived by then.
        fn links(&mut self, a_second: i64) -> (usize, Duration, i64) {
            let (begin, before) = (self.now, self.committed);
            for _ in 0..10_000 {
                self.now += LOOK;
                self.committed += a_second / 100;
                if let Some(events) = self.gathering.next(self.committed, false, self.now) {
                    let linked = self.committed.min(self.gathering.linked + events as i64);
                    self.gathering.linked(linked, self.committed, self.now);
                    return (events, self.now - begin, self.committed - before);
                }
            }
            panic!("they gather for ever");
        }
    }

    #[test]
    fn few_are_linked_at_once_and_some_wait_a_moment() {
        assert_eq!(Log::new(FEW - 1).links(1_000), (1_000, LOOK, 10));
        assert_eq!(Log::new(FEW).links(1_000), (1_000, SOME.time, 100));
        assert_eq!(Log::new(FEW).links(30_000), (1_000, SOME.time, 3_000));
    }

    #[test]
    fn a_rush_goes_first_for_a_while_and_then_takes_linking_along() {
        let mut log = Log::rushing(100_000);
        // A moment with less does not end it.
        let (events, after, _) = log.links(60_000);
        assert_eq!((events, after), (LARGE_BATCH as usize, RUSH.time - WINDOW));
        // From now on a quarter more than arrives, until nothing is behind.
        for _ in 0..10 {
            assert_eq!(log.links(100_000), (6_250, 5 * LOOK, 5_000));
        }
        let mut log = Log::rushing(2_000_000);
        log.links(2_000_000);
        assert_eq!(log.committed - log.gathering.linked, RUSH.events - LARGE_BATCH);
    }

    #[test]
    fn nobody_who_waits_is_kept_waiting_and_what_was_there_is_no_rush() {
        let mut log = Log::rushing(100_000);
        (log.now, log.committed) = (log.now + LOOK, log.committed + 1_000);
        assert_eq!(log.gathering.next(log.committed, false, log.now), None);
        assert_eq!(log.gathering.next(log.committed, true, log.now), Some(BATCH as usize));
        log.committed += SOME.events;
        assert_eq!(log.gathering.next(log.committed, true, log.now), Some(LARGE_BATCH as usize));
        // As after a crash: a million are behind, and nothing arrives.
        let now = Instant::now();
        let mut started = Gathering::new(0, 1_000_000, now);
        let later = now + WINDOW;
        assert_eq!(started.next(1_000_000, false, later), Some(LARGE_BATCH as usize));
    }

    #[test]
    fn what_gathered_is_linked_as_soon_as_the_rush_is_over() {
        let mut log = Log::rushing(100_000);
        for _ in 0..100 {
            log.now += LOOK;
            log.committed += 1_000;
            assert_eq!(log.gathering.next(log.committed, false, log.now), None);
        }
        let (begin, waits) = (log.now, log.committed - log.gathering.linked);
        while log.committed > log.gathering.linked {
            log.links(0);
        }
        // The rush is over within two windows; then one transaction follows the other.
        let looks = waits / LARGE_BATCH + SOME.events / BATCH + 1;
        assert!(log.now - begin <= 2 * WINDOW + LOOK * looks as u32, "{:?}", log.now - begin);
    }
}
