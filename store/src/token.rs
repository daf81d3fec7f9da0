//! Secrets that let somebody in: 256 random bits, of which only a hash is kept.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::random::bytes;

/// A secret in the form that cookies and links carry: 64 hexadecimal digits. It is shown once and not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    pub(crate) fn new() -> Result<Token, StoreError> {
        let random = bytes::<32>()
            .map_err(|error| StoreError::Folder { path: "random bytes".into(), error })?;
        Ok(Token(random.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// The secret itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What is kept of a secret. It holds 256 random bits, so a plain hash cannot be turned round, and nobody can steer how
/// much of it a look-up compares.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
