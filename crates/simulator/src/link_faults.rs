//! What the link between client and agent does to frames.

use std::time::Duration;

use serde::Deserialize;

use crate::span;

/// Misbehaviour of the link between client and agent, each direction for itself. Default: none.
///
/// Messages the gateway makes itself (`start_publication`, `pause_publication`, `channel_closed`) are not touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkFaults {
    /// From the agent to the client.
    pub to_client: FrameFaults,
    /// From the client to the agent.
    pub to_agent: FrameFaults,
}

impl LinkFaults {
    /// The same faults in both directions.
    pub fn both(faults: FrameFaults) -> Self {
        Self { to_client: faults, to_agent: faults }
    }
}

/// Misbehaviour of one direction. Rates are in parts per thousand frames, acknowledgements included, and drawn with
/// the simulator's seed. Reordering and duplication are seen on the real gateway (protocol.md 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FrameFaults {
    /// Frames lost.
    pub drop_per_mille: u16,
    /// Frames delivered twice.
    pub duplicate_per_mille: u16,
    /// Frames delivered after the one that follows them, or 50 ms late if none follows.
    pub reorder_per_mille: u16,
    /// Frames with one bit changed, in the header as often as in the payload.
    ///
    /// Only bits whose change a receiver can notice or ignore are touched. In the header these are all but sequence
    /// number and payload type, which nothing protects. Agents do not check digests (protocol.md 3.3), so toward
    /// them only header length, message type, message id and payload length change.
    pub corrupt_per_mille: u16,
    /// Frames cut off somewhere, even within the header.
    pub truncate_per_mille: u16,
    /// Frames before which a text message comes. Toward clients only.
    pub text_per_mille: u16,
    /// Frames before which a frame of an unknown message type comes.
    pub unknown_per_mille: u16,
    /// Frames before which a `pause_publication` comes that is padded with NULs and has neither date nor digest
    /// (protocol.md 3.3). Toward clients only.
    pub padded_per_mille: u16,
    /// Time each frame is on its way.
    #[serde(deserialize_with = "span::deserialize")]
    pub delay: Duration,
    /// Added to `delay`, between nothing and this. Frames do not overtake each other by it.
    #[serde(deserialize_with = "span::deserialize")]
    pub jitter: Duration,
    /// Bytes a second that fit through; 0 is no limit.
    pub bytes_per_second: u32,
}
