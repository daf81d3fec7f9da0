//! Networks that are trusted, and from which address a request comes where their proxies stand between the client and us.
//!
//! Only what trusted proxies say is believed: from the last hop back to the first address that is none of theirs. What a
//! client writes into the header itself lies before that, and changes nothing.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::FORWARDED;
use ipnet::IpNet;

/// Networks whose `Forwarded` and `X-Forwarded-For` are believed.
#[derive(Clone, Debug)]
pub struct Networks(Vec<IpNet>);

/// Addresses of this machine.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];
/// Addresses that no router of the internet carries: RFC 1918, RFC 4193, and link-local ones (RFC 3927, RFC 4291).
const PRIVATE: [&str; 6] =
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"];

fn parsed(written: &[&str]) -> impl Iterator<Item = IpNet> {
    written.iter().filter_map(|net| net.parse().ok())
}

impl Networks {
    /// This machine and private networks.
    pub fn local() -> Networks {
        Networks(parsed(&LOOPBACK).chain(parsed(&PRIVATE)).collect())
    }

    /// This machine and these, and no others.
    pub fn only(these: &[IpNet]) -> Networks {
        Networks(parsed(&LOOPBACK).chain(these.iter().copied()).collect())
    }

    /// Whether an address is one of theirs.
    pub fn hold(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }

    /// The client's address, or none where all that is known is a trusted proxy's own: then nobody is to be counted by it.
    ///
    /// `Forwarded` (RFC 7239) goes before `X-Forwarded-For`. Where a trusted proxy names no address ("unknown", or a name
    /// of its own), the client is not known.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        if !self.hold(peer) {
            return Some(peer);
        }
        for hop in hops(headers).into_iter().rev() {
            match address(hop) {
                Some(address) if self.hold(address) => {}
                known => return known,
            }
        }
        None
    }
}

/// What each proxy said of whom it had the request from, the first first.
fn hops(headers: &HeaderMap) -> Vec<&str> {
    let lists = |name| headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    if headers.contains_key(FORWARDED) {
        return lists(FORWARDED.as_str())
            .flat_map(|list| list.split(','))
            .map(forwarded_for)
            .collect();
    }
    lists("x-forwarded-for").flat_map(|list| list.split(',')).map(str::trim).collect()
}

/// The `for` of one element of `Forwarded`; empty where there is none.
fn forwarded_for(element: &str) -> &str {
    let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("for"));
    found.map_or("", |(_, value)| value.trim_matches('"'))
}

/// An address, with or without a port, an IPv6 one with or without brackets.
fn address(hop: &str) -> Option<IpAddr> {
    let host = match hop.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => match hop.split_once(':') {
            Some((host, port)) if !port.contains(':') => host,
            _ => hop,
        },
    };
    host.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client, by peer and headers, where this machine and 10.0.0.0/8 are trusted.
    fn client(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let networks = Networks::only(&["10.0.0.0/8".parse().unwrap()]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let found = networks.client(peer.parse().unwrap(), &map);
        found.map_or("nobody".to_owned(), |address| address.to_string())
    }

    #[test]
    fn the_client_is_the_last_that_no_trusted_proxy_is() {
        let xff = "x-forwarded-for";
        type Case<'a> = (&'a str, &'a [(&'static str, &'a str)], &'a str);
        let table: &[Case] = &[
            ("198.51.100.7", &[], "198.51.100.7"),
            ("198.51.100.7", &[(xff, "203.0.113.9")], "198.51.100.7"),
            ("127.0.0.1", &[(xff, "203.0.113.9")], "203.0.113.9"),
            ("::ffff:127.0.0.1", &[(xff, "203.0.113.9")], "203.0.113.9"),
            ("127.0.0.1", &[(xff, "1.1.1.1, 203.0.113.9")], "203.0.113.9"),
            ("127.0.0.1", &[(xff, "1.1.1.1, 203.0.113.9, 10.1.2.3")], "203.0.113.9"),
            ("127.0.0.1", &[(xff, "1.1.1.1"), (xff, "203.0.113.9")], "203.0.113.9"),
            ("127.0.0.1", &[(xff, "203.0.113.9:4711")], "203.0.113.9"),
            ("127.0.0.1", &[(xff, "2001:db8::7")], "2001:db8::7"),
            ("127.0.0.1", &[(xff, "1.1.1.1, nonsense")], "nobody"),
            ("127.0.0.1", &[(xff, "")], "nobody"),
            ("127.0.0.1", &[], "nobody"),
            ("10.1.1.1", &[(xff, "10.2.2.2")], "nobody"),
            (
                "127.0.0.1",
                &[("forwarded", "for=203.0.113.9;proto=https;by=10.0.0.1")],
                "203.0.113.9",
            ),
            ("127.0.0.1", &[("forwarded", "For=\"[2001:db8::7]:4711\"")], "2001:db8::7"),
            (
                "127.0.0.1",
                &[("forwarded", "for=1.1.1.1, proto=https;for=203.0.113.9")],
                "203.0.113.9",
            ),
            ("127.0.0.1", &[("forwarded", "for=unknown")], "nobody"),
            ("127.0.0.1", &[("forwarded", "for=203.0.113.9"), (xff, "1.1.1.1")], "203.0.113.9"),
        ];
        for (peer, headers, expected) in table {
            assert_eq!(client(peer, headers), *expected, "{peer} {headers:?}");
        }
    }

    #[test]
    fn local_is_where_no_router_of_the_internet_leads() {
        let table = [
            ("127.0.0.1", true),
            ("::1", true),
            ("10.9.8.7", true),
            ("172.31.0.1", true),
            ("192.168.0.1", true),
            ("169.254.1.1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("::ffff:10.0.0.1", true),
            ("172.32.0.1", false),
            ("203.0.113.9", false),
            ("2001:db8::7", false),
        ];
        for (address, trusted) in table {
            let address = address.parse().unwrap();
            assert_eq!(Networks::local().hold(address), trusted, "{address}");
            assert_eq!(Networks::only(&[]).hold(address), address.to_canonical().is_loopback());
        }
    }
}
