//! `POST /oauth/token`: an access token for a client that knows its secret (RFC 6749, section 4.4).

use axum::http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::call::Call;
use super::caller::Needs;
use super::decode;
use super::operation::{Found, Operation, with_raw};
use super::problem::Problem;

/// Who wants a token.
#[derive(Debug, Deserialize, JsonSchema)]
struct TokenRequest {
    /// Always `client_credentials`.
    grant_type: GrantType,
    /// The API key's id.
    client_id: String,
    /// The API key's secret.
    client_secret: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum GrantType {
    ClientCredentials,
}

/// An access token.
#[derive(Debug, Serialize, JsonSchema)]
struct AccessToken {
    /// What to send as `Authorization: Bearer …`.
    access_token: String,
    /// Always `bearer`.
    token_type: String,
    /// How many seconds it is good: a day.
    expires_in: i64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation {
        group: "Tokens",
        summary: "Get an access token",
        about: "Give the id and the secret of an API key; send the token you get as `Authorization: Bearer …` with every \
                other request. It is good for a day: keep it, at most 10 a minute are given out. The body may be JSON or \
                a form.",
        needs: Needs::Nobody,
        example: r#"{"grant_type":"client_credentials","client_id":"…","client_secret":"…"}"#,
        refuses: &[
            (401, "The id is not known, the secret is another, or the key was revoked."),
            (429, "More than 10 tokens a minute; wait `Retry-After` seconds."),
        ],
        ..with_raw::<TokenRequest, Found<AccessToken>>(
            Method::POST,
            "/oauth/token",
            "getToken",
            token,
        )
    }]
}

fn token(call: &Call) -> Result<Found<AccessToken>, Problem> {
    let request = read(call)?;
    let GrantType::ClientCredentials = request.grant_type;
    let (keys, TokenRequest { client_id, client_secret, .. }) = (&call.api.keys, &request);
    // Looked at first, which is cheap: what is counted for a client is what it gets itself.
    let right = keys.lets_in(client_id, client_secret)?;
    call.api.limiter.token(if right { client_id } else { "" })?;
    let signed = keys.sign_in(client_id, client_secret, call.now)?;
    let (access_token, expires_in) = signed.ok_or_else(|| {
        let detail = "client_id and client_secret: expected those of an API key that is not revoked; \
                      make one in the settings";
        Problem::new(StatusCode::UNAUTHORIZED, "invalid_client", detail)
    })?;
    Ok(Found(AccessToken { access_token, token_type: "bearer".to_owned(), expires_in }))
}

fn read(call: &Call) -> Result<TokenRequest, Problem> {
    let content_type = call.headers.get(axum::http::header::CONTENT_TYPE);
    let form = content_type.is_some_and(|kind| {
        kind.as_bytes().to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded")
    });
    let wrong = |error: String| Problem::bad_request("invalid_request", format!("body: {error}"));
    if !form {
        return serde_json::from_slice(&call.body).map_err(|error| wrong(error.to_string()));
    }
    let text = std::str::from_utf8(&call.body).map_err(|error| wrong(error.to_string()))?;
    let pairs = decode::query(text)?;
    let object = pairs.into_iter().map(|(name, value)| (name, value.into())).collect();
    serde_json::from_value(serde_json::Value::Object(object))
        .map_err(|error| wrong(error.to_string()))
}
