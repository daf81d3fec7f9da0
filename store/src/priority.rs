//! Which threads go first where there is not enough processor for all.

/// How far a thread steps back, in steps of nice(2): it gets a tenth of the time of one that does not.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

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
