//! Where pages reach the collector.

use std::fmt;

use beaconry_model::section::Origin;

use crate::error::Error;

/// The collector's address as pages see it: `http` or `https`, a host, perhaps a port and a path, no slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorUrl(String);

impl CollectorUrl {
    /// Reads an address; a slash at its end is dropped.
    pub fn parse(text: &str) -> Result<CollectorUrl, Error> {
        let refused = || Error::Address { got: text.chars().take(200).collect() };
        let trimmed = text.trim().trim_end_matches('/');
        let host = trimmed.find("://").map_or(0, |at| at + 3);
        let path = trimmed[host..].find('/').map_or(trimmed.len(), |at| host + at);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        if !trimmed[path..].bytes().all(plain) {
            return Err(refused());
        }
        let origin = Origin::try_from(trimmed[..path].to_owned()).map_err(|_| refused())?;
        Ok(CollectorUrl(format!("{origin}{}", &trimmed[path..])))
    }

    /// The address itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of a path below it.
    pub fn below(&self, path: &str) -> String {
        format!("{}/{path}", self.0)
    }
}

impl fmt::Display for CollectorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
