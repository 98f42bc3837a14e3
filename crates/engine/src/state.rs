//! What a session is doing, and how it ended.

use std::fmt;
use std::time::{Duration, SystemTime};

use fleetline_protocol::{CloseReason, SessionId, SessionKind};

use crate::cause::ReconnectCause;
use crate::ports::ApiError;

/// What a session is doing.
#[derive(Clone, Debug)]
pub enum SessionState {
    /// StartSession, dialling or waiting for the node's first words.
    Starting {
        /// What is being waited for.
        step: StartStep,
    },
    /// Bytes flow.
    Open {
        /// What the agent runs.
        kind: SessionKind,
        /// As the agent reported it in a handshake; plain shells have none.
        agent_version: Option<String>,
        /// How long the latest interruption lasted, from the loss of the socket until the gateway spoke again.
        resumed_after: Option<Duration>,
        /// Set while the node has left input unacknowledged for 5 s or more: since when.
        unanswered_since: Option<SystemTime>,
    },
    /// The data channel has no socket; the session lives on at AWS and is being resumed.
    Reconnecting {
        /// The latest reason.
        cause: ReconnectCause,
        /// When the socket was lost.
        since: SystemTime,
        /// Number of the attempt that runs or comes next, from 1.
        attempt: u32,
        /// When the next attempt begins; `None` while one runs or while the user must act.
        next_try: Option<SystemTime>,
        /// Whether nothing more happens until `retry_now` is called, because resuming needs other credentials or
        /// permissions first.
        awaits_retry: bool,
    },
    /// Over. Final.
    Ended(EndReason),
    /// Never opened. Final.
    Failed(StartError),
}

impl SessionState {
    /// Whether no other state can follow.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Ended(_) | Self::Failed(_))
    }
}

/// What a starting session waits for. `Display` is a sentence without a final stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartStep {
    /// StartSession was called.
    Requesting,
    /// AWS is throttling or was not reached; StartSession will be called again.
    RequestingAgain {
        /// Why the last call failed.
        error: ApiError,
    },
    /// StartSession waits for its turn, so that AWS is not called faster than it allows.
    Queued {
        /// How many calls go first.
        ahead: usize,
    },
    /// StartSession was sent and got no clear answer; its session, if there is one, is looked for.
    LookingForSession {
        /// How the call failed.
        error: ApiError,
    },
    /// The socket is being opened.
    Connecting,
    /// The socket could not be opened or was lost at once; it is tried again.
    ConnectingAgain {
        /// The latest reason.
        cause: ReconnectCause,
        /// Number of the attempt, from 1.
        attempt: u32,
    },
    /// The socket is open; the agent has not said anything yet.
    WaitingForNode,
    /// Still nothing from the agent.
    NodeSilent {
        /// For how long at least.
        lasted: Duration,
    },
}

impl fmt::Display for StartStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requesting => f.write_str("Asking AWS for a session"),
            Self::RequestingAgain { error } => write!(f, "Asking AWS for a session again ({error})"),
            Self::Queued { ahead: 0 } => f.write_str("Waiting to ask AWS for a session"),
            Self::Queued { ahead } => {
                write!(f, "Waiting to ask AWS for a session, {ahead} ahead")
            }
            Self::LookingForSession { error } => {
                write!(f, "AWS gave no clear answer; looking whether it began a session ({error})")
            }
            Self::Connecting => f.write_str("Connecting to the gateway"),
            Self::ConnectingAgain { cause, attempt } => {
                write!(f, "Connecting to the gateway again, attempt {attempt} ({cause})")
            }
            Self::WaitingForNode => f.write_str("Waiting for the node"),
            Self::NodeSilent { lasted } => write!(
                f,
                "The node has said nothing for {} s; its agent may be busy, or its disk full",
                lasted.as_secs()
            ),
        }
    }
}

