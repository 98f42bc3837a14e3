//! How flows, lanes and forwards end.

use std::fmt;
use std::time::Duration;

use crate::state::{EndReason, SessionState, StartError};

/// Why a lane is over. `Display` is one sentence.
#[derive(Clone, Debug)]
pub enum LaneEnd {
    /// Its session never opened.
    Failed(StartError),
    /// Its session ended.
    Ended(EndReason),
}

impl LaneEnd {
    /// The end in a final state; `None` for other states.
    pub(crate) fn of(state: &SessionState) -> Option<Self> {
        match state {
            SessionState::Failed(error) => Some(Self::Failed(error.clone())),
            SessionState::Ended(reason) => Some(Self::Ended(reason.clone())),
            _ => None,
        }
    }
}

impl fmt::Display for LaneEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Ended(reason) => reason.fmt(f),
        }
    }
}

/// Why a flow is over. `Display` is one sentence.
///
/// Only `Finished` and `LocalClosed` end the local connection in order. All others reset it, so that no program takes
/// an incomplete answer for a complete one.
#[derive(Clone, Debug)]
pub enum FlowEnd {
    /// The target closed the connection, and everything it sent was written.
    Finished {
        /// Bytes of the local program that the target can not have taken.
        undelivered_bytes: u64,
    },
    /// The local program closed the connection, and then the target did, or the node was told to.
    LocalClosed,
    /// The node could not connect to the target. It does not say why.
    Refused,
    /// The local connection broke, or its program reset it.
    LocalBroken {
        /// What the system said.
        message: String,
    },
    /// The local program did not take its data while its lane had no room for more.
    TooSlow {
        /// Bytes that waited for it.
        waiting_bytes: u64,
        /// How long its lane was held back for it.
        held: Duration,
    },
    /// The local program had finished sending, and nothing came for the half-close grace.
    SilentAfterFinish,
    /// The local program did not say where it goes, in the way it was asked.
    NotNegotiated {
        /// Why, without a final stop.
        why: String,
    },
    /// What the local program sent was refused by the forward's filter.
    Filtered {
        /// Why, without a final stop.
        reason: String,
    },
    /// The lane that carried it is over.
    LaneLost(LaneEnd),
    /// No lane could be had for it.
    NoLane(LaneEnd),
    /// No lane was open in the time allowed.
    LaneTimeout {
        /// How long it waited.
        waited: Duration,
    },
    /// [`FlowHandle::reset`](super::FlowHandle::reset) was called.
    Reset,
    /// The forward was stopped.
    ForwardStopped,
}

impl FlowEnd {
    /// Whether the local connection was closed in order, with everything delivered that there was.
    pub fn is_orderly(&self) -> bool {
        matches!(self, Self::Finished { .. } | Self::LocalClosed)
    }
}

impl fmt::Display for FlowEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished { undelivered_bytes: 0 } => f.write_str("The target closed the connection."),
            Self::Finished { undelivered_bytes } => write!(
                f,
                "The target closed the connection; {undelivered_bytes} bytes of the local program did not reach it."
            ),
            Self::LocalClosed => f.write_str("The local program closed the connection."),
            Self::Refused => f.write_str("The node could not connect to the target."),
            Self::LocalBroken { message } => write!(f, "The local connection broke: {message}."),
            Self::TooSlow { waiting_bytes, held } => write!(
                f,
                "The local program did not take {waiting_bytes} bytes that held back its session for {} s, so that the connection was cut.",
                held.as_secs()
            ),
            Self::SilentAfterFinish => {
                f.write_str("The local program had finished sending, and no more answer came.")
            }
            Self::NotNegotiated { why } => write!(f, "The connection was not taken: {why}."),
            Self::Filtered { reason } => write!(f, "The connection was refused: {reason}."),
            Self::LaneLost(end) => write!(f, "The session that carried the connection is over. {end}"),
            Self::NoLane(end) => write!(f, "No session could be had for the connection. {end}"),
            Self::LaneTimeout { waited } => {
                write!(f, "No session was open for the connection within {} s.", waited.as_secs())
            }
            Self::Reset => f.write_str("The connection was reset here."),
            Self::ForwardStopped => f.write_str("The forward was stopped."),
        }
    }
}
