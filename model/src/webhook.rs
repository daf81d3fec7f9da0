//! Webhooks: what of a section is posted to an address, and which identifiers go with it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::error::Invalid;
use crate::names::{Discriminator, Name, SectionId, Slug, letters, quoted};
use crate::profile::Keyspace;
use crate::time::Timestamp;

/// How many topics a webhook may have.
const MAX_TOPICS: usize = 50;
/// How many versions a topic may choose.
const MAX_VERSIONS: usize = 100;
/// The longest address, in bytes.
const MAX_URL: usize = 2_000;

/// What a webhook hears of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum Topic {
    /// An event was stored.
    #[serde(rename = "event.received")]
    Event {
        /// The event.
        event: Discriminator,
        /// Only under these versions; under any where there are none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        versions: Vec<u32>,
    },
    /// A beacon went to quarantine.
    #[serde(rename = "beacon.rejected")]
    Rejected {
        /// Only of this event; of any of the section where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<Discriminator>,
    },
    /// A profile came into a segment.
    #[serde(rename = "segment.entered")]
    Entered {
        /// The segment's discriminator.
        segment: String,
    },
    /// A profile is in a segment no longer.
    #[serde(rename = "segment.left")]
    Left {
        /// The segment's discriminator.
        segment: String,
    },
}

impl Topic {
    /// Its word in what is posted.
    pub const fn word(&self) -> &'static str {
        match self {
            Topic::Event { .. } => "event.received",
            Topic::Rejected { .. } => "beacon.rejected",
            Topic::Entered { .. } => "segment.entered",
            Topic::Left { .. } => "segment.left",
        }
    }

    /// The event it names.
    pub fn event(&self) -> Option<&Discriminator> {
        match self {
            Topic::Event { event, .. } => Some(event),
            Topic::Rejected { event } => event.as_ref(),
            Topic::Entered { .. } | Topic::Left { .. } => None,
        }
    }

    /// The segment it names.
    pub fn segment(&self) -> Option<&str> {
        match self {
            Topic::Entered { segment } | Topic::Left { segment } => Some(segment),
            Topic::Event { .. } | Topic::Rejected { .. } => None,
        }
    }
}

/// Where a webhook posts to: an address of `http` or `https` without a name and password in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HookUrl(String);

impl HookUrl {
    /// The address itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is posted there is encrypted on its way.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The host, without its port.
    pub fn host(&self) -> &str {
        host(authority(&self.0))
    }

    /// Whether its host is by its very name on this machine or in this network. Other names are looked up only when
    /// something is sent.
    pub fn is_private(&self) -> bool {
        let host = self.host().trim_end_matches('.');
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        match literal.parse::<IpAddr>() {
            Ok(address) => !is_public(address),
            Err(_) => {
                let host = host.to_ascii_lowercase();
                host == "localhost" || host.ends_with(".localhost")
            }
        }
    }
}

impl TryFrom<String> for HookUrl {
    type Error = Invalid;

    fn try_from(text: String) -> Result<HookUrl, Invalid> {
        let wrong = |expected| Err(Invalid::new("url", expected, quoted(&text)));
        if text.len() > MAX_URL {
            return wrong("at most 2,000 bytes");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains(['\\', '"', '<', '>'])
        {
            return wrong("an address without spaces, percent-encoded where it must be");
        }
        if !text.starts_with("https://") && !text.starts_with("http://") {
            return wrong("an address that begins with https://");
        }
        let authority = authority(&text);
        let (host, port) = (host(authority), &authority[host(authority).len()..]);
        let port_is_right = port.is_empty()
            || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|n| n > 0));
        if authority.contains('@') || text.contains('#') || host.is_empty() || !port_is_right {
            return wrong(
                "a host, perhaps a port, a path and a query, and no password and no fragment",
            );
        }
        Ok(HookUrl(text))
    }
}

impl From<HookUrl> for String {
    fn from(url: HookUrl) -> String {
        url.0
    }
}

/// What lies between the scheme and the path.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn host(authority: &str) -> &str {
    let after_literal = authority.find(']').map_or(0, |at| at + 1);
    match authority[after_literal..].find(':') {
        Some(at) => &authority[..after_literal + at],
        None => authority,
    }
}

