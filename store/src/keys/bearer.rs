//! Access tokens: a JWT (RFC 7519) that names its key and says until when, signed by this data folder (HS256).
//!
//! Nothing of a token is kept: it is good while its signature holds, its time is not up and its key is not revoked. It has
//! the form of a JWT because clients of this API read `exp` from it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use beaconry_model::time::Timestamp;

/// How long an access token is good, in seconds: a day.
pub(crate) const LIFE_S: i64 = 86_400;
/// The longest token that is looked at, in bytes.
const LONGEST: usize = 1_000;

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    iat: i64,
    exp: i64,
}

/// Signs and checks access tokens.
pub(crate) struct Signer(Hmac<Sha256>);

impl Signer {
    pub(crate) fn new(secret: &[u8; 32]) -> Signer {
        let Ok(mac) = Hmac::new_from_slice(secret) else { unreachable!("HMAC takes any key") };
        Signer(mac)
    }

    /// A token for this key, good from now on.
    pub(crate) fn sign(&self, client_id: &str, now: Timestamp) -> String {
        let iat = now.0.div_euclid(1000);
        let claims = Claims { sub: client_id.to_owned(), iat, exp: iat + LIFE_S };
        let claims = serde_json::to_vec(&claims).unwrap_or_default();
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims));
        let mac = self.0.clone().chain_update(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    /// The key that a token names, where the token was signed here and its time is not up. What its header says of
    /// algorithms is not asked.
    pub(crate) fn check(&self, token: &str, now: Timestamp) -> Option<String> {
        let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= LONGEST)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        // Compares in constant time.
        self.0.clone().chain_update(signed).verify_slice(&signature).ok()?;
        let (_, claims) = signed.split_once('.')?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        (now.0.div_euclid(1000) < claims.exp).then_some(claims.sub)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_435_200_000);

    #[test]
    fn a_token_names_its_key_for_a_day() {
        let signer = Signer::new(&[1; 32]);
        let token = signer.sign("client", NOW);
        assert_eq!(signer.check(&token, NOW).as_deref(), Some("client"));
        assert_eq!(signer.check(&token, NOW.plus(LIFE_S * 1000 - 1)).as_deref(), Some("client"));
        assert_eq!(signer.check(&token, NOW.plus(LIFE_S * 1000)), None);
        assert_eq!(Signer::new(&[2; 32]).check(&token, NOW), None, "signed elsewhere");
    }

    #[test]
    fn what_was_not_signed_here_is_no_token() {
        let signer = Signer::new(&[1; 32]);
        let token = signer.sign("client", NOW);
        let parts: Vec<&str> = token.split('.').collect();
        let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        let other = URL_SAFE_NO_PAD.encode(r#"{"sub":"other","iat":0,"exp":9999999999}"#);
        for forged in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            format!("{unsigned}.{}.", parts[1]),
            format!("{}.{other}.{}", parts[0], parts[2]),
            format!("{}.{}", parts[0], parts[1]),
            format!("{token}A"),
            format!("{}.{}.{}", parts[0], parts[1], "A".repeat(2_000)),
        ] {
            assert_eq!(signer.check(&forged, NOW), None, "{forged}");
        }
    }
}
