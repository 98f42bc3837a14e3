//! What the engine needs from AWS, as traits the `aws` crate implements, and the words they fail with.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use fleetline_protocol::{DataKey, DataKeyRequest, SessionId, StreamToken};
use zeroize::Zeroizing;

use crate::credentials::CredentialsGate;
use crate::pacing::Pacing;

/// A boxed future, so that the ports can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Query members whose presence says that a URL carries its own signature (protocol.md 2.1).
const PRESIGNED: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
];

/// The URL of a data channel. It may carry a signature in its query, so it is a secret: `Debug` shows only the
/// host and it is wiped when dropped.
#[derive(Clone)]
pub struct StreamUrl(Zeroizing<String>);

impl StreamUrl {
    /// Wraps a URL as StartSession or ResumeSession gave it.
    pub fn new(url: impl Into<String>) -> Self {
        Self(Zeroizing::new(url.into()))
    }

    /// The URL itself, for dialling and signing only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the URL carries its own signature. It is then used as it is: signing it again would make it invalid, and
    /// its session cannot be resumed (protocol.md 2.1). A URL that does not parse is not pre-signed.
    pub fn is_presigned(&self) -> bool {
        let Ok(url) = url::Url::parse(&self.0) else { return false };
        url.query_pairs().any(|(name, _)| PRESIGNED.iter().any(|known| name.eq_ignore_ascii_case(known)))
    }
}

impl fmt::Debug for StreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = url::Url::parse(&self.0).ok().and_then(|u| u.host_str().map(str::to_owned));
        write!(f, "StreamUrl({}/…)", host.as_deref().unwrap_or("?"))
    }
}

/// A request to begin a session (protocol.md 1.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartSession {
    /// Node id or other target string, 1 to 400 characters.
    pub target: String,
    /// Document name or ARN; `None` is the account's default shell document.
    pub document: Option<String>,
    /// Document parameters in order of entry.
    pub parameters: Vec<(String, Vec<String>)>,
    /// Reason shown to auditors, 1 to 256 characters.
    pub reason: Option<String>,
}

/// A session AWS granted: its id and what opens its data channel.
#[derive(Clone, Debug)]
pub struct SessionGrant {
    /// The session.
    pub session_id: SessionId,
    /// Opens the data channel once.
    pub token: StreamToken,
    /// Where the data channel is.
    pub url: StreamUrl,
}

/// Which live sessions of the caller to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionQuery {
    /// Only those to this target.
    pub target: Option<String>,
    /// Only those begun after this time of this computer's clock.
    pub invoked_after: Option<std::time::SystemTime>,
}

/// A session AWS has, connected or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// The session.
    pub session_id: SessionId,
    /// Its target.
    pub target: String,
    /// The reason it was begun with.
    pub reason: Option<String>,
}

/// Answer of ResumeSession.
#[derive(Clone, Debug)]
pub enum ResumeOutcome {
    /// A new token, and a URL that may differ from the first.
    Granted(SessionGrant),
    /// AWS no longer has the session: the token was empty, or it does not exist (protocol.md 1.3).
    Gone,
}

/// Why an AWS call failed, by who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApiErrorKind {
    /// No credentials could be found.
    NoCredentials,
    /// Credentials have expired.
    CredentialsExpired,
    /// Unknown key id or bad signature.
    CredentialsInvalid,
    /// A policy refuses the call.
    AccessDenied,
    /// The node has no live control channel.
    TargetNotConnected,
    /// Hybrid node on the standard tier.
    TierRequired,
    /// Unknown node id.
    UnknownNode,
    /// Unknown document or of another type.
    InvalidDocument,
    /// A parameter or filter is wrong.
    InvalidRequest,
    /// A KMS key that is unknown, disabled, of another kind, or about to be deleted.
    KeyUnusable,
    /// Slow down.
    Throttled,
    /// Nothing answered: connect, time-out, a connection that broke. May pass by itself.
    Network,
    /// The name of an endpoint has no address.
    Resolve,
    /// The proxy on the way refuses the connection, or its address cannot be used.
    Proxy,
    /// The certificate is not trusted.
    Tls,
    /// AWS failed.
    Service,
    /// Anything else; the text is all there is.
    Other,
}

impl ApiErrorKind {
    /// Whether the call did not get as far as AWS, or its answer did not get back.
    pub fn is_on_the_way(self) -> bool {
        matches!(self, Self::Network | Self::Resolve | Self::Proxy | Self::Tls)
    }
}

/// A failed AWS call. Carries no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {message}")]
pub struct ApiError {
    /// "StartSession", "DescribeInstanceProperties", …
    pub operation: &'static str,
    /// By who can do something about it.
    pub kind: ApiErrorKind,
    /// The code AWS gave, if AWS answered.
    pub code: Option<String>,
    /// The text AWS gave, or what went wrong on the way, unchanged.
    pub message: String,
    /// The AWS request id.
    pub request_id: Option<String>,
    /// Whether the request certainly never reached AWS (connect failed), so that nothing happened there.
    pub never_sent: bool,
}

