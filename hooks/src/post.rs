//! One post: signed, sent, and its answer understood.

use std::io::Read;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use beaconry_store::{Parcel, Tried};
use ureq::Agent;
use ureq::http::{Response, StatusCode};
use ureq::unversioned::transport::DefaultConnector;

use crate::guard::{Guard, Private};
use crate::sign::{DELIVERY, SIGNATURE, signature};

/// How much of an answer is read, so that the connection can be used again. What it says is not looked at.
const ANSWER: u64 = 16 * 1024;
/// The longest head of an answer.
const HEAD: usize = 16 * 1024;
/// The longest reason that is kept, in characters.
const WHY: usize = 200;

/// Posts. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    agent: Agent,
    patience: Duration,
}

impl Post {
    /// What posts wherever it may; an answer has to come within `patience`.
    pub(crate) fn new(private: bool, patience: Duration) -> Post {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(patience))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_response_header_size(HEAD)
            .https_only(!private)
            // Through a proxy nobody would know where a name leads.
            .proxy(None)
            .user_agent(concat!("Beaconry/", env!("CARGO_PKG_VERSION")))
            .build();
        let guard = Guard::new(private);
        Post { agent: Agent::with_parts(config, DefaultConnector::default(), guard), patience }
    }

    /// Posts a parcel and waits for the answer.
    pub(crate) fn send(&self, parcel: &Parcel) -> Tried {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        let sent = self
            .agent
            .post(&parcel.url)
            .header("Content-Type", "application/json")
            .header(DELIVERY, &parcel.id)
            .header(SIGNATURE, signature(parcel.secret.as_str(), seconds, &parcel.body))
            .send(parcel.body.as_str());
        match sent {
            Ok(answer) => understood(answer),
            Err(error) => Tried::Failed { why: self.why(&error), retry_after: None },
        }
    }

    /// Why nothing came back, in words that hold nothing of what was posted.
    fn why(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(_) => {
                format!("it did not answer within {} seconds", self.patience.as_secs())
            }
            ureq::Error::HostNotFound => "its host has no address".to_owned(),
            ureq::Error::Other(other) if other.is::<Private>() => other.to_string(),
            ureq::Error::RequireHttpsOnly(_) => {
                "its address does not begin with https://".to_owned()
            }
            other => other.to_string().chars().take(WHY).collect(),
        }
    }
}

fn understood(mut answer: Response<ureq::Body>) -> Tried {
    let status = answer.status();
    let retry_after = answer.headers().get("retry-after").and_then(|value| {
        let seconds: u64 = value.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    });
    // Read to its end where that is near: only then is the connection good for the next one.
    let mut rest = answer.body_mut().as_reader().take(ANSWER);
    let _ = std::io::copy(&mut rest, &mut std::io::sink());
    if status.is_success() {
        return Tried::Delivered;
    }
    if status == StatusCode::GONE {
        return Tried::Gone;
    }
    let note = if status.is_redirection() { ", and redirects are not followed" } else { "" };
    Tried::Failed { why: format!("it answered {}{note}", status.as_u16()), retry_after }
}
