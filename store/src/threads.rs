//! The store's threads: each has a name, by which the system's tools show what it costs, and those whose work can wait step
//! back where there is not enough processor for all.

use std::thread::{Builder, JoinHandle};

/// How far a thread steps back, in steps of nice(2), as far as there are any: where both have work, it gets a seventieth of the
/// time of one that does not.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

/// Starts a thread. Of its name Linux shows the first 15 bytes.
///
/// # Panics
///
/// Where the system has no thread left, as [`std::thread::spawn`] does.
pub(crate) fn start(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let started = Builder::new().name(name.to_owned()).spawn(work);
    started.unwrap_or_else(|error| panic!("no thread for {name}: {error}"))
}

/// Lets what arrives go before the calling thread, for good. For threads whose work can wait.
pub fn step_back() {
    // On Linux a thread has a priority of its own; elsewhere this would be the whole process.
    #[cfg(target_os = "linux")]
    {
        let thread = rustix::thread::gettid();
        // Where it is not allowed to, it goes on as it was.
        let _ = rustix::process::setpriority_process(Some(thread), NICE);
    }
}
