//! Verification of AWS Signature Version 4, header and presigned-query form, from the published description of the
//! algorithm. It is independent of the SDK's signer, so that each proves the other.

mod canonical;
mod presign;
#[cfg(test)]
mod tests;

use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use canonical::{CanonicalRequest, decoded_query};

pub(crate) use presign::Presigner;

/// The name of no hash, where S3 lets the body be unsigned.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// How far the clocks of signer and verifier may be apart, in seconds.
const MAX_SKEW_S: i64 = 5 * 60;

/// What a signature claims. Nothing in it is proven until [`Claim::verify`] agrees.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) access_key: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) session_token: Option<String>,
    date: String,
    signed_headers: Vec<String>,
    signature: String,
    time_text: String,
    time: Timestamp,
    /// Seconds a presigned URL is good for; `None` for the header form.
    expires_s: Option<i64>,
}

/// What is wrong with a signature. The texts are AWS's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SignatureProblem {
    /// Nothing is signed.
    Missing,
    /// Not understood.
    Malformed(String),
    /// Outside the allowed clock skew, or a presigned URL past its end.
    Time(String),
    /// Does not match.
    Mismatch,
    /// Signed in the header and in the query.
    Twice,
}

impl Claim {
    /// Reads the claim from the `Authorization` header, else from the query.
    pub(crate) fn read(parts: &Parts) -> Result<Self, SignatureProblem> {
        match parts.headers.get(http::header::AUTHORIZATION) {
            Some(_) if is_presigned(parts) => Err(SignatureProblem::Twice),
            Some(value) => Self::from_header(parts, &String::from_utf8_lossy(value.as_bytes())),
            None => Self::from_query(parts),
        }
    }

