//! Signing in the query, as a service does that hands a URL out for one use.

use std::time::Duration;

use hmac::Mac;
use http::Request;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::canonical::{CanonicalRequest, encode};
use super::{ALGORITHM, basic, keyed, signing_key};

/// Who signs, and for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presigner<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) secret_key: &'a str,
    pub(crate) session_token: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

impl Presigner<'_> {
    /// The URL of a GET with its signature added to the query, good for `life` from `now` on. A URL that cannot be read
    /// stays unsigned.
    pub(crate) fn presign(self, url: &str, now: Timestamp, life: Duration) -> String {
        let time = basic(now.as_second());
        let date = time.get(..8).unwrap_or_default();
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let members = [
            ("X-Amz-Algorithm", ALGORITHM.to_owned()),
            ("X-Amz-Credential", format!("{}/{scope}", self.access_key)),
            ("X-Amz-Date", time.clone()),
            ("X-Amz-Expires", life.as_secs().max(1).to_string()),
            ("X-Amz-Security-Token", self.session_token.to_owned()),
            ("X-Amz-SignedHeaders", "host".to_owned()),
        ];
        let members = members.map(|(name, value)| format!("{name}={}", encode(value.as_bytes(), false)));
        let unsigned = format!("{url}{}{}", if url.contains('?') { '&' } else { '?' }, members.join("&"));
        let Some(parts) = get(&unsigned) else { return url.to_owned() };
        let request = CanonicalRequest {
            parts: &parts,
            signed_headers: &["host".to_owned()],
            payload_hash: &hex::encode(Sha256::digest(b"")),
            encode_path: true,
        };
        let digest = hex::encode(Sha256::digest(request.to_string()));
        let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{digest}");
        let key = signing_key(self.secret_key, date, self.region, self.service);
        let signature = hex::encode(keyed(&key, to_sign.as_bytes()).finalize().into_bytes());
        format!("{unsigned}&X-Amz-Signature={signature}")
    }
}

/// The request a client makes of the URL.
fn get(url: &str) -> Option<http::request::Parts> {
    let uri: http::Uri = url.parse().ok()?;
    let host = uri.authority()?.to_string();
    Some(Request::get(uri).header("host", host).body(()).ok()?.into_parts().0)
}
