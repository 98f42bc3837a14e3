//! Counters of one mux session.

/// What a mux session has counted since it was made. For diagnosis, not for decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MuxStats {
    /// Bytes handed in, headers included.
    pub bytes_in: u64,
    /// Bytes given out, headers included.
    pub bytes_out: u64,
    /// Data bytes given to the owner.
    pub data_bytes_in: u64,
    /// Data bytes put into frames.
    pub data_bytes_out: u64,
    /// Streams opened or accepted.
    pub streams_opened: u64,
    /// Streams of the peer refused: too many, or the peer is a server.
    pub streams_refused: u64,
    /// Streams that the peer finished.
    pub streams_finished: u64,
    /// Streams reset here, for whatever reason.
    pub streams_reset: u64,
    /// Data bytes for streams that are over or never were; dropped, as the protocol wants.
    pub stray_bytes: u64,
    /// Keep-alives of the peer.
    pub nops_in: u64,
    /// Keep-alives made.
    pub nops_out: u64,
    /// Window updates of version 2, skipped.
    pub window_updates_in: u64,
}
