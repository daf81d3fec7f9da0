//! What is counted before anything is read: requests by the network they come from, events by their key.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use hyper::HeaderMap;

use beaconry_store::EventNo;
use beaconry_traffic::{IpNet, Networks, Prefix, Rate};

/// How much is taken, and from whom.
#[derive(Clone, Debug)]
pub struct Rates {
    /// Requests a second from one network: the first 24 bits of an IPv4 address, 56 of an IPv6 one. 0: any number.
    pub requests_per_network: u32,
    /// Events a second with one public key. 0: any number.
    pub events_per_key: u32,
    /// The networks whose proxies say for whom they ask; this machine and private networks where there are none.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates { requests_per_network: 1_000, events_per_key: 20_000, trusted_proxies: Vec::new() }
    }
}

/// Counts what comes.
#[derive(Debug)]
pub(crate) struct Front {
    rates: Rates,
    local: Networks,
    proxies: Networks,
    networks: Option<Rate>,
    keys: Option<Rate>,
}

impl Front {
    pub(crate) fn new(rates: Rates) -> Front {
        let rate = |most: u32| (most > 0).then(|| Rate::per_second(most));
        let proxies = match rates.trusted_proxies.as_slice() {
            [] => Networks::local(),
            these => Networks::only(these),
        };
        Front {
            local: Networks::local(),
            proxies,
            networks: rate(rates.requests_per_network),
            keys: rate(rates.events_per_key),
            rates,
        }
    }

    /// Counts a request. Nobody is held up by the address of a trusted proxy that does not say for whom it asks.
    pub(crate) fn request(
        &self,
        peer: Option<IpAddr>,
        headers: &HeaderMap,
    ) -> Result<(), TooOften> {
        let (Some(rate), Some(peer)) = (&self.networks, peer) else { return Ok(()) };
        let Some(client) = self.proxies.client(peer, headers) else { return Ok(()) };
        rate.take(Prefix::of(client), 1, Instant::now()).map_err(|wait| TooOften {
            most: self.rates.requests_per_network,
            what: "requests a second from one network",
            wait,
        })
    }

    /// Counts events of one definition, which is to say with one key.
    pub(crate) fn events(&self, event: EventNo, count: u32) -> Result<(), TooOften> {
        let Some(rate) = &self.keys else { return Ok(()) };
        rate.take(event, count, Instant::now()).map_err(|wait| TooOften {
            most: self.rates.events_per_key,
            what: "events a second with one key",
            wait,
        })
    }

    /// Whether somebody on this machine or in a private network asks, and not for somebody elsewhere.
    pub(crate) fn is_local(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
        let client = peer.and_then(|peer| self.proxies.client(peer, headers));
        client.is_none_or(|client| self.local.hold(client))
    }
}

/// Somebody asked too often; nothing of the request was kept.
#[derive(Debug, PartialEq, Eq)]
pub struct TooOften {
    /// How much there may be.
    pub(crate) most: u32,
    /// Of what.
    pub(crate) what: &'static str,
    /// How long to wait.
    pub(crate) wait: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(said: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if !said.is_empty() {
            headers.insert("x-forwarded-for", said.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_network_is_counted_wherever_it_comes_from() {
        let front = Front::new(Rates { requests_per_network: 1, ..Rates::default() });
        let ask = |peer: &str, said: &str| {
            front
                .request(Some(peer.parse().unwrap()), &headers(said))
                .map_err(|refused| refused.most)
        };
        assert_eq!(ask("203.0.113.9", ""), Ok(()));
        assert_eq!(ask("203.0.113.9", ""), Err(1));
        assert_eq!(
            ask("203.0.113.77", "198.51.100.1"),
            Err(1),
            "what it says for itself is nothing"
        );
        assert_eq!(ask("127.0.0.1", "203.0.113.1"), Err(1), "a proxy brings the same network");
        assert_eq!(ask("127.0.0.1", "198.51.100.1"), Ok(()));
        for _ in 0..50 {
            assert_eq!(ask("127.0.0.1", ""), Ok(()), "who is not known is not counted");
        }
    }

    #[test]
    fn zero_is_no_bound() {
        let rates = Rates { requests_per_network: 0, events_per_key: 0, ..Rates::default() };
        let front = Front::new(rates);
        let peer = Some("203.0.113.9".parse().unwrap());
        for _ in 0..10_000 {
            assert_eq!(front.request(peer, &HeaderMap::new()), Ok(()));
            assert_eq!(front.events(EventNo(1), 100), Ok(()));
        }
    }

    #[test]
    fn one_key_does_not_hold_up_another() {
        let front = Front::new(Rates { events_per_key: 100, ..Rates::default() });
        assert_eq!(front.events(EventNo(1), 100), Ok(()));
        assert!(front.events(EventNo(1), 1).is_err());
        assert_eq!(front.events(EventNo(2), 100), Ok(()));
    }

    #[test]
    fn only_who_is_near_is_local() {
        let front = Front::new(Rates::default());
        let table = [
            ("127.0.0.1", "", true),
            ("10.0.0.9", "", true),
            ("203.0.113.9", "", false),
            ("203.0.113.9", "127.0.0.1", false),
            ("127.0.0.1", "203.0.113.9", false),
            ("127.0.0.1", "203.0.113.9, 10.0.0.1", false),
        ];
        for (peer, said, local) in table {
            let peer = Some(peer.parse().unwrap());
            assert_eq!(front.is_local(peer, &headers(said)), local, "{peer:?} {said}");
        }
    }
}
