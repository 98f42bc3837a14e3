//! SDK failures in the words of the ports.

use std::error::Error;
use std::fmt;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ssm::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use fleetline_engine::DialError;
use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_signin::{CODE_NEEDED, OidcError, TokenError};

use crate::codes::CodeFailure;

/// The text AWS sends for a session to a hybrid node on the standard tier, under code `BadRequest`
/// (aws-security-reliability.md A.4).
const TIER_TEXT: &str = "advanced-instances tier";

/// The longest raw text kept, in bytes.
const LONGEST_TEXT: usize = 4 * 1024;

/// Turns a failed SDK call into the port error. Looks at the error code AWS sent, since codes outside the service
/// model are common.
pub(crate) fn from_sdk<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> ApiError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let request_id = error.request_id().map(str::to_owned);
    let made = |kind, code: Option<&str>, message: String, never_sent| ApiError {
        operation,
        kind,
        code: code.map(str::to_owned),
        message: clipped(message),
        request_id: request_id.clone(),
        never_sent,
    };
    match error {
        SdkError::ServiceError(service) => {
            let (code, text) = (service.err().code(), service.err().message());
            let status = service.raw().status().as_u16();
            let message = match (text, code) {
                (Some(text), _) => text.to_owned(),
                (None, Some(code)) => code.to_owned(),
                (None, None) => format!("HTTP status {status} and an answer that is not an AWS error"),
            };
            made(kind_of(code.unwrap_or_default(), &message, status), code, message, false)
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            let message =
                format!("HTTP status {status} and an answer that cannot be read: {}", full_text(error));
            made(kind_of("", "", status), None, message, false)
        }
        SdkError::TimeoutError(_) => made(ApiErrorKind::Network, None, full_text(error), false),
        _ => match find::<DialError>(error) {
            // Our own words say all there is to say.
            Some(found) => made(kind_of_dial(found), None, found.to_string(), true),
            None => {
                let (kind, never_sent) = kind_on_the_way(error);
                made(kind, credentials_code(error), full_text(error), never_sent)
            }
        },
    }
}

/// A failure that is ours or of the configuration, before any call.
pub(crate) fn before_call(
    operation: &'static str,
    kind: ApiErrorKind,
    message: impl Into<String>,
) -> ApiError {
    ApiError { operation, kind, code: None, message: message.into(), request_id: None, never_sent: true }
}

/// A failure to get credentials for a call of ours outside the SDK clients.
pub(crate) fn from_credentials(operation: &'static str, error: &CredentialsError) -> ApiError {
    let code = credentials_code(error).map(str::to_owned);
    ApiError { code, ..before_call(operation, credentials_kind(error), clipped(full_text(error))) }
}

/// What stands for a code of AWS where a person's code is missing.
fn credentials_code(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let failure = find::<CodeFailure>(error)?;
    (!matches!(failure, CodeFailure::Call(_))).then_some(CODE_NEEDED)
}

/// Who can do something about it, by the code AWS sent (aws-security-reliability.md A.3, A.7, A.11).
fn kind_of(code: &str, message: &str, status: u16) -> ApiErrorKind {
    use ApiErrorKind as Kind;
    if message.contains(TIER_TEXT) {
        return Kind::TierRequired;
    }
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| code.starts_with(prefix));
    if starts(&["Expired", "RequestExpired", "TokenRefreshRequired"]) {
        return Kind::CredentialsExpired;
    }
    if starts(&[
        "AccessDenied",
        "UnauthorizedOperation",
        "NotAuthorized",
        "OptInRequired",
        "AuthorizationError",
        // The portal of IAM Identity Center: the role is not assigned.
        "Forbidden",
    ]) {
        return Kind::AccessDenied;
    }
    if starts(&[
        "UnrecognizedClient",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "AuthFailure",
        "InvalidSignature",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "RequestTimeTooSkewed",
        "RequestInTheFuture",
        "InvalidToken",
    ]) {
        return Kind::CredentialsInvalid;
    }
    if starts(&[
        "Throttl",
        "RequestThrottl",
        "RequestLimitExceeded",
        "TooManyRequests",
        "SlowDown",
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded",
    ]) || status == 429
    {
        return Kind::Throttled;
    }
    match code {
        // EC2 Instance Connect's own words for it (its API reference, SendSSHPublicKey).
        "AuthException" => Kind::AccessDenied,
        "EC2InstanceNotFoundException" => Kind::UnknownNode,
        "ServiceException" => Kind::Service,
        "TargetNotConnected" => Kind::TargetNotConnected,
        "InvalidDocument" | "InvalidDocumentVersion" | "InvalidDocumentOperation" => Kind::InvalidDocument,
        "DisabledException" | "KeyUnavailableException" | "KMSInvalidStateException" => Kind::KeyUnusable,
        _ if starts(&["NotFoundException", "InvalidKeyUsage", "InvalidArn"]) => Kind::KeyUnusable,
        _ if starts(&["KMSInternal", "DependencyTimeout"]) => Kind::Service,
        _ if starts(&["InvalidInstanceId", "InvalidInstanceID", "InvalidResourceId"]) => Kind::UnknownNode,
        _ if starts(&[
            "InternalServer",
            "InternalFailure",
            "InternalError",
            "ServiceUnavailable",
            "Unavailable",
        ]) =>
        {
            Kind::Service
        }
        _ if starts(&["Validation", "Invalid", "BadRequest", "UnknownOperation", "UnsupportedOperation"])
            || starts(&[
                "MissingParameter",
                "SerializationException",
                "UnknownParameter",
                "MalformedQueryString",
            ]) =>
        {
            Kind::InvalidRequest
        }
        _ if status >= 500 => Kind::Service,
        _ => Kind::Other,
    }
}

