//! The signature of the data channel's upgrade request.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use fleetline_engine::ports::{ApiError, ApiErrorKind, SignedHeader, StreamUrl};
use zeroize::Zeroizing;

use crate::error::before_call;

const OPERATION: &str = "OpenDataChannel";

/// Signs the GET of `url` in its headers for service `ssmmessages` with an empty payload.
pub(crate) fn signed_headers(
    url: &StreamUrl,
    region: &str,
    credentials: Credentials,
    now: SystemTime,
) -> Result<Vec<SignedHeader>, ApiError> {
    let bad = |what: &str| before_call(OPERATION, ApiErrorKind::InvalidRequest, what);
    let http_url =
        Zeroizing::new(as_http(url.expose()).ok_or_else(|| bad("The stream URL is not a WebSocket URL."))?);
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("ssmmessages")
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|_| bad("The stream URL cannot be signed."))?
        .into();
    let request =
        SignableRequest::new("GET", http_url.as_str(), std::iter::empty(), SignableBody::Bytes(&[]))
            .map_err(|_| bad("The stream URL cannot be signed."))?;
    let (instructions, _signature) =
        sign(request, &params).map_err(|_| bad("The stream URL cannot be signed."))?.into_parts();
    Ok(instructions
        .headers()
        .map(|(name, value)| SignedHeader {
            name: name.to_ascii_lowercase(),
            value: Zeroizing::new(value.to_owned()),
        })
        .collect())
}

/// The same URL with the HTTP scheme the signature is computed over.
fn as_http(url: &str) -> Option<String> {
    let parsed = url::Url::parse(url).ok()?;
    parsed.host_str().filter(|host| !host.is_empty())?;
    match url.split_once("://")? {
        (scheme, rest) if scheme.eq_ignore_ascii_case("wss") => Some(format!("https://{rest}")),
        (scheme, rest) if scheme.eq_ignore_ascii_case("ws") => Some(format!("http://{rest}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn credentials(token: Option<&str>) -> Credentials {
        Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI", token.map(str::to_owned), None, "test")
    }

    fn headers(url: &str, token: Option<&str>) -> Result<Vec<SignedHeader>, ApiError> {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        signed_headers(&StreamUrl::new(url), "eu-west-1", credentials(token), at)
    }

    #[test]
    fn the_upgrade_is_signed_for_ssmmessages_and_the_region() {
        let url = "wss://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/s-1?role=publish_subscribe";
        let signed = headers(url, Some("session")).unwrap();
        let value =
            |name: &str| signed.iter().find(|header| header.name == name).map(|h| h.value.to_string());
        let authorization = value("authorization").unwrap();
        assert!(authorization.contains("/20231114/eu-west-1/ssmmessages/aws4_request"), "{authorization}");
        assert!(
            authorization.contains("SignedHeaders=host;x-amz-date;x-amz-security-token"),
            "{authorization}"
        );
        assert_eq!(value("x-amz-date").unwrap(), "20231114T221320Z");
        assert_eq!(value("x-amz-security-token").unwrap(), "session");
        assert!(!format!("{signed:?}").contains(&authorization));
    }

    #[test]
    fn a_url_that_is_no_websocket_is_refused() {
        for url in ["https://host/", "wss:///path", "", "wss://", "::"] {
            assert_eq!(headers(url, None).unwrap_err().kind, ApiErrorKind::InvalidRequest, "{url}");
        }
    }
}
