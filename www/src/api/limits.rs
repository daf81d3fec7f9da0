//! How often who may ask: a rate for each API key, each profile key and each client that wants tokens.

use std::hash::Hash;
use std::time::{Duration, Instant};

use beaconry_model::profile::ProfileKey;
use beaconry_traffic::Rate;

use super::problem::Problem;

/// How much is allowed; 0 is no bound.
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
    requests: Option<Rate>,
    profiles: Option<Rate>,
    tokens: Option<Rate>,
}

impl Limiter {
    pub(super) fn new(limits: Limits) -> Limiter {
        let in_time = |most: u32, time: Duration| (most > 0).then(|| Rate::new(most, time / most));
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        Limiter {
            limits,
            requests: in_time(limits.requests_per_second, second),
            profiles: in_time(limits.profile_requests_per_second, second),
            tokens: in_time(limits.tokens_per_minute, minute),
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

    /// A token for this client. All whose secret is wrong share one rate, whatever client they name: so made-up clients take no
    /// memory, and a stranger cannot use up the tokens of a client whose id they know.
    pub(super) fn token(&self, client_id: &str) -> Result<(), Problem> {
        let most = self.limits.tokens_per_minute;
        let what = "tokens a minute for one client; a token is good for a day, so keep it";
        ask(&self.tokens, client_id, most, what)
    }
}

fn ask(rate: &Option<Rate>, who: impl Hash, most: u32, what: &str) -> Result<(), Problem> {
    let Some(rate) = rate else { return Ok(()) };
    rate.take(who, 1, Instant::now()).map_err(|wait| {
        Problem::too_many(format!("expected at most {most} {what}; wait, then go on"), wait)
    })
}

#[cfg(test)]
mod tests {
    use beaconry_model::profile::{Keyspace, ProfileKey};

    use super::{Limiter, Limits};

    #[test]
    fn none_is_no_bound() {
        let most = |most| Limits {
            requests_per_second: most,
            profile_requests_per_second: most,
            tokens_per_minute: most,
        };
        let ada = ProfileKey::new(Keyspace::Email, "ada@shop.example").unwrap();
        let ask = |limiter: &Limiter| {
            [limiter.request("a"), limiter.profile(&ada), limiter.token("a")]
                .map(|asked| asked.is_ok())
        };
        let (bound, free) = (Limiter::new(most(1)), Limiter::new(most(0)));
        assert_eq!((ask(&bound), ask(&bound)), ([true; 3], [false; 3]));
        for _ in 0..1_000 {
            assert_eq!(ask(&free), [true; 3]);
        }
    }
}
