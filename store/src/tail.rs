//! The end of the log that the indexes do not hold yet, in memory: who reads beside a rush would otherwise look through as
//! much of the log as arrived in the last second.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use beaconry_model::time::Timestamp;

use crate::browse::Place;
use crate::index::Unmerged;
use crate::snapshot::EventNo;

/// Where each event lies that was committed and is not merged yet. The writer adds to it and lets go; readers look.
#[derive(Debug)]
pub(crate) struct Tail(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    /// The place of the log of the first; the others follow without a gap.
    first: i64,
    events: VecDeque<Fresh>,
}

/// What one of them is known by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fresh {
    pub(crate) received: Timestamp,
    pub(crate) event: EventNo,
    pub(crate) ver: u32,
    pub(crate) test: bool,
}

impl Tail {
    /// Nothing is behind: the next event comes to this place.
    pub(crate) fn new(next_seq: i64) -> Tail {
        Tail(Mutex::new(Inner { first: next_seq, events: VecDeque::new() }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what was committed, in the order of the log.
    pub(crate) fn add(&self, run: &[Unmerged]) {
        self.inner().events.extend(run.iter().map(|unmerged| Fresh {
            received: unmerged.received,
            event: unmerged.event,
            ver: unmerged.ver,
            test: unmerged.test,
        }));
    }

    /// Forgets what is merged, up to this place.
    pub(crate) fn let_go(&self, merged: i64) {
        let mut inner = self.inner();
        let gone = usize::try_from(merged - inner.first + 1).unwrap_or(0).min(inner.events.len());
        inner.events.drain(..gone);
        inner.first += gone as i64;
    }

    /// The places of those that fit, in the order of the log. Some may be merged by the time they are given, and retention
    /// may have deleted some.
    pub(crate) fn places(&self, fits: impl Fn(&Fresh, Place) -> bool) -> Vec<Place> {
        let inner = self.inner();
        let placed = (inner.first..).zip(&inner.events);
        placed
            .map(|(seq, fresh)| (fresh, Place { received: fresh.received, seq }))
            .filter(|(fresh, place)| fits(fresh, *place))
            .map(|(_, place)| place)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use beaconry_model::event_id::EventId;

    use super::*;

    #[test]
    fn what_is_merged_is_let_go_and_the_rest_keeps_its_places() {
        let tail = Tail::new(11);
        let run: Vec<Unmerged> = (11..16)
            .map(|seq| Unmerged {
                id: EventId([seq as u8; 16]),
                seq,
                event: EventNo(seq as u32 % 2),
                ver: 1,
                received: Timestamp(seq * 100),
                test: false,
            })
            .collect();
        tail.add(&run[..2]);
        tail.add(&run[2..]);
        let seqs = |fits: fn(&Fresh, Place) -> bool| -> Vec<(i64, i64)> {
            tail.places(fits).iter().map(|place| (place.seq, place.received.0)).collect()
        };
        assert_eq!(
            seqs(|fresh, _| fresh.event == EventNo(1)),
            [(11, 1100), (13, 1300), (15, 1500)]
        );
        // What was merged at start lies before all of them.
        tail.let_go(7);
        assert_eq!(seqs(|_, _| true).len(), 5);
        tail.let_go(13);
        assert_eq!(seqs(|_, _| true), [(14, 1400), (15, 1500)]);
        tail.let_go(15);
        assert_eq!(seqs(|_, _| true), []);
    }
}
