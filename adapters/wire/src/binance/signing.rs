//! Signed requests: the key that names the account, and the signature that proves it.
//!
//! The venue signs over exactly the bytes that are sent: the query text is built once, signed, and sent as it is.
//!
//! Invariant: the secret is in no text that this module makes, `Debug` included, and its bytes are overwritten when the key goes.

use core::fmt::{self, Write};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// How long after its stamp the venue may still take a request, ms.
pub const RECV_WINDOW_MS: u32 = 5_000;

/// A key is not what the venue gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a key and a secret of printable ASCII without blanks")]
pub struct ApiKeyError;

/// The key of an account and its secret.
#[derive(Clone)]
pub struct ApiKey {
    name: String,
    secret: Zeroizing<String>,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey")
    }
}

impl ApiKey {
    /// A key as the venue gave it out.
    ///
    /// # Errors
    /// When a part is empty or could not stand in a header as it is.
    pub fn new(name: impl Into<String>, secret: impl Into<String>) -> Result<Self, ApiKeyError> {
        let (name, secret) = (name.into(), Zeroizing::new(secret.into()));
        let is_plain =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_plain(&name) && is_plain(&secret) {
            Ok(Self { name, secret })
        } else {
            Err(ApiKeyError)
        }
    }

    /// What the header `X-MBX-APIKEY` says.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// HMAC-SHA256 of a payload in hexadecimal.
    pub fn signature(&self, payload: &str) -> String {
        let mut text = String::with_capacity(64);
        // A key may have any length, so this never fails.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()) else {
            return text;
        };
        mac.update(payload.as_bytes());
        for byte in mac.finalize().into_bytes() {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// A query with its stamp and signature. `parameters` are percent-encoded already, or empty; `ts_ms` is the venue's
    /// time.
    pub fn signed_query(&self, parameters: &str, ts_ms: i64) -> String {
        let separator = if parameters.is_empty() { "" } else { "&" };
        let query = format!("{parameters}{separator}recvWindow={RECV_WINDOW_MS}&timestamp={ts_ms}");
        let signature = self.signature(&query);
        format!("{query}&signature={signature}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors that the venue published.
    #[test]
    fn signatures_are_those_of_the_documents() {
        let spot = ApiKey::new(
            "k",
            "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
        )
        .unwrap();
        assert_eq!(
            spot.signature(
                "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000\
                 &timestamp=1499827319559"
            ),
            "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
        );
        let futures = ApiKey::new(
            "k",
            "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9",
        )
        .unwrap();
        assert_eq!(
            futures.signature(
                "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000\
                 &timestamp=1591702613943"
            ),
            "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"
        );
    }

    #[test]
    fn a_query_is_signed_as_it_is_sent() {
        let key = ApiKey::new("name", "secret").unwrap();
        let text = key.signed_query("symbol=A", 7);
        let (payload, signature) = text.split_once("&signature=").unwrap();
        assert_eq!(payload, "symbol=A&recvWindow=5000&timestamp=7");
        assert_eq!(signature, key.signature(payload));
        assert!(
            key.signed_query("", 7)
                .starts_with("recvWindow=5000&timestamp=7&signature=")
        );
    }

    #[test]
    fn no_text_has_the_secret_and_what_is_no_key_is_refused() {
        let key = ApiKey::new("name", "secret").unwrap();
        assert!(!format!("{key:?}").contains("secret"));
        for (name, secret) in [("", "s"), ("n", ""), ("n\r\nX: y", "s"), ("n", "s s")] {
            assert_eq!(ApiKey::new(name, secret).err(), Some(ApiKeyError));
        }
    }
}