/// A data key KMS made for one session (protocol.md 5.6). `Debug` hides the plain form, which is wiped when dropped.
#[derive(Clone, Debug)]
pub struct SealedDataKey {
    /// Its plain form.
    pub plain: DataKey,
    /// Its sealed form, which the agent has KMS decrypt.
    pub cipher_text_blob: Vec<u8>,
}

/// A header to add to the WebSocket upgrade. The value may be a signature: it is wiped and never shown.
#[derive(Clone)]
pub struct SignedHeader {
    /// Lower-case name.
    pub name: String,
    /// Value.
    pub value: Zeroizing<String>,
}

impl fmt::Debug for SignedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedHeader({}: …)", self.name)
    }
}

/// The session calls of one identity in one Region. Credentials are resolved at each call, so a renewed sign-in
/// is used by the next resume.
pub trait ControlPlane: fmt::Debug + Send + Sync + 'static {
    /// StartSession. Never retried by the implementation after bytes were sent (REL-07).
    fn start_session(&self, request: StartSession) -> BoxFuture<'_, Result<SessionGrant, ApiError>>;

    /// ResumeSession.
    fn resume_session(&self, session: SessionId) -> BoxFuture<'_, Result<ResumeOutcome, ApiError>>;

    /// TerminateSession; succeeds for sessions that are already gone.
    fn terminate_session(&self, session: SessionId) -> BoxFuture<'_, Result<(), ApiError>>;

    /// DescribeSessions: the caller's own sessions that are not over, at most 1,000.
    fn live_sessions(&self, query: SessionQuery) -> BoxFuture<'_, Result<Vec<LiveSession>, ApiError>>;

    /// GenerateDataKey of KMS, 64 bytes, with the key and encryption context of `request`. May be repeated: a data key
    /// nobody uses costs nothing.
    fn generate_data_key(&self, request: DataKeyRequest) -> BoxFuture<'_, Result<SealedDataKey, ApiError>>;

    /// How fast the calls may be made; shared by all control planes of one account and Region. `None` does not limit
    /// them.
    fn pacing(&self) -> Option<Arc<Pacing>> {
        None
    }

    /// Where sessions wait for a sign-in; shared by all control planes of one source. Without one, each session waits
    /// for its own `retry_now`.
    fn credentials_gate(&self) -> Option<CredentialsGate> {
        None
    }

    /// SigV4 headers for the upgrade GET of `url`, service `ssmmessages`, empty payload (protocol.md 2.1).
    /// Empty when the URL is pre-signed.
    fn sign_upgrade(&self, url: StreamUrl) -> BoxFuture<'_, Result<Vec<SignedHeader>, ApiError>>;
}

/// Gives the control plane of a source and Region.
pub trait ControlPlanes: Send + Sync + 'static {
    /// `source` is an AWS profile name as the inventory lists it. Opening never calls AWS.
    fn control_plane(&self, source: &str, region: &str) -> Result<Arc<dyn ControlPlane>, ApiError>;
}

/// A public key on its way to an instance. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPush {
    /// The instance's id, `i-…`: hybrid nodes have no EC2 Instance Connect.
    pub instance_id: String,
    /// User of the instance's system, 1 to 32 characters.
    pub user: String,
    /// The key in the form of OpenSSH's `.pub` files, 80 to 4,096 characters.
    pub public_key: String,
}

/// What is asked of EC2 about an instance besides sessions.
pub trait NodeAccess: fmt::Debug + Send + Sync + 'static {
    /// GetPasswordData: the administrator's password as EC2 keeps it, encrypted with the key pair the instance was
    /// launched with; empty while there is none (aws-security-reliability.md A.8).
    fn password_data(&self, instance_id: String) -> BoxFuture<'_, Result<String, ApiError>>;

    /// SendSSHPublicKey of EC2 Instance Connect: an SSH server of the instance that asks for such keys takes this one for
    /// 60 s. May be repeated.
    fn push_key(&self, push: KeyPush) -> BoxFuture<'_, Result<(), ApiError>>;
}

/// Gives the access of a source and Region.
pub trait NodeAccesses: Send + Sync + 'static {
    /// As [`ControlPlanes::control_plane`].
    fn node_access(&self, source: &str, region: &str) -> Result<Arc<dyn NodeAccess>, ApiError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_signature_member_in_the_query_makes_a_url_presigned() {
        let base = "wss://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/s-1?role=publish_subscribe";
        assert!(!StreamUrl::new(base).is_presigned());
        for name in PRESIGNED {
            assert!(StreamUrl::new(format!("{base}&{name}=x")).is_presigned(), "{name}");
        }
        assert!(!StreamUrl::new("not a url").is_presigned());
    }
}
