//! Consents: what an address agreed to receive, by list and topic.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::error::Invalid;
use crate::names::{Name, SectionId, Slug, letters, quoted};
use crate::profile::Keyspace;
use crate::time::Timestamp;

/// The most topics of one list.
pub const MAX_TOPICS: usize = 100;

/// A way to reach people. Its addresses are the keys of one keyspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Channel {
    /// Email.
    Email,
    /// Text messages.
    Sms,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Channel; 2] = [Channel::Email, Channel::Sms];

    /// Its address in the API.
    pub const fn discriminator(self) -> &'static str {
        match self {
            Channel::Email => "com.apsis1.channels.email",
            Channel::Sms => "com.apsis1.channels.sms",
        }
    }

    /// The word on the command line, and what people read.
    pub const fn word(self) -> &'static str {
        match self {
            Channel::Email => "email",
            Channel::Sms => "sms",
        }
    }

    /// The keyspace whose keys are its addresses.
    pub const fn keyspace(self) -> Keyspace {
        match self {
            Channel::Email => Keyspace::Email,
            Channel::Sms => Keyspace::Mobile,
        }
    }
}

impl TryFrom<String> for Channel {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Channel, Invalid> {
        let fits = |channel: &Channel| channel.discriminator() == text || channel.word() == text;
        Channel::ALL.into_iter().find(fits).ok_or_else(|| {
            Invalid::new("channel", "com.apsis1.channels.email or .sms", quoted(&text))
        })
    }
}

impl From<Channel> for String {
    fn from(channel: Channel) -> String {
        channel.discriminator().to_owned()
    }
}

/// What somebody said. Ordered so that of two said at the same moment the more careful one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentType {
    /// Yes.
    OptIn,
    /// Yes, and confirmed by the address itself.
    ConfirmedOptIn,
    /// No.
    OptOut,
}

impl ConsentType {
    /// Every type, in the order of its number.
    pub const ALL: [ConsentType; 3] =
        [ConsentType::OptIn, ConsentType::ConfirmedOptIn, ConsentType::OptOut];

    /// The word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            ConsentType::OptIn => "opt-in",
            ConsentType::ConfirmedOptIn => "confirmed-opt-in",
            ConsentType::OptOut => "opt-out",
        }
    }

    /// Whether the address may be written to.
    pub const fn allows(self) -> bool {
        matches!(self, ConsentType::OptIn | ConsentType::ConfirmedOptIn)
    }

    /// The type with this number.
    pub fn from_number(number: u8) -> Option<ConsentType> {
        ConsentType::ALL.get(usize::from(number)).copied()
    }
}

impl TryFrom<String> for ConsentType {
    type Error = Invalid;

    fn try_from(text: String) -> Result<ConsentType, Invalid> {
        ConsentType::ALL.into_iter().find(|consent| consent.word() == text).ok_or_else(|| {
            Invalid::new("type", "opt-in, confirmed-opt-in or opt-out", quoted(&text))
        })
    }
}

/// One thing people can agree to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Its address: `com.beaconry.topics.<slug>-<10 of a-z0-9>`.
    pub discriminator: String,
    /// What people call it.
    pub name: Name,
}

/// A list of topics that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentList {
    /// Its address: `com.beaconry.consent-lists.<slug>-<10 of a-z0-9>`.
    pub discriminator: String,
    /// The section it belongs to.
    pub section: SectionId,
    /// What people call it.
    pub name: Name,
    /// Its topics.
    pub topics: Vec<Topic>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ConsentList {
    /// A new list without topics; `random` makes its address unique.
    pub fn create(
        section: SectionId,
        name: Name,
        random: [u8; 10],
        now: Timestamp,
    ) -> Result<ConsentList, Invalid> {
        let discriminator =
            format!("com.beaconry.consent-lists.{}-{}", Slug::of(&name)?, letters(&random));
        Ok(ConsentList { discriminator, section, name, topics: Vec::new(), created_at: now })
    }

    /// Adds a topic; `random` makes its address unique.
    pub fn add_topic(&mut self, name: Name, random: [u8; 10]) -> Result<&Topic, Invalid> {
        if self.topics.iter().any(|topic| topic.name == name) {
            return Err(Invalid::new("topic", "each name once in a list", quoted(name.as_str())));
        }
        if self.topics.len() >= MAX_TOPICS {
            return Err(Invalid::new("topics", "at most 100 in a list", "one more"));
        }
        let discriminator =
            format!("com.beaconry.topics.{}-{}", Slug::of(&name)?, letters(&random));
        self.topics.push(Topic { discriminator, name });
        Ok(&self.topics[self.topics.len() - 1])
    }

    /// The topic with this address.
    pub fn topic(&self, discriminator: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.discriminator == discriminator)
    }
}