/// Whether an address is somebody's on the internet: not of this machine, of a private network, or set apart (RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let apart = a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19));
    !(apart
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // An IPv4 address in IPv6's clothes reaches what it says: mapped, translated (RFC 6052), or by 6to4.
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let [a, b, c, d, e, f, g, h] = address.segments();
    let inside = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    if [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return is_public_v4(inside(g, h));
    }
    if a == 0x2002 {
        return is_public_v4(inside(b, c));
    }
    // Global unicast is 2000::/3; of it, documentation and Teredo are set apart.
    a & 0xe000 == 0x2000 && !(a == 0x2001 && (b == 0 || b == 0xdb8))
}

/// A webhook of one section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its address for good: `com.beaconry.webhooks.<slug>-<10 of a-z0-9>`.
    pub discriminator: String,
    /// The section it hears of.
    pub section: SectionId,
    /// What people call it.
    pub name: Name,
    /// Where it posts to.
    pub url: HookUrl,
    /// What it hears of.
    pub topics: Vec<Topic>,
    /// The keyspaces whose keys go with what is posted, in the order of their numbers.
    pub keyspaces: Vec<Keyspace>,
    /// The client id of the API key that made it: once that key is revoked, nothing is posted any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_with: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What somebody decides when they make a webhook.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// The section it hears of.
    pub section: SectionId,
    /// What people call it.
    pub name: Name,
    /// Where it posts to.
    pub url: HookUrl,
    /// What it hears of.
    pub topics: Vec<Topic>,
    /// The keyspaces whose keys go with what is posted.
    pub keyspaces: Vec<Keyspace>,
    /// The client id of the API key that makes it.
    pub made_with: Option<String>,
}

impl Webhook {
    /// A new webhook; `random` makes its address unique.
    pub fn create(
        mut new: NewWebhook,
        random: [u8; 10],
        now: Timestamp,
    ) -> Result<Webhook, Invalid> {
        let count = new.topics.len();
        if !(1..=MAX_TOPICS).contains(&count) {
            return Err(Invalid::new("topics", "1 to 50", count.to_string()));
        }
        for topic in &new.topics {
            if let Topic::Event { versions, .. } = topic
                && versions.len() > MAX_VERSIONS
            {
                return Err(Invalid::new("versions", "at most 100", versions.len().to_string()));
            }
        }
        if new.keyspaces.is_empty() {
            return Err(Invalid::new("keyspaces", "at least one", "none"));
        }
        new.keyspaces.sort_unstable();
        new.keyspaces.dedup();
        let slug = Slug::of(&new.name)?;
        Ok(Webhook {
            discriminator: format!("com.beaconry.webhooks.{slug}-{}", letters(&random)),
            section: new.section,
            name: new.name,
            url: new.url,
            topics: new.topics,
            keyspaces: new.keyspaces,
            made_with: new.made_with,
            created_at: now,
        })
    }

    /// Whether it hears of an occurrence of this event under this version.
    pub fn hears(&self, event: &Discriminator, version: u32) -> bool {
        self.topics.iter().any(|topic| match topic {
            Topic::Event { event: named, versions } => {
                named == event && (versions.is_empty() || versions.contains(&version))
            }
            _ => false,
        })
    }

    /// Whether it hears of beacons of this event that went to quarantine.
    pub fn hears_rejected(&self, event: &Discriminator) -> bool {
        self.topics.iter().any(|topic| match topic {
            Topic::Rejected { event: named } => named.as_ref().is_none_or(|named| named == event),
            _ => false,
        })
    }

    /// Whether it hears of profiles that enter, and of those that leave, a segment.
    pub fn hears_segment(&self, segment: &str) -> (bool, bool) {
        let (mut entered, mut left) = (false, false);
        for topic in self.topics.iter().filter(|topic| topic.segment() == Some(segment)) {
            entered |= matches!(topic, Topic::Entered { .. });
            left |= matches!(topic, Topic::Left { .. });
        }
        (entered, left)
    }

    /// The segments it watches, each once.
    pub fn segments(&self) -> Vec<&str> {
        let mut segments: Vec<&str> = self.topics.iter().filter_map(Topic::segment).collect();
        segments.sort_unstable();
        segments.dedup();
        segments
    }
}
