use crate::json::TerminalSize;
use crate::sealing::ClientSealing;

/// How a client's channel behaves. Made by [`ClientConfig::new`], then changed field by field.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Version reported to the gateway and the agent: four numbers with dots. Agents choose features by it; below
    /// 1.2.331 tunnels break (protocol.md 5.8). Default `1.2.764.0`.
    pub client_version: String,
    /// Seeds every id the channel makes. Must be random in real use and different for every channel.
    pub seed: [u8; 32],
    /// Unacknowledged bytes, headers included, beyond which [`send`](super::ClientChannel::send) takes no more.
    /// Default 1 MiB.
    pub send_window_bytes: usize,
    /// Data bytes delivered but not yet [`consumed`](super::ClientChannel::consumed) beyond which messages are
    /// neither acknowledged nor delivered. Default 4 MiB.
    pub receive_budget_bytes: usize,
    /// Bytes of messages parked for lack of an earlier one or of receive budget; beyond it they are dropped
    /// unacknowledged. The real agent goes on sending behind a lost message, and repeats what was dropped at ten
    /// messages a second, so that this should be large. Default 16 MiB.
    pub reorder_bytes: usize,
    /// Messages parked for lack of an earlier one. Default 16,384; the official client has 10,000.
    pub reorder_messages: usize,
    /// Most payload bytes in one message of sessions other than `Port`, whose input is small and wants to leave at
    /// once; and of `Port` sessions until larger ones are proven. Default 1024, as the official client.
    pub payload_bytes: usize,
    /// Most payload bytes in one message of a `Port` session, once a probe has shown that the peer takes them. Agents
    /// are known to take 128 KiB (protocol.md 6.4, performance.md). Default 16 KiB; 1024 or less sends small ones
    /// only, for a peer that [refused](crate::LargeMessages::Refused) large ones in an earlier session.
    pub port_payload_bytes: usize,
    /// Whether an earlier session has [proven](crate::LargeMessages::Proven) that the peer takes messages of
    /// `port_payload_bytes`, so that none is probed for. Default false.
    pub port_payload_is_proven: bool,
    /// Takes the place of `send_window_bytes` in `Port` sessions: at a round trip of 100 ms it lets 20 MB/s through
    /// for each 2 MiB. Default 2 MiB.
    pub port_send_window_bytes: usize,
    /// Bytes that a `Port` session takes ahead of the socket, within its window: what is urgent on one flow waits
    /// behind so much of the others. Default 256 KiB, but always room for one message.
    pub port_unsent_bytes: usize,
    /// Size of the terminal, for sessions that may get a pty. Default none.
    pub terminal: Option<TerminalSize>,
    /// How often one message may be sent before the channel closes with
    /// [`RetransmitsExhausted`](super::CloseReason::RetransmitsExhausted). Default 300, about five minutes of an
    /// open socket.
    pub transmission_limit: u32,
    /// What it takes to seal a session that must be encrypted with a KMS key. Default none: such a session is
    /// refused with [`SealingUnsupported`](super::HandshakeFailure::SealingUnsupported).
    pub sealing: Option<ClientSealing>,
}

impl ClientConfig {
    /// The defaults, with `seed` as the source of ids.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            client_version: "1.2.764.0".to_owned(),
            seed,
            send_window_bytes: 1024 * 1024,
            receive_budget_bytes: 4 * 1024 * 1024,
            reorder_bytes: 16 * 1024 * 1024,
            reorder_messages: 16_384,
            payload_bytes: 1024,
            port_payload_bytes: 16 * 1024,
            port_payload_is_proven: false,
            port_send_window_bytes: 2 * 1024 * 1024,
            port_unsent_bytes: 256 * 1024,
            terminal: None,
            transmission_limit: 300,
            sealing: None,
        }
    }
}
