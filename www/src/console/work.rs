//! Long work that people wait for: how far it has come, what came of it, and that somebody wants it to end.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Pieces of work that are remembered; the oldest that has ended makes room.
const REMEMBERED: usize = 64;

/// One piece of work; `T` is what comes of it.
#[derive(Debug)]
pub(super) struct Work<T> {
    /// What names it in addresses.
    pub(super) id: String,
    /// How many steps there are.
    total: AtomicU64,
    done: AtomicU64,
    cancelled: AtomicBool,
    /// What came of it, or why nothing did.
    ended: OnceLock<Result<T, String>>,
}

impl<T> Work<T> {
    pub(super) fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Notes how far it has come; says whether to go on.
    pub(super) fn reach(&self, done: u64) -> bool {
        self.done.store(done, Ordering::Relaxed);
        !self.cancelled.load(Ordering::Relaxed)
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(super) fn end(&self, outcome: Result<T, String>) {
        let _ = self.ended.set(outcome);
    }

    pub(super) fn outcome(&self) -> Option<&Result<T, String>> {
        self.ended.get()
    }

    /// How far it is and how far it goes; never more than all of it.
    pub(super) fn progress(&self) -> (u64, u64) {
        let total = self.total.load(Ordering::Relaxed);
        (self.done.load(Ordering::Relaxed).min(total), total)
    }
}

/// Everything under way, and what has ended lately.
#[derive(Debug)]
pub(super) struct Works<T>(Mutex<VecDeque<Arc<Work<T>>>>);

impl<T> Default for Works<T> {
    fn default() -> Works<T> {
        Works(Mutex::default())
    }
}

impl<T> Works<T> {
    /// Begins a piece of work under this name; `None` where `most` are under way already, or the name is taken.
    pub(super) fn begin(&self, id: &str, most: usize) -> Option<Arc<Work<T>>> {
        let mut works = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = works.iter().filter(|work| work.outcome().is_none()).count();
        if under_way >= most || works.iter().any(|work| work.id == id) {
            return None;
        }
        if works.len() >= REMEMBERED {
            let ended = works.iter().position(|work| work.outcome().is_some());
            ended.map(|at| works.remove(at));
        }
        let work = Arc::new(Work {
            id: id.to_owned(),
            total: AtomicU64::new(0),
            done: AtomicU64::new(0),
            cancelled: AtomicBool::new(false),
            ended: OnceLock::new(),
        });
        works.push_back(work.clone());
        Some(work)
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Work<T>>> {
        let works = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        works.iter().find(|work| work.id == id).cloned()
    }
}

/// A name that nobody can guess.
pub(super) fn new_id() -> String {
    let random: [u8; 16] = beaconry_store::bytes().unwrap_or_default();
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_bounded_and_remembered_after_its_end() {
        let works = Works::<u8>::default();
        let first = works.begin("first", 2).unwrap();
        assert!(works.begin("first", 2).is_none(), "its name is taken");
        let second = works.begin("second", 2).unwrap();
        assert!(works.begin("third", 2).is_none(), "two are under way");
        second.expect(10);
        assert!(second.reach(20));
        assert_eq!(second.progress(), (10, 10));
        second.cancel();
        assert!(!second.reach(20));
        second.end(Ok(7));
        for n in 0..200 {
            works.begin(&n.to_string(), 2).unwrap().end(Ok(0));
        }
        assert!(works.find("second").is_none(), "forgotten");
        assert!(Arc::ptr_eq(&works.find("first").unwrap(), &first), "under way");
    }
}
