//! A server that a command works on instead of the data folder, by its API.

use std::time::Duration;

use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use beaconry_model::plan::Wanted;

use super::error::CliError;

/// Where, and who asks.
#[derive(Debug, Args)]
pub(crate) struct Remote {
    /// Work on the server at this address instead of the data folder, like https://console.shop.example.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// An administrator's personal token for that server, from `beaconry token create` there.
    #[arg(long, env = "BEACONRY_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// A server, and what lets this command in.
pub(crate) struct Server {
    url: String,
    token: String,
}

/// The longest answer that is read, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

impl Remote {
    pub(crate) fn server(self) -> Result<Option<Server>, CliError> {
        let Some(url) = self.server else { return Ok(None) };
        let token = self.token.ok_or_else(|| {
            CliError::Usage(
                "--server: expected a personal token beside it, in BEACONRY_TOKEN or with --token; make one there with `beaconry token create`"
                    .to_owned(),
            )
        })?;
        Ok(Some(Server { url: url.trim_end_matches('/').to_owned(), token }))
    }
}

impl Server {
    /// Sends definitions, and reads what the server says of them.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        wanted: &[Wanted],
    ) -> Result<T, CliError> {
        let url = format!("{}{path}", self.url);
        let failed = |why: String| CliError::Server { url: url.clone(), why };
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .max_redirects(0)
            .build()
            .into();
        let body = json!({ "events": wanted }).to_string();
        let answer = agent
            .post(&url)
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", "application/json")
            .send(body);
        let mut answer = answer.map_err(|error| failed(error.to_string()))?;
        let text = answer.body_mut().with_config().limit(LONGEST).read_to_string();
        let text = text.map_err(|error| failed(error.to_string()))?;
        if answer.status().is_success() {
            return serde_json::from_str(&text).map_err(|error| {
                failed(format!("expected a plan, got {error}; is it a Beaconry of this version?"))
            });
        }
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("nothing that this program understands");
        Err(failed(format!("refused with {}: {detail}", answer.status().as_u16())))
    }
}
