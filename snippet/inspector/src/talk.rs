//! What goes back to the collector: picks, and nothing else.

use beaconry_model::pick::Pick;
use gloo_net::http::Request;
use serde::{Deserialize, Serialize};

/// Where picks go, and by which key.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    pub(crate) address: String,
    pub(crate) key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Ask<'a> {
    Pick { key: &'a str, pick: &'a Pick },
}

#[derive(Deserialize)]
struct Refusal {
    detail: String,
}

impl Talk {
    /// Sends a pick to the form that waits for it; or says why it did not come there.
    pub(crate) async fn send(&self, pick: &Pick) -> Result<(), String> {
        let body = serde_json::to_string(&Ask::Pick { key: &self.key, pick })
            .map_err(|error| error.to_string())?;
        let request = Request::post(&self.address).body(body).map_err(|error| error.to_string())?;
        let answer = request
            .send()
            .await
            .map_err(|error| format!("the collector could not be reached ({error}). Try again."))?;
        if answer.ok() {
            return Ok(());
        }
        let text = answer.text().await.unwrap_or_default();
        let refusal: Option<Refusal> = serde_json::from_str(&text).ok();
        Err(refusal.map_or_else(
            || format!("the collector answered {}", answer.status()),
            |refusal| refusal.detail,
        ))
    }
}
