//! Where people reach the console: the names it answers to, and whether that is by https.

use std::fmt;
use std::net::SocketAddr;

use beaconry_model::section::Origin;

/// Where people reach the console.
#[derive(Clone, Debug)]
pub struct Site {
    /// The address people type, where it is not the listener's own.
    public: Option<Origin>,
    listens: SocketAddr,
}

/// Why the console cannot be reached there.
#[derive(Debug, PartialEq, Eq)]
pub enum WrongSite {
    /// It listens beyond this machine, and nothing says by which https address it is reached.
    NeedsPublic(SocketAddr),
    /// The public address is plain http beyond this machine.
    Plain(String),
}

impl fmt::Display for WrongSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WrongSite::NeedsPublic(address) => write!(
                f,
                "--console: expected a loopback address like 127.0.0.1:4001, got {address}; over plain http anybody on the \
                 way could read passwords and sessions. Put a reverse proxy with https before it, and say its address \
                 with --console-url https://console.example"
            ),
            WrongSite::Plain(url) => write!(
                f,
                "--console-url: expected https, got {url}; over plain http anybody on the way could read passwords and \
                 sessions. Put a reverse proxy with https before the console, and give its address"
            ),
        }
    }
}

impl Site {
    /// The console that listens at this address and is reached at the public one, or at its own where there is none.
    /// Beyond this machine that must be https.
    pub fn new(listens: SocketAddr, public: Option<Origin>) -> Result<Site, WrongSite> {
        match &public {
            None if !listens.ip().is_loopback() => Err(WrongSite::NeedsPublic(listens)),
            Some(url) if !is_https(url) && !is_loopback(authority(url)) => {
                Err(WrongSite::Plain(url.to_string()))
            }
            Some(url) if !is_https(url) && !listens.ip().is_loopback() => {
                Err(WrongSite::NeedsPublic(listens))
            }
            _ => Ok(Site { public, listens }),
        }
    }

    /// The address people open, without a slash at its end.
    pub fn url(&self) -> String {
        match &self.public {
            Some(origin) => origin.to_string(),
            None => format!("http://{}", self.listens),
        }
    }

    /// Whether browsers reach it by https.
    pub(crate) fn is_https(&self) -> bool {
        self.public.as_ref().is_some_and(is_https)
    }

    /// Whether a request may name the console so. A page elsewhere can point its own name at 127.0.0.1 (DNS rebinding);
    /// it can take neither the name "localhost" nor the public one.
    pub(crate) fn is_named(&self, host: &str) -> bool {
        match &self.public {
            Some(public) => Some(public) == origin(public, host).as_ref(),
            None => is_loopback(host),
        }
    }

    /// Whether a form of this origin, sent to this host, is the console's own.
    pub(crate) fn is_own(&self, sent_from: &str, host: &str) -> bool {
        let sent_from = Origin::try_from(sent_from.to_owned()).ok();
        let own = match &self.public {
            Some(public) => Some(public.clone()),
            None => Origin::try_from(format!("http://{host}")).ok(),
        };
        own.is_some() && sent_from == own
    }

    /// The name of the session's cookie. By https the browser itself holds its prefix to Secure, this host and no other.
    /// Cookies do not keep ports apart, so elsewhere the port is in the name.
    pub(crate) fn cookie_name(&self) -> String {
        if self.is_https() {
            return "__Host-beaconry".to_owned();
        }
        format!("beaconry-{}", self.listens.port())
    }

    /// The host it answers to, for who came by another one.
    pub(crate) fn expected_host(&self) -> String {
        match &self.public {
            Some(public) => authority(public).to_owned(),
            None => "localhost or 127.0.0.1".to_owned(),
        }
    }
}

fn origin(public: &Origin, host: &str) -> Option<Origin> {
    let scheme = if is_https(public) { "https" } else { "http" };
    Origin::try_from(format!("{scheme}://{host}")).ok()
}

fn is_https(origin: &Origin) -> bool {
    origin.as_str().starts_with("https://")
}

fn authority(origin: &Origin) -> &str {
    origin.as_str().split_once("://").map_or("", |(_, authority)| authority)
}

/// Whether a host, with or without a port, is a loopback name.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "127.0.0.1:4001";
    const ALL: &str = "0.0.0.0:4001";

    fn site(listens: &str, public: &str) -> Result<Site, WrongSite> {
        let public = Some(public).filter(|public| !public.is_empty());
        let public = public.map(|public| Origin::try_from(public.to_owned()).unwrap());
        Site::new(listens.parse().unwrap(), public)
    }

    #[test]
    fn beyond_this_machine_it_is_https_or_nothing() {
        let table = [
            (LOCAL, "", true),
            ("[::1]:4001", "", true),
            (LOCAL, "https://console.example", true),
            (LOCAL, "http://localhost:4001", true),
            (ALL, "https://console.example", true),
            (ALL, "", false),
            ("192.168.0.7:4001", "", false),
            (ALL, "http://console.example", false),
            (LOCAL, "http://console.example", false),
            (ALL, "http://localhost:4001", false),
        ];
        for (listens, public, fine) in table {
            assert_eq!(site(listens, public).is_ok(), fine, "{listens} {public}");
        }
    }

    #[test]
    fn it_answers_to_its_own_names_only() {
        let table = [
            ("", "localhost:4001", true),
            ("", "localhost", true),
            ("", "127.0.0.1:4001", true),
            ("", "[::1]:4001", true),
            ("", "[::1]", true),
            ("", "evil.example:4001", false),
            ("", "localhost.evil.example", false),
            ("", "127.0.0.1.evil.example", false),
            ("", "192.168.0.1", false),
            ("", "", false),
            ("https://console.example", "console.example", true),
            ("https://console.example", "CONSOLE.example:443", true),
            ("https://console.example", "console.example:4001", false),
            ("https://console.example", "127.0.0.1:4001", false),
            ("https://console.example", "console.example.evil.example", false),
            ("https://console.example:8443", "console.example:8443", true),
        ];
        for (public, host, named) in table {
            assert_eq!(site(LOCAL, public).unwrap().is_named(host), named, "{public} {host}");
        }
    }

    #[test]
    fn only_its_own_pages_send_its_forms() {
        let table = [
            ("", "http://localhost:4001", "localhost:4001", true),
            ("", "http://localhost:4002", "localhost:4001", false),
            ("", "http://127.0.0.1:4001", "localhost:4001", false),
            ("", "https://localhost:4001", "localhost:4001", false),
            ("", "null", "localhost:4001", false),
            ("", "", "localhost:4001", false),
            ("https://console.example", "https://console.example", "console.example", true),
            ("https://console.example", "http://console.example", "console.example", false),
            ("https://console.example", "https://shop.example", "console.example", false),
        ];
        for (public, sent_from, host, own) in table {
            let site = site(LOCAL, public).unwrap();
            assert_eq!(site.is_own(sent_from, host), own, "{public} {sent_from} {host}");
        }
    }
}
