//! How often who may ask: a rate for each API key, each profile key and each client that wants tokens.

use std::hash::Hash;
use std::time::{Duration, Instant};

use beaconry_model::profile::ProfileKey;
use beaconry_traffic::Rate;

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
    limits: Limits,
    requests: Rate,
    profiles: Rate,
    tokens: Rate,
}

impl Limiter {
    pub(super) fn new(limits: Limits) -> Limiter {
        let tokens = limits.tokens_per_minute.max(1);
        Limiter {
            limits,
            requests: Rate::per_second(limits.requests_per_second),
            profiles: Rate::per_second(limits.profile_requests_per_second),
            tokens: Rate::new(tokens, Duration::from_secs(60) / tokens),
        }
    }

    /// A request by this caller.
    pub(super) fn request(&self, caller: &str) -> Result<(), Problem> {
        let most = self.limits.requests_per_second;
        ask(&self.requests, caller, most, "requests a second with one key")
    }

    /// A request that names this key of a profile.
    pub(super) fn profile(&self, key: &ProfileKey) -> Result<(), Problem> {
        let most = self.limits.profile_requests_per_second;
        ask(&self.profiles, key, most, "requests a second for one profile")
    }

    /// A token for this client.
    pub(super) fn token(&self, client_id: &str) -> Result<(), Problem> {
        let most = self.limits.tokens_per_minute;
        let what = "tokens a minute for one client; a token is good for a day, so keep it";
        ask(&self.tokens, client_id, most, what)
    }
}

fn ask(rate: &Rate, who: impl Hash, most: u32, what: &str) -> Result<(), Problem> {
    rate.take(who, 1, Instant::now()).map_err(|wait| {
        Problem::too_many(format!("expected at most {most} {what}; wait, then go on"), wait)
    })
}
