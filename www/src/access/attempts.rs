//! How often somebody may try a password: by account and by the network they come from, in bounded memory.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many accounts and networks are remembered at the most: a megabyte.
const REMEMBERED: usize = 16_384;
/// An account: ten at once, then one a minute.
const ACCOUNT: Rate = Rate { at_once: 10, each: Duration::from_secs(60) };
/// A network: fifty at once, then one in ten seconds. An office may have one address for all.
const NETWORK: Rate = Rate { at_once: 50, each: Duration::from_secs(10) };

/// So many at once, and one more with each time that passes.
#[derive(Clone, Copy, Debug)]
struct Rate {
    at_once: u32,
    each: Duration,
}

/// The network that an address belongs to: what one line or one office has for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Prefix {
    /// The first 24 bits.
    V4([u8; 3]),
    /// The first 56 bits.
    V6([u8; 7]),
}

impl Prefix {
    pub(crate) fn of(address: IpAddr) -> Prefix {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Prefix::V4([a, b, c])
            }
            IpAddr::V6(address) => {
                let mut first = [0; 7];
                first.copy_from_slice(&address.octets()[..7]);
                Prefix::V6(first)
            }
        }
    }
}

/// Counts attempts. Every attempt counts before its password is looked at, so that many at the same time are many; one
/// that succeeds is given back.
#[derive(Debug)]
pub(crate) struct Attempts {
    keys: RandomState,
    /// When each would have all of its attempts back.
    full: Mutex<HashMap<u64, Instant>>,
}

impl Default for Attempts {
    fn default() -> Attempts {
        Attempts { keys: RandomState::new(), full: Mutex::default() }
    }
}

impl Attempts {
    /// Takes an attempt on an account from a network; where there are none left, says how long to wait.
    pub(crate) fn take(&self, account: &str, from: Prefix, now: Instant) -> Result<(), Duration> {
        let (account, network) = (self.key(account), self.key(from));
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let after = |key, rate| next(full.get(&key).copied(), rate, now);
        let (account_full, network_full) = (after(account, ACCOUNT)?, after(network, NETWORK)?);
        if full.len() + 2 > REMEMBERED {
            forget(&mut full, now);
        }
        full.insert(account, account_full);
        full.insert(network, network_full);
        Ok(())
    }

    /// Gives back an attempt that was right, and all that were made on its account.
    pub(crate) fn give_back(&self, account: &str, from: Prefix) {
        let (account, network) = (self.key(account), self.key(from));
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        full.remove(&account);
        if let Some(at) = full.get_mut(&network) {
            *at -= NETWORK.each;
        }
    }

    /// A keyed hash, so that nobody outside can pick what collides.
    fn key(&self, of: impl Hash) -> u64 {
        self.keys.hash_one(of)
    }
}

/// When all attempts would be back after one more; or how long until there is one.
fn next(full: Option<Instant>, rate: Rate, now: Instant) -> Result<Instant, Duration> {
    let after = full.map_or(now, |full| full.max(now)) + rate.each;
    let latest = now + rate.each * rate.at_once;
    if after > latest { Err(after - latest) } else { Ok(after) }
}

/// Drops who has all attempts back; where that is nobody, the quarter that would have them soonest.
fn forget(full: &mut HashMap<u64, Instant>, now: Instant) {
    full.retain(|_, at| *at > now);
    if full.len() + 2 <= REMEMBERED {
        return;
    }
    let mut times: Vec<Instant> = full.values().copied().collect();
    let quarter = times.len() / 4;
    let (_, soon, _) = times.select_nth_unstable(quarter);
    let soon = *soon;
    full.retain(|_, at| *at > soon);
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
        assert!(attempts.take("another", HOME, now).is_err());
        assert_eq!(attempts.take("another", AWAY, now), Ok(()));
    }

    #[test]
    fn who_was_right_starts_anew() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..500 {
            assert_eq!(attempts.take("ada", HOME, now), Ok(()));
            attempts.give_back("ada", HOME);
        }
    }

    #[test]
    fn memory_is_bounded_and_keeps_who_has_least_left() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        while attempts.take("ada", HOME, now).is_ok() {}
        for n in 0..100_000_u32 {
            let [a, b, c, d] = n.to_be_bytes();
            let from = Prefix::V6([a, b, c, d, 0, 0, 0]);
            assert_eq!(attempts.take(&n.to_string(), from, now), Ok(()));
        }
        assert!(attempts.full.lock().unwrap().len() <= REMEMBERED);
        assert!(
            attempts.take("ada", AWAY, now).is_err(),
            "a flood of others makes nobody forgotten"
        );
    }

    #[test]
    fn neighbours_are_one_network() {
        let of = |text: &str| Prefix::of(text.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("192.0.2.200"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.9"));
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("2001:db8:1:ff01::1"), of("2001:db8:1:ff99::2"));
        assert_ne!(of("2001:db8:1:ff01::1"), of("2001:db8:1:fe01::1"));
    }
}