    fn from_header(parts: &Parts, authorization: &str) -> Result<Self, SignatureProblem> {
        let fields = authorization.strip_prefix(ALGORITHM).ok_or_else(|| {
            malformed(format!("Unsupported AWS 'algorithm': '{}'.", first_word(authorization)))
        })?;
        let field = |name: &str| {
            fields
                .split(',')
                .filter_map(|f| f.trim().split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.trim().to_owned())
                .ok_or_else(|| malformed(format!("Authorization header requires '{name}' parameter.")))
        };
        let header = |name: &str| {
            parts.headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).trim().to_owned())
        };
        let time = header("x-amz-date").ok_or_else(|| {
            malformed(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".into(),
            )
        })?;
        Self::assemble(
            &field("Credential")?,
            &field("SignedHeaders")?,
            field("Signature")?,
            time,
            None,
            header("x-amz-security-token"),
        )
    }

    fn from_query(parts: &Parts) -> Result<Self, SignatureProblem> {
        let query = decoded_query(parts.uri.query().unwrap_or_default());
        let find = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let Some(algorithm) = find("X-Amz-Algorithm") else {
            return Err(SignatureProblem::Missing);
        };
        if algorithm != ALGORITHM {
            return Err(malformed(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
        }
        let need = |name: &str| {
            find(name).ok_or_else(|| malformed(format!("AWS query-string parameters must include '{name}'.")))
        };
        let expires = need("X-Amz-Expires")?
            .parse()
            .ok()
            .filter(|s| (1..=604_800).contains(s))
            .ok_or_else(|| malformed("X-Amz-Expires must be between 1 and 604800 seconds.".into()))?;
        Self::assemble(
            &need("X-Amz-Credential")?,
            &need("X-Amz-SignedHeaders")?,
            need("X-Amz-Signature")?,
            need("X-Amz-Date")?,
            Some(expires),
            find("X-Amz-Security-Token"),
        )
    }

    fn assemble(
        credential: &str,
        signed_headers: &str,
        signature: String,
        time_text: String,
        expires_s: Option<i64>,
        session_token: Option<String>,
    ) -> Result<Self, SignatureProblem> {
        let scope: Vec<&str> = credential.split('/').collect();
        let [access_key, date, region, service, "aws4_request"] = scope[..] else {
            return Err(malformed(format!(
                "Credential must have exactly 5 slash-delimited elements, got {credential}"
            )));
        };
        let time = parse_basic(&time_text).ok_or_else(|| {
            malformed(format!("Date must be in ISO-8601 'basic format'. Got '{time_text}'."))
        })?;
        if !time_text.starts_with(date) {
            return Err(malformed(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{date}' != '{}'.",
                time_text.get(..8).unwrap_or_default()
            )));
        }
        let signed_headers: Vec<String> = signed_headers.split(';').map(str::to_owned).collect();
        if !signed_headers.iter().any(|h| h == "host") {
            return Err(malformed("'Host' must be a 'SignedHeader' in the AWS Authorization.".into()));
        }
        Ok(Self {
            access_key: access_key.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            session_token,
            date: date.to_owned(),
            signed_headers,
            signature,
            time_text,
            time,
            expires_s,
        })
    }

    /// Checks the time and the signature of a request with this secret key. `body` is the whole body; it is empty
    /// for a WebSocket upgrade.
    pub(crate) fn verify(
        &self,
        parts: &Parts,
        body: &[u8],
        secret_key: &str,
        now: Timestamp,
    ) -> Result<(), SignatureProblem> {
        self.check_time(now)?;
        let key = signing_key(secret_key, &self.date, &self.region, &self.service);
        let payload_hash = self.payload_hash(parts, body)?;
        // Signers disagree on whether an already encoded path is encoded again; both describe the same path.
        let matches = [true, false].into_iter().any(|encode_path| {
            let request = CanonicalRequest {
                parts,
                signed_headers: &self.signed_headers,
                payload_hash: &payload_hash,
                encode_path,
            };
            let to_sign = format!(
                "{ALGORITHM}\n{}\n{}/{}/{}/aws4_request\n{}",
                self.time_text,
                self.date,
                self.region,
                self.service,
                hex::encode(Sha256::digest(request.to_string()))
            );
            let mac = keyed(&key, to_sign.as_bytes());
            hex::decode(&self.signature).is_ok_and(|given| mac.verify_slice(&given).is_ok())
        });
        if matches { Ok(()) } else { Err(SignatureProblem::Mismatch) }
    }

    /// What stands for the body in the signature. S3 says so in a header, which may leave the body unsigned.
    fn payload_hash(&self, parts: &Parts, body: &[u8]) -> Result<String, SignatureProblem> {
        let of_body = hex::encode(Sha256::digest(body));
        if self.service != "s3" {
            return Ok(of_body);
        }
        let said = parts.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
        match said {
            Some(UNSIGNED) => Ok(UNSIGNED.to_owned()),
            None if self.expires_s.is_some() => Ok(UNSIGNED.to_owned()),
            None => Err(malformed("Missing required header for this request: x-amz-content-sha256".into())),
            Some(said) if said == of_body => Ok(of_body),
            Some(_) => Err(SignatureProblem::Mismatch),
        }
    }

    fn check_time(&self, now: Timestamp) -> Result<(), SignatureProblem> {
        let (signed, now_s) = (self.time.as_second(), now.as_second());
        let now_text = basic(now_s);
        if signed > now_s + MAX_SKEW_S {
            return Err(SignatureProblem::Time(format!(
                "Signature not yet current: {} is still later than {} ({now_text} + 5 min.)",
                self.time_text,
                basic(now_s + MAX_SKEW_S)
            )));
        }
        let oldest = now_s - self.expires_s.unwrap_or(MAX_SKEW_S);
        if signed < oldest {
            return Err(SignatureProblem::Time(format!(
                "Signature expired: {} is now earlier than {} ({now_text} - {})",
                self.time_text,
                basic(oldest),
                self.expires_s.map_or_else(|| "5 min.".to_owned(), |s| format!("{s} s."))
            )));
        }
        Ok(())
    }
}

/// Whether a request claims to be signed for this service.
pub(crate) fn names_service(parts: &Parts, service: &str) -> bool {
    Claim::read(parts).is_ok_and(|claim| claim.service == service)
}

/// The value of a name in the query, percent-decoded.
pub(crate) fn query_value(parts: &Parts, name: &str) -> Option<String> {
    let query = decoded_query(parts.uri.query().unwrap_or_default());
    query.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// A part of a path, percent-decoded.
pub(crate) fn decoded(text: &str) -> String {
    canonical::decode(text)
}

/// Whether the query carries a signature.
fn is_presigned(parts: &Parts) -> bool {
    let query = decoded_query(parts.uri.query().unwrap_or_default());
    query.iter().any(|(key, _)| key == "X-Amz-Signature")
}

fn malformed(text: String) -> SignatureProblem {
    SignatureProblem::Malformed(text)
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

fn keyed(key: &[u8], data: &[u8]) -> Hmac<Sha256> {
    // HMAC takes a key of any length; the error of the general interface cannot occur.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
    mac.update(data);
    mac
}

fn signing_key(secret_key: &str, date: &str, region: &str, service: &str) -> Vec<u8> {
    [date, region, service, "aws4_request"]
        .into_iter()
        .fold(format!("AWS4{secret_key}").into_bytes(), |key, part| {
            keyed(&key, part.as_bytes()).finalize().into_bytes().to_vec()
        })
}

fn parse_basic(text: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp())
}

fn basic(epoch_s: i64) -> String {
    Timestamp::from_second(epoch_s).map(|t| t.strftime("%Y%m%dT%H%M%SZ").to_string()).unwrap_or_default()
}
