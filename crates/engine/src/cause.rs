//! Why a session has no open data channel right now.

use std::fmt;
use std::time::Duration;

use crate::dial::DialError;
use crate::ports::{ApiError, ApiErrorKind};

/// How the socket of a data channel was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketLoss {
    /// The gateway closed it. Code 1000 with the reason `Bye` is routine, about once an hour (protocol.md 2.3).
    Closed {
        /// WebSocket close code; `None` when the stream ended without a close frame.
        code: Option<u16>,
        /// The gateway's reason, printable characters only.
        reason: String,
    },
    /// Reading or writing failed.
    Broken {
        /// What the operating system or the WebSocket layer said.
        message: String,
    },
    /// Nothing at all was received, not even an answer to a ping.
    Silent {
        /// For how long.
        lasted: Duration,
    },
}

impl SocketLoss {
    /// Whether this is the gateway's regular renewal of a connection.
    pub fn is_routine(&self) -> bool {
        matches!(self, Self::Closed { code: Some(1000), .. })
    }
}

impl fmt::Display for SocketLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { code: Some(1000), .. } => {
                f.write_str("The gateway renewed the connection, as it does about every hour")
            }
            Self::Closed { code: None, .. } => f.write_str("The connection to the gateway was closed"),
            Self::Closed { code: Some(code), reason } if reason.is_empty() => {
                write!(f, "The gateway closed the connection with code {code}")
            }
            Self::Closed { code: Some(code), reason } => {
                write!(f, "The gateway closed the connection with code {code}: {reason}")
            }
            Self::Broken { message } => write!(f, "The connection to the gateway broke: {message}"),
            Self::Silent { lasted } => {
                write!(f, "The gateway was silent for {} s", lasted.as_secs())
            }
        }
    }
}

/// The latest reason why a session is not connected. `Display` is one sentence without a final stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReconnectCause {
    /// The socket was lost.
    Lost(SocketLoss),
    /// A new socket could not be opened.
    Dial(DialError),
    /// The socket of a session was lost whose stream URL carries its own signature. ResumeSession is not possible for
    /// it: whoever signed the URL starts another session (protocol.md 2.1).
    Presigned(SocketLoss),
    /// AWS did not answer, or refused to resume the session or to sign the upgrade.
    Api(ApiError),
}

impl ReconnectCause {
    /// Whether the user must renew credentials before another attempt makes sense.
    pub fn needs_credentials(&self) -> bool {
        matches!(
            self,
            Self::Api(ApiError {
                kind: ApiErrorKind::NoCredentials
                    | ApiErrorKind::CredentialsExpired
                    | ApiErrorKind::CredentialsInvalid,
                ..
            })
        )
    }
}

impl fmt::Display for ReconnectCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(loss) => loss.fmt(f),
            Self::Dial(error) => error.fmt(f),
            Self::Presigned(loss) => {
                write!(f, "{loss}, and a session with a pre-signed stream URL cannot be resumed")
            }
            Self::Api(error) => error.fmt(f),
        }
    }
}
