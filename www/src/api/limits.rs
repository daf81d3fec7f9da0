//! How often who may ask: a rate for each API key, each profile key and each client that wants tokens, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::problem::Problem;

/// How much is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second, for each API key or personal token.
    pub requests_per_second: u32,
    /// Requests a second that name the same key of a profile.
    pub profile_requests_per_second: u32,
    /// Access tokens a minute, for each API key.
    pub tokens_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { requests_per_second: 100, profile_requests_per_second: 10, tokens_per_minute: 10 }
    }
}

/// Counts what was asked, and says when it is too often.
#[derive(Debug)]
pub(super) struct Limiter {
    requests: Rate,
    profiles: Rate,
    tokens: Rate,
}

impl Limiter {
    pub(super) fn new(limits: Limits) -> Limiter {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        Limiter {
            requests: Rate::new(limits.requests_per_second, second),
            profiles: Rate::new(limits.profile_requests_per_second, second),
            tokens: Rate::new(limits.tokens_per_minute, minute),
        }
    }

    /// A request by this caller.
    pub(super) fn request(&self, caller: &str) -> Result<(), Problem> {
        self.requests.ask(caller, "requests a second with one key")
    }

    /// A request that names this key of a profile.
    pub(super) fn profile(&self, keyspace: &str, key: &str) -> Result<(), Problem> {
        self.profiles.ask(&format!("{keyspace} {key}"), "requests a second for one profile")
    }

    /// A token for this client.
    pub(super) fn token(&self, client_id: &str) -> Result<(), Problem> {
        self.tokens
            .ask(client_id, "tokens a minute for one client; a token is good for a day, so keep it")
    }
}

/// So many callers are remembered at once; each takes some 30 bytes. Who would be one more waits.
const MOST: usize = 200_000;
/// How often those whose turn has come are forgotten, where there are many.
const SWEEP: Duration = Duration::from_millis(200);

/// So much in so long, for each of many. Of each, only the moment is kept at which all that it asked for would have been
/// done, were it spread evenly (the generic cell rate algorithm of ITU-T I.371).
#[derive(Debug)]
struct Rate {
    most: u32,
    /// The time of one.
    each: Duration,
    /// The time of as many as may come at once.
    window: Duration,
    hasher: RandomState,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    done: HashMap<u64, Instant>,
    swept: Instant,
}

impl Rate {
    fn new(most: u32, window: Duration) -> Rate {
        let most = most.max(1);
        let seen = Seen { done: HashMap::new(), swept: Instant::now() };
        Rate {
            most,
            each: window / most,
            window,
            hasher: RandomState::new(),
            seen: Mutex::new(seen),
        }
    }

    fn ask(&self, who: &str, what: &str) -> Result<(), Problem> {
        self.ask_at(who, Instant::now()).map_err(|wait| {
            Problem::too_many(
                format!("expected at most {} {what}; wait, then go on", self.most),
                wait,
            )
        })
    }

    /// Counts one at this moment; where it is too early, says how long to wait.
    fn ask_at(&self, who: &str, now: Instant) -> Result<(), Duration> {
        let who = self.hasher.hash_one(who);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.done.contains_key(&who) && !seen.has_room(now) {
            return Err(SWEEP);
        }
        let done = seen.done.entry(who).or_insert(now);
        let after = (*done).max(now) + self.each;
        match (after - now).checked_sub(self.window).filter(|wait| !wait.is_zero()) {
            Some(wait) => Err(wait),
            None => {
                *done = after;
                Ok(())
            }
        }
    }
}

impl Seen {
    fn has_room(&mut self, now: Instant) -> bool {
        if self.done.len() >= MOST && now.saturating_duration_since(self.swept) >= SWEEP {
            self.swept = now;
            self.done.retain(|_, done| *done > now);
        }
        self.done.len() < MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_come_at_once_and_then_one_by_one() {
        let rate = Rate::new(10, Duration::from_secs(1));
        let start = Instant::now();
        let at = |ms: u64| rate.ask_at("a", start + Duration::from_millis(ms));
        for _ in 0..10 {
            assert_eq!(at(0), Ok(()));
        }
        assert_eq!(at(0), Err(Duration::from_millis(100)));
        assert_eq!(at(60), Err(Duration::from_millis(40)));
        assert_eq!(at(100), Ok(()), "what was refused does not count");
        assert!(at(100).is_err());
        assert!((0..10).all(|_| at(2_000).is_ok()) && at(2_000).is_err());
        assert_eq!(rate.ask_at("b", start), Ok(()), "another is not held up");
    }

    #[test]
    fn memory_is_bounded_whoever_asks() {
        let rate = Rate::new(1, Duration::from_secs(1));
        let start = Instant::now();
        for caller in 0..MOST {
            assert_eq!(rate.ask_at(&caller.to_string(), start), Ok(()));
        }
        assert!(rate.ask_at("one more", start + Duration::from_millis(500)).is_err());
        assert_eq!(rate.seen.lock().unwrap().done.len(), MOST);
        assert_eq!(rate.ask_at("one more", start + Duration::from_secs(2)), Ok(()));
        assert_eq!(
            rate.seen.lock().unwrap().done.len(),
            1,
            "those whose turn has come are forgotten"
        );
    }
}
