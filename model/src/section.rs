//! A section: the part of an account with its own data model and its own web origins.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Invalid;
use crate::names::{Name, SectionId, quoted};

/// A section of the account. Events belong to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its address for good.
    pub id: SectionId,
    /// What people call it.
    pub name: Name,
    /// The web origins whose pages may send beacons.
    pub origins: Vec<Origin>,
    /// Whether a beacon without an `Origin` header (not from a browser) is refused.
    #[serde(default)]
    pub origin_required: bool,
}

impl Section {
    /// Whether a beacon with this `Origin` header may come in. `null` (a sandboxed or opaque page) never may.
    pub fn admits(&self, origin: Option<&str>) -> bool {
        match origin {
            None => !self.origin_required,
            Some(origin) => self.origins.iter().any(|allowed| allowed.as_str() == origin),
        }
    }
}

/// A web origin as browsers send it: scheme, host and, where it is not the scheme's own, port (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

impl Origin {
    /// The origin as a browser writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Origin {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Origin, Invalid> {
        parse_origin(&text).map(Origin).ok_or_else(|| {
            Invalid::new(
                "origin",
                "scheme, host and perhaps port, like https://shop.example",
                quoted(&text),
            )
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.0
    }
}

fn parse_origin(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let (scheme, rest) = text.split_once("://")?;
    let default_port = match scheme {
        "http" => "80",
        "https" => "443",
        _ => return None,
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if !is_host(host) {
        return None;
    }
    match port {
        None => Some(format!("{scheme}://{host}")),
        Some(port) if port == default_port => Some(format!("{scheme}://{host}")),
        Some(port) => port
            .parse::<u16>()
            .ok()
            .filter(|port| *port > 0)
            .map(|port| format!("{scheme}://{host}:{port}")),
    }
}

/// A registered name or IPv4 address of ASCII letters, digits, hyphens and dots, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<core::net::Ipv6Addr>().is_ok(),
        None => host.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }),
    }
}
