//! How often somebody may try a password: by account and by the network they come from.

use std::time::{Duration, Instant};

use beaconry_traffic::{Prefix, Rate};

/// Counts attempts. Every attempt counts before its password is looked at, so that many at the same time are many; one
/// that succeeds is given back.
#[derive(Debug)]
pub(crate) struct Attempts {
    accounts: Rate,
    networks: Rate,
}

impl Default for Attempts {
    /// An account: ten at once, then one a minute. A network, which an office may share: fifty at once, then one in ten
    /// seconds.
    fn default() -> Attempts {
        Attempts {
            accounts: Rate::new(10, Duration::from_secs(60)),
            networks: Rate::new(50, Duration::from_secs(10)),
        }
    }
}

impl Attempts {
    /// Takes an attempt on an account from a network; where there are none left, says how long to wait.
    pub(crate) fn take(&self, account: &str, from: Prefix, now: Instant) -> Result<(), Duration> {
        self.accounts.take(account, 1, now)?;
        self.networks.take(from, 1, now).inspect_err(|_| self.accounts.give_back(account))
    }

    /// Gives back an attempt that was right, and all that were made on its account.
    pub(crate) fn give_back(&self, account: &str, from: Prefix) {
        self.accounts.forgive(account);
        self.networks.give_back(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Prefix = Prefix::V4([192, 0, 2]);
    const AWAY: Prefix = Prefix::V4([198, 51, 100]);

    #[test]
    fn an_account_is_tried_ten_times_and_then_once_a_minute() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..10 {
            assert_eq!(attempts.take("ada", HOME, now), Ok(()));
        }
        let wait = attempts.take("ada", AWAY, now).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(60), "{wait:?}");
        assert_eq!(attempts.take("bob", HOME, now), Ok(()), "another account is another matter");
        let later = now + wait;
        assert_eq!(attempts.take("ada", HOME, later), Ok(()));
        assert!(attempts.take("ada", HOME, later).is_err());
    }

    #[test]
    fn a_network_is_counted_over_all_accounts() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for account in 0..50 {
            assert_eq!(attempts.take(&account.to_string(), HOME, now), Ok(()));
        }
        for _ in 0..20 {
            assert!(attempts.take("another", HOME, now).is_err());
        }
        assert_eq!(
            attempts.take("another", AWAY, now),
            Ok(()),
            "what its network refused is not on the account"
        );
    }

    #[test]
    fn who_was_right_starts_anew() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..500 {
            assert_eq!(attempts.take("ada", HOME, now), Ok(()));
            attempts.give_back("ada", HOME);
        }
    }
}