/// What is in the way of a connection.
fn kind_of_dial(found: &DialError) -> ApiErrorKind {
    match found {
        DialError::Resolve { .. } => ApiErrorKind::Resolve,
        DialError::Tls { untrusted: true, .. } => ApiErrorKind::Tls,
        _ if found.is_about_proxy() => ApiErrorKind::Proxy,
        _ => ApiErrorKind::Network,
    }
}

/// What went wrong before an answer came, and whether the request certainly never left: nothing was connected.
fn kind_on_the_way(error: &(dyn Error + 'static)) -> (ApiErrorKind, bool) {
    if let Some(credentials) = find::<CredentialsError>(error) {
        return (credentials_kind(credentials), true);
    }
    if find::<rustls::Error>(error).is_some() {
        let untrusted = chain(error).filter_map(|part| part.downcast_ref::<rustls::Error>()).any(|tls| {
            matches!(tls, rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
        });
        return if untrusted {
            (ApiErrorKind::Tls, true)
        } else {
            (ApiErrorKind::Network, connecting(error))
        };
    }
    if connecting(error) {
        return (ApiErrorKind::Network, true);
    }
    if find::<io::Error>(error).is_some() || chain(error).any(|part| part.to_string().contains("timeout")) {
        return (ApiErrorKind::Network, false);
    }
    match error.to_string().contains("dispatch failure") {
        true => (ApiErrorKind::Network, false),
        false => (ApiErrorKind::InvalidRequest, true),
    }
}

/// Whether the failure happened while connecting: name resolution, TCP, proxy or TLS handshake.
pub(crate) fn connecting(error: &(dyn Error + 'static)) -> bool {
    find::<hyper_util::client::legacy::Error>(error).is_some_and(|error| error.is_connect())
}

fn credentials_kind(error: &CredentialsError) -> ApiErrorKind {
    match find::<CodeFailure>(error) {
        Some(CodeFailure::Call(inner)) => return credentials_kind(inner),
        Some(_) => return ApiErrorKind::NoCredentials,
        None => {}
    }
    let nested = chain(error).find_map(|part| {
        let code = if let Some(assume) = part.downcast_ref::<aws_sdk_sts::operation::assume_role::AssumeRoleError>() {
            assume.code()
        } else if let Some(web) = part
            .downcast_ref::<aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError>()
        {
            web.code()
        } else if let Some(session) =
            part.downcast_ref::<aws_sdk_sts::operation::get_session_token::GetSessionTokenError>()
        {
            session.code()
        } else if let Some(role) =
            part.downcast_ref::<aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError>()
        {
            role.code()
        } else {
            None
        };
        code.map(|code| kind_of(code, "", 400)).filter(|kind| *kind != ApiErrorKind::Other)
    });
    if let Some(kind) = nested {
        return kind;
    }
    if let Some(TokenError::Oidc(OidcError::Network(_))) = find::<TokenError>(error) {
        return ApiErrorKind::Network;
    }
    if let Some(found) = find::<DialError>(error) {
        return kind_of_dial(found);
    }
    let text = full_text(error).to_ascii_lowercase();
    let session_over = ["expired", "unauthorizedexception", "session token not found or invalid"];
    if session_over.iter().any(|needle| text.contains(needle)) {
        return ApiErrorKind::CredentialsExpired;
    }
    match error {
        CredentialsError::ProviderTimedOut(_) => ApiErrorKind::Network,
        _ if connecting(error) => ApiErrorKind::Network,
        _ => ApiErrorKind::NoCredentials,
    }
}

/// The error and everything beneath it. `io::Error` hides its payload from `source`, so it is asked for it.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|part| part.downcast_ref::<E>())
}

/// All texts of the chain, outermost first, each once.
pub(crate) fn full_text(error: &(dyn Error + 'static)) -> String {
    struct Chain<'a>(&'a (dyn Error + 'static));
    impl fmt::Display for Chain<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let mut last = String::new();
            for part in chain(self.0) {
                let text = part.to_string();
                if last.ends_with(&text) {
                    continue;
                }
                if !last.is_empty() {
                    f.write_str(": ")?;
                }
                f.write_str(&text)?;
                last = text;
            }
            Ok(())
        }
    }
    Chain(error).to_string()
}

fn clipped(mut text: String) -> String {
    if text.len() > LONGEST_TEXT {
        text.truncate(text.floor_char_boundary(LONGEST_TEXT));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_met_in_practice_find_their_kind() {
        use ApiErrorKind as Kind;
        let cases = [
            ("AccessDeniedException", "User: x is not authorized", Kind::AccessDenied),
            ("AccessDenied", "", Kind::AccessDenied),
            (
                "UnauthorizedOperation",
                "You are not authorized to perform this operation.",
                Kind::AccessDenied,
            ),
            ("TargetNotConnected", "i-1 is not connected.", Kind::TargetNotConnected),
            (
                "BadRequest",
                "Enable advanced-instances tier to use Session Manager with your on-premises instances",
                Kind::TierRequired,
            ),
            ("BadRequest", "something else", Kind::InvalidRequest),
            ("InvalidDocument", "Document type: 'Command' is not supported.", Kind::InvalidDocument),
            ("InvalidInstanceId", "", Kind::UnknownNode),
            ("InvalidInstanceID.NotFound", "", Kind::UnknownNode),
            (
                "ExpiredTokenException",
                "The security token included in the request is expired",
                Kind::CredentialsExpired,
            ),
            ("ExpiredToken", "", Kind::CredentialsExpired),
            ("UnrecognizedClientException", "", Kind::CredentialsInvalid),
            ("InvalidClientTokenId", "", Kind::CredentialsInvalid),
            ("AuthFailure", "", Kind::CredentialsInvalid),
            ("InvalidSignatureException", "", Kind::CredentialsInvalid),
            ("SignatureDoesNotMatch", "", Kind::CredentialsInvalid),
            ("ThrottlingException", "Rate exceeded", Kind::Throttled),
            ("RequestLimitExceeded", "", Kind::Throttled),
            ("TooManyRequestsException", "", Kind::Throttled),
            ("ValidationException", "", Kind::InvalidRequest),
            ("InvalidParameters", "", Kind::InvalidRequest),
            ("InternalServerError", "", Kind::Service),
            ("NotFoundException", "Key 'arn:…' does not exist", Kind::KeyUnusable),
            ("DisabledException", "arn:… is disabled.", Kind::KeyUnusable),
            ("KMSInvalidStateException", "arn:… is pending deletion.", Kind::KeyUnusable),
            ("KeyUnavailableException", "", Kind::KeyUnusable),
            ("InvalidKeyUsageException", "", Kind::KeyUnusable),
            ("KMSInternalException", "", Kind::Service),
            ("AuthException", "", Kind::AccessDenied),
            ("EC2InstanceNotFoundException", "", Kind::UnknownNode),
            ("EC2InstanceStateInvalidException", "", Kind::Other),
            ("InvalidArgsException", "", Kind::InvalidRequest),
            ("SomethingNew", "", Kind::Other),
        ];
        for (code, message, kind) in cases {
            assert_eq!(kind_of(code, message, 400), kind, "{code}");
        }
        assert_eq!(kind_of("", "", 503), Kind::Service);
        assert_eq!(kind_of("", "", 429), Kind::Throttled);
    }

    #[test]
    fn long_texts_are_clipped_at_a_character() {
        let text = clipped("é".repeat(LONGEST_TEXT));
        assert!(text.len() <= LONGEST_TEXT && text.chars().all(|c| c == 'é'));
    }

    #[test]
    fn io_errors_show_their_payload_once() {
        let inner = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::NoCertificatesPresented);
        assert!(find::<rustls::Error>(&inner).is_some());
        let text = full_text(&inner);
        assert_eq!(text.matches("peer sent no certificates").count(), 1, "{text}");
    }
}
