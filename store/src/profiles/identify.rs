//! Tokens by which a site's back end says who a visitor is: whether a section's secret signed them.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use beaconry_model::identify::{BadToken, MAX_TOKEN, check_header, keys};
use beaconry_model::names::SectionId;
use beaconry_model::profile::ProfileKey;
use beaconry_model::time::Timestamp;

use crate::snapshot::Snapshot;

/// The keys that a token gives a visitor, where one of these sections signed it.
pub(super) fn read(
    snapshot: &Snapshot,
    sections: &[&SectionId],
    visitor: &str,
    token: &str,
    now: Timestamp,
) -> Result<Vec<ProfileKey>, BadToken> {
    if token.len() > MAX_TOKEN {
        return Err(BadToken::Malformed(format!(
            "{} bytes, of {MAX_TOKEN} at the most",
            token.len()
        )));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else {
        return Err(BadToken::Malformed("something else".to_owned()));
    };
    check_header(&text(header)?)?;
    let signature = decoded(signature)?;
    let signed = &token[..header.len() + 1 + claims.len()];
    let secrets = sections.iter().flat_map(|section| snapshot.audience().secrets(section, now));
    let mut genuine = false;
    for secret in secrets {
        // The comparison takes the same time whatever differs.
        genuine |= mac(secret, signed).verify_slice(&signature).is_ok();
    }
    if !genuine {
        return Err(BadToken::WrongSignature);
    }
    keys(&text(claims)?, visitor, now)
}

fn mac(secret: &[u8], signed: &str) -> Hmac<Sha256> {
    match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(mac) => mac.chain_update(signed),
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, BadToken> {
    URL_SAFE_NO_PAD.decode(part).map_err(|error| BadToken::Malformed(error.to_string()))
}

fn text(part: &str) -> Result<String, BadToken> {
    String::from_utf8(decoded(part)?).map_err(|error| BadToken::Malformed(error.to_string()))
}

/// Who was joined lately: pages send a token with every request, and joining once is enough.
#[derive(Debug, Default)]
pub(super) struct Lately {
    hasher: RandomState,
    joined: Mutex<HashSet<u64>>,
}

impl Lately {
    /// The most that is remembered; then it starts anew.
    const MOST: usize = 100_000;

    pub(super) fn holds(&self, keys: &[ProfileKey]) -> bool {
        self.joined().contains(&self.hasher.hash_one(keys))
    }

    pub(super) fn note(&self, keys: &[ProfileKey]) {
        let mut joined = self.joined();
        if joined.len() >= Lately::MOST {
            joined.clear();
        }
        joined.insert(self.hasher.hash_one(keys));
    }

    pub(super) fn forget(&self) {
        self.joined().clear();
    }

    fn joined(&self) -> std::sync::MutexGuard<'_, HashSet<u64>> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
