//! What names a person: keyspaces, keys in them, and a profile's id.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Invalid;
use crate::event::{Access, AllowedOperations};
use crate::event_id::{EventId, parse_uuid};
use crate::names::quoted;
use crate::wire::MAX_VISITOR;

/// The longest email address, in bytes (RFC 5321).
const MAX_EMAIL: usize = 254;
/// The longest CRM id, in bytes.
const MAX_CRM_ID: usize = 200;

/// A space of keys, each of which names at most one profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Keyspace {
    /// Visitors of websites, by the id that the snippet keeps in the browser.
    Web,
    /// Email addresses.
    Email,
    /// Mobile numbers.
    Mobile,
    /// Ids that a back end gives.
    CrmId,
}

impl Keyspace {
    /// Every keyspace, in the order of its number.
    pub const ALL: [Keyspace; 4] =
        [Keyspace::Web, Keyspace::Email, Keyspace::Mobile, Keyspace::CrmId];

    /// Its address in the API.
    pub const fn discriminator(self) -> &'static str {
        match self {
            Keyspace::Web => "com.apsis1.keyspaces.web",
            Keyspace::Email => "com.apsis1.keyspaces.email",
            Keyspace::Mobile => "com.apsis1.keyspaces.mobile",
            Keyspace::CrmId => "com.apsis1.keyspaces.crm-id",
        }
    }

    /// The word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Keyspace::Web => "web",
            Keyspace::Email => "email",
            Keyspace::Mobile => "mobile",
            Keyspace::CrmId => "crm-id",
        }
    }

    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Keyspace::Web => "Web visitor",
            Keyspace::Email => "Email",
            Keyspace::Mobile => "Mobile",
            Keyspace::CrmId => "CRM id",
        }
    }

    /// Its number, as rows of the store carry it.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The keyspace with this number.
    pub fn from_number(number: u8) -> Option<Keyspace> {
        Keyspace::ALL.get(usize::from(number)).copied()
    }
}

impl TryFrom<String> for Keyspace {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Keyspace, Invalid> {
        let fits =
            |keyspace: &Keyspace| keyspace.discriminator() == text || keyspace.word() == text;
        Keyspace::ALL.into_iter().find(fits).ok_or_else(|| {
            Invalid::new(
                "keyspace",
                "com.apsis1.keyspaces.email, .mobile, .crm-id or .web",
                quoted(&text),
            )
        })
    }
}

impl From<Keyspace> for String {
    fn from(keyspace: Keyspace) -> String {
        keyspace.discriminator().to_owned()
    }
}

impl fmt::Display for Keyspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl AllowedOperations {
    /// What outside systems may do through this keyspace. The web keyspace is bound by the API key, not by the event.
    pub fn through(&self, keyspace: Keyspace) -> Access {
        match keyspace {
            Keyspace::Web => Access::default(),
            Keyspace::Email => self.email,
            Keyspace::Mobile => self.mobile,
            Keyspace::CrmId => self.crm_id,
        }
    }
}

/// One key of a profile, in the one form in which it is kept and compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ProfileKey {
    keyspace: Keyspace,
    key: String,
}

impl ProfileKey {
    /// Reads a key as people write it: an email address in any case, a mobile number with spaces.
    pub fn new(keyspace: Keyspace, text: &str) -> Result<ProfileKey, Invalid> {
        let trimmed = text.trim();
        let (key, expected) = match keyspace {
            Keyspace::Web => (plain(trimmed, MAX_VISITOR), "1 to 64 bytes"),
            Keyspace::Email => (email(trimmed), "an address like ada@shop.example"),
            Keyspace::Mobile => (mobile(trimmed), "a number like +46701234567, 5 to 15 digits"),
            Keyspace::CrmId => {
                (plain(trimmed, MAX_CRM_ID), "1 to 200 bytes without control characters")
            }
        };
        let key = key.ok_or_else(|| Invalid::new(keyspace.word(), expected, quoted(text)))?;
        Ok(ProfileKey { keyspace, key })
    }

    /// The keyspace it belongs to.
    pub fn keyspace(&self) -> Keyspace {
        self.keyspace
    }

    /// The key itself.
    pub fn as_str(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for ProfileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.keyspace, self.key)
    }
}

fn plain(text: &str, longest: usize) -> Option<String> {
    let fits = !text.is_empty() && text.len() <= longest && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// Lower case throughout: no provider in use tells addresses apart by case.
fn email(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    let odd = |c: char| c.is_control() || c.is_whitespace();
    let fits = !local.is_empty()
        && !domain.is_empty()
        && text.len() <= MAX_EMAIL
        && !text.chars().any(odd);
    fits.then(|| text.to_lowercase())
}

/// Digits, with a plus in front where one was written; an international `00` is one.
fn mobile(text: &str) -> Option<String> {
    let digits: String =
        text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '/')).collect();
    let number = match (digits.strip_prefix('+'), digits.strip_prefix("00")) {
        (Some(rest), _) | (None, Some(rest)) => alloc::format!("+{rest}"),
        (None, None) => digits,
    };
    let count = number.trim_start_matches('+').len();
    let fits = (5..=15).contains(&count)
        && number.bytes().skip(usize::from(number.starts_with('+'))).all(|b| b.is_ascii_digit());
    fits.then_some(number)
}

/// A profile's id: the 16 bytes of a UUID. Random, so that it says nothing of the person. A profile that was merged is found
/// by the ids of all that went into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileId(pub [u8; 16]);

impl ProfileId {
    /// Reads a UUID in its 36-character form.
    pub fn parse(text: &str) -> Option<ProfileId> {
        parse_uuid(text.as_bytes()).map(ProfileId)
    }
}

impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        EventId(self.0).fmt(f)
    }
}

impl Serialize for ProfileId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
