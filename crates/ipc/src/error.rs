//! How a command says no.

use serde::{Deserialize, Serialize};
use specta::Type;

/// Why a command failed, as a closed list the interface chooses its words and actions by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request itself is wrong: a bad length, query, size or id shape.
    InvalidInput,
    /// The node, tab, view or AWS profile named does not exist (any more).
    NotFound,
    /// No credentials could be found for the source.
    NotSignedIn,
    /// Credentials were found and have expired.
    CredentialsExpired,
    /// AWS rejected the credentials: unknown key id or wrong secret.
    CredentialsInvalid,
    /// IAM, an organisation policy or another policy refuses the call.
    AccessDenied,
    /// The node has no live control channel.
    TargetNotConnected,
    /// A hybrid node in an account-Region on the standard tier.
    TierRequired,
    /// The session document is unknown or of another type.
    InvalidDocument,
    /// AWS asked us to slow down and our patience ran out.
    Throttled,
    /// Nothing answered: DNS, connect, TLS or proxy.
    NetworkUnreachable,
    /// The certificate of the other side is not trusted.
    TlsUntrusted,
    /// The session is over and cannot be used.
    SessionEnded,
    /// Reading or writing Fleetline's own files failed.
    Storage,
    /// The user or a newer request took it back.
    Cancelled,
    /// Somebody else changed it meanwhile, or the name is taken.
    Conflict,
    /// Not on this platform, agent version or build.
    Unsupported,
    /// AWS answered with something that is none of the above; `detail` holds it raw.
    Service,
    /// A defect of Fleetline.
    Internal,
}

/// A failed command: one sentence for the user, the rest folded away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CommandError {
    /// The reason from the closed list.
    pub code: ErrorCode,
    /// What happened and why, in one sentence.
    pub message: String,
    /// What to do next, when there is something to do.
    pub hint: Option<String>,
    /// The raw text of the other side, unchanged, at most 4 KiB.
    pub detail: Option<String>,
    /// The AWS request id, when AWS gave one.
    pub request_id: Option<String>,
}
