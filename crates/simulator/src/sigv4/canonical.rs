//! The canonical request: what both sides hash.

use std::fmt;

use http::request::Parts;

/// The canonical form of a request; `Display` writes it.
pub(super) struct CanonicalRequest<'a> {
    pub(super) parts: &'a Parts,
    /// Lower-case names in the order of the claim.
    pub(super) signed_headers: &'a [String],
    /// Hexadecimal SHA-256 of the body.
    pub(super) payload_hash: &'a str,
    /// Whether the path of the request line is percent-encoded once more, as all services but S3 want.
    pub(super) encode_path: bool,
}

impl fmt::Display for CanonicalRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match self.parts.uri.path() {
            "" => "/".to_owned(),
            path if self.encode_path => encode(path.as_bytes(), true),
            path => path.to_owned(),
        };
        writeln!(f, "{}\n{path}", self.parts.method)?;
        writeln!(f, "{}", canonical_query(self.parts.uri.query().unwrap_or_default()))?;
        for name in self.signed_headers {
            let values: Vec<String> = self
                .parts
                .headers
                .get_all(name.as_str())
                .iter()
                .map(|v| squeezed(&String::from_utf8_lossy(v.as_bytes())))
                .collect();
            writeln!(f, "{name}:{}", values.join(","))?;
        }
        write!(f, "\n{}\n{}", self.signed_headers.join(";"), self.payload_hash)
    }
}

/// Name and value pairs of a query, percent-decoded; `+` is a plus sign, as SigV4 wants.
pub(super) fn decoded_query(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
        .collect()
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = decoded_query(query)
        .into_iter()
        .filter(|(key, _)| key != "X-Amz-Signature")
        .map(|(key, value)| (encode(key.as_bytes(), false), encode(value.as_bytes(), false)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join("&")
}

fn squeezed(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn encode(bytes: &[u8], keep_slash: bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || (keep_slash && byte == b'/');
        if plain {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// Percent-decoding; what is no valid escape stays as it is.
pub(super) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| hex::decode(digits).ok());
        match escape {
            Some(byte) => {
                out.extend_from_slice(&byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
