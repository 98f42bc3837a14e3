//! What a mux session tells its owner.

use std::fmt;

use bytes::Bytes;

use super::frame::{MuxFrameError, MuxStreamId};

/// What happened in a mux session, in order. The last event of a stream is `Finished`, `Released` or `Reset`; none
/// follows a call of [`reset`](super::MuxSession::reset), and `Closed` stands for all streams still open.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MuxEvent {
    /// The client opened a stream. Servers only.
    Opened(MuxStreamId),
    /// Bytes of the peer. Counts against the budgets until [`consumed`](super::MuxSession::consumed).
    Data {
        /// The stream.
        id: MuxStreamId,
        /// The bytes; never empty.
        bytes: Bytes,
    },
    /// [`write`](super::MuxSession::write) took less than it was given; now half of the send budget is free.
    Writable(MuxStreamId),
    /// The peer sent FIN after its last byte: it neither sends nor takes anything any more.
    Finished {
        /// The stream.
        id: MuxStreamId,
        /// Bytes written here that were not sent and never will be. Bytes sent may be lost too.
        unsent_bytes: usize,
    },
    /// Everything written before [`finish`](super::MuxSession::finish) is out, and FIN with it. What the peer sends
    /// from now on is not taken.
    Released(MuxStreamId),
    /// The stream ended here before the peer finished: what was received may be incomplete.
    Reset {
        /// The stream.
        id: MuxStreamId,
        /// Why.
        reason: MuxResetReason,
    },
    /// The session is over, and why. Comes once, as the last event.
    Closed(MuxCloseReason),
}

impl fmt::Debug for MuxEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened(id) => write!(f, "Opened({id})"),
            Self::Data { id, bytes } => write!(f, "Data({id}, {} bytes)", bytes.len()),
            Self::Writable(id) => write!(f, "Writable({id})"),
            Self::Finished { id, unsent_bytes } => write!(f, "Finished({id}, {unsent_bytes} bytes unsent)"),
            Self::Released(id) => write!(f, "Released({id})"),
            Self::Reset { id, reason } => write!(f, "Reset({id}, {reason:?})"),
            Self::Closed(reason) => write!(f, "Closed({reason:?})"),
        }
    }
}

/// Why a stream was ended on this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MuxResetReason {
    /// Its reader was too slow while the budget of the session was used up.
    #[error("the reader left {unconsumed_bytes} bytes waiting and the session has no room for more")]
    Overrun {
        /// Bytes received and not consumed, with those that did not fit any more.
        unconsumed_bytes: usize,
    },
    /// This side had finished, and nothing happened for the idle grace.
    #[error("nothing came after this side had finished")]
    IdleAfterFinish,
}

/// Why a mux session is over. The first reason wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MuxCloseReason {
    /// The owner called [`close`](super::MuxSession::close).
    #[error("closed here")]
    ByOwner,
    /// The peer does not speak smux version 1.
    #[error("the peer broke the mux protocol: {0}")]
    Frame(MuxFrameError),
    /// No frame came for the time-out of the keep-alive.
    #[error("the peer of the mux session is silent")]
    PeerSilent,
    /// The peer makes more streams than the answers to them can be sent.
    #[error("the peer floods the mux session with streams")]
    Flooded,
}

/// Why a stream cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MuxOpenError {
    /// The session is over.
    #[error("the mux session is over")]
    Closed,
    /// Only clients open streams.
    #[error("servers do not open mux streams")]
    NotAClient,
    /// As many streams as allowed are there, or the ends of earlier ones wait to be sent; try again later.
    #[error("the limit of {limit} mux streams is reached")]
    TooManyStreams {
        /// The limit.
        limit: usize,
    },
    /// Every id was used; a new session is needed.
    #[error("all ids of mux streams are used up")]
    IdsExhausted,
}

/// Why a stream takes no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MuxWriteError {
    /// There is no such stream (any more).
    #[error("the mux stream is over")]
    Over,
    /// This side has finished.
    #[error("the mux stream was finished on this side")]
    Finished,
}
