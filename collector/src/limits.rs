//! Bounds on what comes from outside: connections, time and bytes.

use std::time::Duration;

/// The bounds a collector keeps.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections open at once. Beyond it, new ones wait in the listener's queue.
    pub connections: usize,
    /// How long a client may take to send a request's headers, idle time before them included.
    pub headers: Duration,
    /// How long a client may take to send a request's body.
    pub body: Duration,
    /// How long a client may leave an answer lying before any more of it is taken.
    pub answer: Duration,
    /// How long open requests may take once the collector shuts down.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 10_000,
            headers: Duration::from_secs(10),
            body: Duration::from_secs(10),
            answer: Duration::from_secs(10),
            drain: Duration::from_secs(20),
        }
    }
}

/// The most bytes of a request's head, as Hyper buffers it.
pub const MAX_HEAD: usize = 16 * 1024;
