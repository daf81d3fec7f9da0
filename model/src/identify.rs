//! Who a visitor is, as a token of the site's back end says: a JWT whose signature somebody else has checked.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;

use crate::profile::{Keyspace, ProfileKey};
use crate::time::{DAY_MS, Timestamp};

/// The longest token, in bytes.
pub const MAX_TOKEN: usize = 4_096;
/// How far ahead a token may expire, in milliseconds: a day. A token that leaks is worth something until then.
pub const MAX_LIFE_MS: i64 = DAY_MS;
/// How far the back end's clock may be off, in milliseconds.
const TOLERANCE_MS: i64 = 60_000;

/// Why a token says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadToken {
    /// It is no JWT of this shape.
    Malformed(String),
    /// It was not signed with a secret of the section.
    WrongSignature,
    /// It has expired.
    Expired,
    /// It lives longer than a day.
    TooLong,
    /// It is for another visitor.
    OtherVisitor,
    /// A key in it is none.
    WrongKey(String),
    /// The person asked never to be known here.
    Locked,
}

impl BadToken {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            BadToken::Malformed(_) => "malformed",
            BadToken::WrongSignature => "wrong_signature",
            BadToken::Expired => "expired",
            BadToken::TooLong => "too_long",
            BadToken::OtherVisitor => "other_visitor",
            BadToken::WrongKey(_) => "wrong_key",
            BadToken::Locked => "profile_locked",
        }
    }
}

impl fmt::Display for BadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadToken::Malformed(why) => write!(
                f,
                "identify: expected a JWT signed with HS256 that carries exp and email, mobile or crm_id, got {why}"
            ),
            BadToken::WrongSignature => f.write_str(
                "identify: expected a token signed with the section's secret, got one that is not; make a secret with `beaconry section secret`",
            ),
            BadToken::Expired => f.write_str("identify: the token has expired; make one for each page"),
            BadToken::TooLong => {
                f.write_str("identify: expected a token that expires within a day, got one that lives longer")
            }
            BadToken::OtherVisitor => f.write_str("identify: the token was made for another visitor"),
            BadToken::WrongKey(why) => write!(f, "identify: {why}"),
            BadToken::Locked => {
                f.write_str("identify: this person was erased, and is never to be known here")
            }
        }
    }
}

impl core::error::Error for BadToken {}

/// The header's members that matter.
#[derive(Deserialize)]
struct Header<'a> {
    alg: &'a str,
}

/// The claims that matter; others are ignored.
#[derive(Deserialize)]
struct Claims {
    exp: f64,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    mobile: Option<String>,
    #[serde(default)]
    crm_id: Option<String>,
    #[serde(default)]
    visitor: Option<String>,
}

/// Whether the header (JSON) names the one algorithm that is taken.
pub fn check_header(header: &str) -> Result<(), BadToken> {
    match serde_json::from_str(header) {
        Ok(Header { alg: "HS256" }) => Ok(()),
        Ok(Header { alg }) => Err(BadToken::Malformed(alloc::format!("the algorithm {alg:.20}"))),
        Err(error) => Err(BadToken::Malformed(error.to_string())),
    }
}

/// The keys that the claims (JSON) of a token give this visitor.
pub fn keys(claims: &str, visitor: &str, now: Timestamp) -> Result<Vec<ProfileKey>, BadToken> {
    let claims: Claims =
        serde_json::from_str(claims).map_err(|error| BadToken::Malformed(error.to_string()))?;
    let expires = Timestamp((claims.exp * 1000.0) as i64);
    if expires.plus(TOLERANCE_MS) <= now {
        return Err(BadToken::Expired);
    }
    if expires > now.plus(MAX_LIFE_MS + TOLERANCE_MS) {
        return Err(BadToken::TooLong);
    }
    if claims.visitor.is_some_and(|meant| meant != visitor) {
        return Err(BadToken::OtherVisitor);
    }
    let mut keys = Vec::new();
    for (keyspace, text) in [
        (Keyspace::Email, claims.email),
        (Keyspace::Mobile, claims.mobile),
        (Keyspace::CrmId, claims.crm_id),
    ] {
        let Some(text) = text else { continue };
        keys.push(
            ProfileKey::new(keyspace, &text)
                .map_err(|invalid| BadToken::WrongKey(invalid.to_string()))?,
        );
    }
    if keys.is_empty() {
        return Err(BadToken::Malformed("none of them".to_string()));
    }
    Ok(keys)
}
