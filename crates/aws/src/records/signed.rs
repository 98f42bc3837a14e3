//! Calls that are signed here instead of by an SDK of the service: those of S3 and CloudWatch Logs (decision 0062).

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use fleetline_engine::ports::{ApiError, ApiErrorKind};

use crate::access::Access;
use crate::error::{before_call, from_credentials};

/// A request, before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Name of the service in signatures.
    pub(super) service: &'static str,
    /// Name of the operation, for errors and the pace.
    pub(super) operation: &'static str,
    pub(super) region: String,
    pub(super) method: &'static str,
    /// Scheme, host and port.
    pub(super) endpoint: String,
    /// Path and query, encoded.
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// An answer that is no refusal.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// `Content-Range`, if there is one.
    pub(super) range: Option<String>,
}

/// A refusal with what is looked at in it.
#[derive(Debug)]
pub(super) struct Refused {
    metadata: ErrorMetadata,
    /// The Region S3 says the bucket is in.
    bucket_region: Option<String>,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.metadata.fmt(f)
    }
}

impl std::error::Error for Refused {}

impl ProvideErrorMetadata for Refused {
    fn meta(&self) -> &ErrorMetadata {
        &self.metadata
    }
}

/// How a call failed.
#[derive(Debug)]
pub(super) enum CallFailed {
    /// The bucket is in another Region, where the call is to be made again.
    Elsewhere(String),
    /// What any call can meet.
    Failed(ApiError),
}

impl Call {
    /// Makes the call once.
    pub(super) async fn send(&self, access: &Access) -> Result<Answer, CallFailed> {
        let failed = |error| CallFailed::Failed(error);
        let credentials = access
            .identity
            .credentials
            .current()
            .await
            .map_err(|failure| failed(from_credentials(self.operation, &failure)))?;
        let signed = self.signed(credentials, access.identity.skew.now()).map_err(failed)?;
        let request = self.clone();
        let operation = Operation::builder()
            .service_name(self.service)
            .operation_name(self.operation)
            .http_client(access.http())
            .endpoint_url(&self.endpoint)
            .timeout_config(Access::timeouts())
            .no_auth()
            .no_retry()
            .interceptor(access.identity.skew.clone())
            .serializer(move |signed: Signed| request.request(&signed))
            .deserializer(read)
            .build();
        match operation.invoke(signed).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                let elsewhere = error.as_service_error().and_then(|refused| refused.bucket_region.clone());
                match elsewhere.filter(|region| *region != self.region) {
                    Some(region) => Err(CallFailed::Elsewhere(region)),
                    None => Err(failed(access.failed(self.operation, error))),
                }
            }
        }
    }

    /// The headers of the signature.
    fn signed(&self, credentials: Credentials, now: SystemTime) -> Result<Signed, ApiError> {
        let bad =
            || before_call(self.operation, ApiErrorKind::InvalidRequest, "The request cannot be signed.");
        let identity = credentials.into();
        let mut settings = SigningSettings::default();
        if self.service == super::object::SERVICE {
            // S3 takes paths as they are, and wants the hash of the body in a header.
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(now)
            .settings(settings)
            .build()
            .map_err(|_| bad())?
            .into();
        let url = format!("{}{}", self.endpoint, self.path);
        let headers = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let request = SignableRequest::new(self.method, url, headers, SignableBody::Bytes(&self.body))
            .map_err(|_| bad())?;
        let (instructions, _signature) = sign(request, &params).map_err(|_| bad())?.into_parts();
        let headers = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Signed(headers.collect()))
    }

    fn request(&self, signed: &Signed) -> Result<HttpRequest, aws_smithy_runtime_api::box_error::BoxError> {
        let mut request = HttpRequest::new(SdkBody::from(self.body.clone()));
        request.set_method(self.method)?;
        request.set_uri(self.path.clone())?;
        for (name, value) in &self.headers {
            request.headers_mut().try_insert(*name, value.clone())?;
        }
        for (name, value) in &signed.0 {
            request.headers_mut().try_insert(name.clone(), value.clone())?;
        }
        Ok(request)
    }
}

/// Headers that hold a signature and perhaps a session token: not for any log.
struct Signed(Vec<(String, String)>);

impl std::fmt::Debug for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signed(…)")
    }
}

fn read(response: &HttpResponse) -> Result<Answer, OrchestratorError<Refused>> {
    let body = response.body().bytes().unwrap_or_default();
    let header = |name: &str| response.headers().get(name).map(str::to_owned);
    if response.status().is_success() {
        return Ok(Answer { body: body.to_vec(), range: header("content-range") });
    }
    let text = String::from_utf8_lossy(body);
    let (code, message) = refusal(&text);
    let metadata = ErrorMetadata::builder().code(code).message(message).build();
    let bucket_region = header("x-amz-bucket-region");
    Err(OrchestratorError::operation(Refused { metadata, bucket_region }))
}

/// Code and text of a refusal, in JSON as CloudWatch Logs writes it or in XML as S3 does.
fn refusal(body: &str) -> (String, String) {
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(body) {
        let text = |name: &str| value.get(name).and_then(serde_json::Value::as_str);
        let code = text("__type").or_else(|| text("code")).unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or(code);
        let message = text("message").or_else(|| text("Message")).unwrap_or_default();
        return (code.to_owned(), message.to_owned());
    }
    (element(body, "Code"), element(body, "Message"))
}

/// The text of the first element of this name; empty if there is none.
fn element(xml: &str, name: &str) -> String {
    let inner = xml
        .split_once(&format!("<{name}>"))
        .and_then(|(_, rest)| rest.split_once(&format!("</{name}>")))
        .map_or("", |(inner, _)| inner);
    // The ampersand last, so that nothing is read twice.
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")]
        .into_iter()
        .fold(inner.to_owned(), |text, (escape, letter)| text.replace(escape, letter))
}

/// A text in a path: everything escaped but letters, digits and `-._~/`.
pub(super) fn path_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read_in_both_forms() {
        let json = r#"{"__type":"com.amazonaws.logs#ResourceNotFoundException","message":"no stream"}"#;
        assert_eq!(refusal(json), ("ResourceNotFoundException".into(), "no stream".into()));
        let xml = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>on &quot;a&amp;lt;&quot;</Message></Error>";
        assert_eq!(refusal(xml), ("AccessDenied".into(), "on \"a&lt;\"".into()));
        assert_eq!(refusal("<html>"), (String::new(), String::new()));
    }

    #[test]
    fn paths_keep_slashes_and_escape_the_rest() {
        assert_eq!(path_escaped("a/b c+é=.log"), "a/b%20c%2B%C3%A9%3D.log");
    }
}