/// Why a session that had opened, or was closed by the user, is over. `Display` is one sentence.
#[derive(Clone, Debug)]
pub enum EndReason {
    /// The service closed the channel without a text: the program on the node exited, or the session was terminated
    /// elsewhere. The protocol does not tell them apart (protocol.md 7.8).
    Finished,
    /// The command exited.
    Exited {
        /// Its exit status as the agent gave it; -1 when a signal killed it (protocol.md 7.7).
        code: i32,
    },
    /// `close` was called or the handle dropped.
    ClosedByUser,
    /// The service closed the channel and said why.
    ByService {
        /// The cause, where the text is a known one.
        cause: ServiceCause,
        /// The text, unchanged.
        text: String,
    },
    /// AWS no longer had the session when it was to be resumed.
    Gone {
        /// Why it had to be resumed.
        cause: ReconnectCause,
    },
    /// The session could not be resumed in the time allowed.
    ResumeExhausted {
        /// For how long it was tried.
        lasted: Duration,
        /// The last failure.
        cause: ReconnectCause,
    },
    /// Resuming was refused in a way that trying again cannot change.
    ResumeRefused {
        /// The refusal.
        cause: ReconnectCause,
    },
    /// The data channel failed: handshake, retransmission limit, or a peer that breaks the protocol.
    Channel(CloseReason),
    /// There was no sign of the node for so long that it is taken for dead, although the gateway was there. Sessions of
    /// forwards only.
    NodeSilent {
        /// For how long.
        lasted: Duration,
    },
    /// The session is not what it was opened for, or what it carried broke.
    Unusable {
        /// Why, without a final stop.
        why: String,
    },
    /// A defect of this program ended the session.
    Defect,
}

impl EndReason {
    /// Whether this is how a session should end: its program exited, or the user closed it.
    pub fn is_normal(&self) -> bool {
        matches!(self, Self::Finished | Self::Exited { .. } | Self::ClosedByUser)
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("The session has ended on the node."),
            Self::Exited { code } => write!(f, "The command exited with status {code}."),
            Self::ClosedByUser => f.write_str("You closed the session."),
            Self::ByService { cause, text } => match cause {
                ServiceCause::IdleTimeout => write!(f, "AWS ended the session because it was idle: {text}"),
                ServiceCause::MaxDuration => {
                    write!(f, "AWS ended the session because it reached its longest allowed duration: {text}")
                }
                ServiceCause::PluginNotFound => write!(
                    f,
                    "The agent could not start its session worker; a full disk or temporary directory on the node is the usual reason: {text}"
                ),
                ServiceCause::Other => write!(f, "AWS ended the session: {text}"),
            },
            Self::Gone { cause } => {
                write!(f, "AWS no longer has the session; it was to be resumed because: {cause}.")
            }
            Self::ResumeExhausted { lasted, cause } => {
                write!(f, "The session could not be resumed within {}: {cause}.", span(*lasted))
            }
            Self::ResumeRefused { cause } => write!(f, "The session cannot be resumed: {cause}."),
            Self::Channel(reason) => write!(f, "The data channel failed: {reason}."),
            Self::NodeSilent { lasted } => write!(
                f,
                "The node has answered nothing for {}, although AWS keeps its session open.",
                span(*lasted)
            ),
            Self::Unusable { why } => write!(f, "The session cannot be used: {why}."),
            Self::Defect => f.write_str("The session was ended by a defect of Fleetline."),
        }
    }
}

/// Whole minutes from two minutes on, else seconds.
fn span(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

/// Causes the service names in the text of `channel_closed` (protocol.md 7.8, 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServiceCause {
    /// Nothing happened for the idle time-out of the session preferences.
    IdleTimeout,
    /// The maximum duration of the session preferences is over.
    MaxDuration,
    /// The agent found no session plugin.
    PluginNotFound,
    /// Another text.
    Other,
}

impl ServiceCause {
    /// Recognises a text; an unknown one stays [`Self::Other`].
    pub fn of(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        if text.contains("inactivity")
            || text.contains("idle timeout")
            || text.contains("idle session timeout")
        {
            Self::IdleTimeout
        } else if ["maximum session duration", "max session duration", "maximum duration"]
            .iter()
            .any(|known| text.contains(known))
        {
            Self::MaxDuration
        } else if text.contains("plugin with name") && text.contains("not found") {
            Self::PluginNotFound
        } else {
            Self::Other
        }
    }
}

