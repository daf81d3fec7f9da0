//! How requests hear what became of them: a few by the writer, each of which tells others in its turn.
//!
//! To wake a task from a thread outside the server's runtime takes the runtime's lock, and often a system call. So the writer wakes one
//! request of every [`TOGETHER`], and with the news that one is given the others, who are told on the server's own thread
//! as soon as the news is dropped, even where nobody took it.

use tokio::sync::oneshot;

use crate::writer::{AppendError, Written};

/// Requests that are told through one of them.
const TOGETHER: usize = 64;

/// How a request learns what became of it.
pub(crate) type Done = oneshot::Sender<Told>;

/// What became of a request.
#[derive(Debug)]
pub(crate) struct Told {
    outcome: Result<Written, AppendError>,
    /// Who is told once this is dropped.
    others: Vec<(Done, Written)>,
}

impl Told {
    /// What became of it. Tells the others.
    pub(crate) fn outcome(self) -> Result<Written, AppendError> {
        self.outcome.clone()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        for (done, written) in self.others.drain(..) {
            // Who has gone away needs no news.
            let _ = done.send(Told { outcome: Ok(written), others: Vec::new() });
        }
    }
}

/// Tells requests that they are on disk.
pub(crate) fn tell(written: impl Iterator<Item = (Done, Written)>) {
    let mut written = written.peekable();
    while let Some((done, first)) = written.next() {
        let others = written.by_ref().take(TOGETHER - 1).collect();
        let _ = done.send(Told { outcome: Ok(first), others });
    }
}

/// Tells a request that nothing of it was kept.
pub(crate) fn refuse(done: Done, error: AppendError) {
    let _ = done.send(Told { outcome: Err(error), others: Vec::new() });
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::{TOGETHER, tell};
    use crate::writer::Written;

    /// Every request hears its own news, whoever has gone away in between.
    #[test]
    fn everybody_is_told() {
        let gone = |at: usize| at.is_multiple_of(TOGETHER) || at.is_multiple_of(3);
        let (mut told, mut wait) = (Vec::new(), Vec::new());
        for stored in 0..5 * TOGETHER + 1 {
            let (done, waits) = oneshot::channel();
            told.push((done, Written { stored, duplicates: 0 }));
            wait.extend((!gone(stored)).then_some((stored, waits)));
        }
        tell(told.into_iter());
        for (stored, waits) in wait {
            let outcome = waits.blocking_recv().unwrap().outcome();
            assert_eq!(outcome, Ok(Written { stored, duplicates: 0 }));
        }
    }
}
