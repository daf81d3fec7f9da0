//! The store's threads: each has a name, by which the system's tools show what it costs, and those whose work can wait step
//! back where there is not enough processor for all.

use std::thread::{Builder, JoinHandle};

/// How far a thread steps back before those that take what arrives.
#[derive(Clone, Copy, Debug)]
pub enum Rank {
    /// It gets what nobody else wants, and gives that up at once: for what somebody asked for and may wait for. On Linux,
    /// `SCHED_IDLE`; the farthest step of nice(2) kept a processor for milliseconds after those it should let go before woke.
    Last,
    /// It gets a little even while nobody rests: for what must not fall behind for ever. On Linux, the farthest step of nice(2).
    Low,
}

/// Starts a thread. Of its name Linux shows the first 15 bytes.
///
/// # Panics
///
/// Where the system has no thread left, as [`std::thread::spawn`] does.
pub(crate) fn start(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let started = Builder::new().name(name.to_owned()).spawn(work);
    started.unwrap_or_else(|error| panic!("no thread for {name}: {error}"))
}

/// Starts a thread whose work can wait: it lets what arrives go before it.
///
/// # Panics
///
/// Where the system has no thread left.
pub fn start_behind(
    name: &str,
    rank: Rank,
    work: impl FnOnce() + Send + 'static,
) -> JoinHandle<()> {
    start(name, move || {
        step_back(rank);
        work();
    })
}

/// Lets what arrives go before the calling thread, for good. Where it is not allowed to, it goes on as it was.
#[cfg(target_os = "linux")]
fn step_back(rank: Rank) {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };
    let policy = match rank {
        Rank::Last => NormalThreadSchedulePolicy::Idle,
        Rank::Low => NormalThreadSchedulePolicy::Other,
    };
    let policy = ThreadSchedulePolicy::Normal(policy);
    let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
}

/// Elsewhere this would be the whole process.
#[cfg(not(target_os = "linux"))]
fn step_back(_: Rank) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// The scheduling policy and the nice value of the calling thread, as Linux counts them.
    fn scheduled() -> (u32, i32) {
        let text = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        // What follows the name in parentheses begins with the third of the fields that proc_pid_stat(5) numbers.
        let fields: Vec<&str> = text.rsplit_once(") ").unwrap().1.split(' ').collect();
        (fields[41 - 3].parse().unwrap(), fields[19 - 3].parse().unwrap())
    }

    #[test]
    fn a_thread_behind_lets_others_go_first() {
        let of = |rank| {
            let (say, said) = std::sync::mpsc::channel();
            start_behind("behind", rank, move || say.send(scheduled()).unwrap()).join().unwrap();
            said.recv().unwrap()
        };
        let (other, nice) = scheduled();
        assert_eq!(of(Rank::Low), (other, 19));
        const SCHED_IDLE: u32 = 5;
        assert_eq!(of(Rank::Last).0, SCHED_IDLE);
        assert_eq!(scheduled(), (other, nice), "the thread that starts them stays as it is");
    }
}