/// Why a session never opened. `Display` is one sentence.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StartError {
    /// StartSession failed; no session exists.
    #[error("{0}")]
    Api(ApiError),
    /// StartSession was sent and got no clear answer. It is not called again: that could begin a second session.
    #[error("{error}; {what}.")]
    Lost {
        /// How the call failed.
        error: ApiError,
        /// What became of the session it may have begun.
        what: LostStart,
    },
    /// The data channel could not be opened in the time allowed.
    #[error("The data channel could not be opened within {}: {cause}.", span(*.lasted))]
    Unreachable {
        /// For how long it was tried.
        lasted: Duration,
        /// The last failure.
        cause: ReconnectCause,
    },
    /// Opening the data channel was refused in a way that trying again cannot change.
    #[error("The data channel cannot be opened: {cause}.")]
    Refused {
        /// The refusal.
        cause: ReconnectCause,
    },
    /// AWS no longer had the session before it opened.
    #[error("AWS gave the session up before it opened: {cause}.")]
    Gone {
        /// Why it had to be resumed.
        cause: ReconnectCause,
    },
    /// The service closed the channel before the node said anything.
    #[error("{}", EndReason::ByService { cause: *.cause, text: if .text.is_empty() { "it gave no reason.".to_owned() } else { .text.clone() } })]
    ByService {
        /// The cause, where the text is a known one.
        cause: ServiceCause,
        /// The text, unchanged; may be empty.
        text: String,
    },
    /// The session must be encrypted with a KMS key, and KMS gave no data key. Nothing was sent in the clear.
    #[error("The session must be encrypted with KMS key {key_id}, and there is no data key: {error}.")]
    DataKey {
        /// Key id or ARN the agent named.
        key_id: String,
        /// Why.
        error: ApiError,
    },
    /// The node was given a data key, and the session ended before it began. The agent has no way to say why
    /// (aws-security-reliability.md A.11); most often its role may not open the key.
    #[error("The node ended the session when it was given a data key of KMS key {key_id}{}", said(.text))]
    KeyNotOpened {
        /// Key id or ARN the agent named.
        key_id: String,
        /// The text of the service, unchanged; most often empty.
        text: String,
    },
    /// The handshake failed or the agent broke the protocol.
    #[error("The data channel failed: {0}.")]
    Channel(CloseReason),
}

/// The end of a sentence with what somebody said, if they said anything.
fn said(text: &str) -> String {
    if text.is_empty() { ".".to_owned() } else { format!(": {text}") }
}

/// What became of the session of a call without an answer. `Display` is the end of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LostStart {
    /// AWS lists no session of that call.
    NoneBegan,
    /// AWS could not be asked.
    Unknown(ApiError),
    /// It was found, could not be taken over, and is over.
    Ended(SessionId),
    /// It was found, could be neither taken over nor terminated, and ends by itself after its idle time-out.
    NotEnded(SessionId, ApiError),
}

impl fmt::Display for LostStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneBegan => f.write_str("AWS began no session"),
            Self::Unknown(error) => write!(f, "whether AWS began a session is unknown ({error})"),
            Self::Ended(session) => write!(f, "AWS had begun session {session}, which is ended"),
            Self::NotEnded(session, error) => {
                write!(f, "AWS had begun session {session}, which may still be open ({error})")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_service_texts_are_named_and_unknown_ones_are_kept_raw() {
        for (text, cause) in [
            ("Your session timed out due to inactivity.", ServiceCause::IdleTimeout),
            ("Session reached the maximum session duration", ServiceCause::MaxDuration),
            ("Plugin with name Standard_Stream not found.", ServiceCause::PluginNotFound),
            ("Something new", ServiceCause::Other),
        ] {
            assert_eq!(ServiceCause::of(text), cause, "{text}");
            let shown = EndReason::ByService { cause, text: text.to_owned() }.to_string();
            assert!(shown.contains(text), "{shown}");
        }
    }

    #[test]
    fn durations_read_as_people_say_them() {
        assert_eq!(span(Duration::from_secs(60)), "60 s");
        assert_eq!(span(Duration::from_secs(300)), "5 min");
    }
}
