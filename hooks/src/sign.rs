//! The signature of a post, by which a receiver knows whose it is, that nobody changed it, and that it is not an old one
//! sent again.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header that holds when it was signed and the signature: `t=<seconds since 1970>,v1=<hexadecimal digits>`.
pub const SIGNATURE: &str = "Beaconry-Signature";
/// The header that holds the delivery's id, the same at each try.
pub const DELIVERY: &str = "Beaconry-Delivery";

/// The value of [`SIGNATURE`]: HMAC-SHA256, by the webhook's secret, of the time, a full stop and the body. The time is in it,
/// so that a receiver that takes nothing older than some minutes cannot be made to take what somebody kept.
pub fn signature(secret: &str, seconds: i64, body: &str) -> String {
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        unreachable!("HMAC takes any key")
    };
    let signed = mac.chain_update(format!("{seconds}.")).chain_update(body);
    let digits: String =
        signed.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `printf '1764060000.{"id":"1"}' | openssl dgst -sha256 -hmac whsec_test`.
    #[test]
    fn it_is_what_openssl_says() {
        assert_eq!(
            signature("whsec_test", 1_764_060_000, r#"{"id":"1"}"#),
            "t=1764060000,v1=5ea1c6e1582a488ff59a258d294721f09c602485777c198f7a6550dcd90f9aa1"
        );
    }
}
