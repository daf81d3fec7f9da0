//! Where posts may go: a name is looked up for each connection, and an address of this machine or of a private network is
//! not connected to, whatever name leads to it.

use std::fmt;

use beaconry_model::webhook::is_public;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Looks names up, and leaves out what is not on the internet.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    resolver: DefaultResolver,
    /// Whether anything may be connected to.
    private: bool,
}

impl Guard {
    pub(crate) fn new(private: bool) -> Guard {
        Guard { private, ..Guard::default() }
    }
}

/// A name leads to this machine or into a private network.
#[derive(Debug)]
pub(crate) struct Private;

impl fmt::Display for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "its host is on this machine or in a private network; start the server with --webhooks-to-private-addresses to allow that",
        )
    }
}

impl std::error::Error for Private {}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        for address in found.iter().filter(|address| self.private || is_public(address.ip())) {
            allowed.push(*address);
        }
        if allowed.is_empty() { Err(ureq::Error::Other(Box::new(Private))) } else { Ok(allowed) }
    }
}
