//! What a forward leads to and how it is run.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::ports::StartSession;
use crate::session::{SessionLimits, SessionOptions};

use super::admission::{Admission, AdmitAll};
use super::filter::Screen;
use super::negotiation::Negotiator;

/// Forwards to a port of the node itself (protocol.md 1.8).
pub const PORT_FORWARDING_DOCUMENT: &str = "AWS-StartPortForwardingSession";
/// Forwards to a port of a remote host; needs agent 3.1.1374 or newer (protocol.md 1.8).
pub const REMOTE_HOST_DOCUMENT: &str = "AWS-StartPortForwardingSessionToRemoteHost";
/// Forwards to a port of the node for clients whose local end is a Unix socket (protocol.md 1.8). The local end is
/// [`Listen::Unix`] whatever the document says.
pub const SOCKET_DOCUMENT: &str = "AWS-StartPortForwardingSessionToSocket";

/// Where the flows of a forward end, seen from the node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// A port of the node.
    Port(u16),
    /// A port of a host that the node reaches. The name is resolved by the node, once for each lane.
    RemoteHost {
        /// Name or address.
        host: String,
        /// Port, not 0.
        port: u16,
    },
    /// Wherever each local program wants to go, asked by [`ForwardOptions::negotiator`]. Each destination has lanes of
    /// its own.
    Chosen,
}

impl Destination {
    /// A host and port that a local program named. What is the node's own loopback is a port of the node: agents refuse
    /// it as a remote host (protocol.md 8.6).
    pub(crate) fn named(host: String, port: u16) -> Self {
        let is_loopback = host.eq_ignore_ascii_case("localhost") || host == "127.0.0.1" || host == "::1";
        if is_loopback { Self::Port(port) } else { Self::RemoteHost { host, port } }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(f, "localhost:{port}"),
            Self::RemoteHost { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::RemoteHost { host, port } => write!(f, "{host}:{port}"),
            Self::Chosen => f.write_str("any host"),
        }
    }
}

/// A forward to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardRequest {
    /// Node id or other target string.
    pub target: String,
    /// What to connect to.
    pub destination: Destination,
    /// Document to use instead of the one that fits the destination; it must take `portNumber` and, for remote
    /// hosts, `host`. Documents whose sessions do not multiplex work too, with one flow for each lane.
    pub document: Option<String>,
    /// Parameters besides `portNumber` and `host`.
    pub parameters: Vec<(String, Vec<String>)>,
    /// Reason shown to auditors.
    pub reason: Option<String>,
}

impl ForwardRequest {
    /// A forward to a port of the node.
    pub fn to_port(target: impl Into<String>, port: u16) -> Self {
        Self::new(target.into(), Destination::Port(port))
    }

    /// A forward to a port of a host that the node reaches.
    pub fn to_remote_host(target: impl Into<String>, host: impl Into<String>, port: u16) -> Self {
        Self::new(target.into(), Destination::RemoteHost { host: host.into(), port })
    }

    /// A forward whose connections say where they go; see [`Destination::Chosen`].
    pub fn to_chosen(target: impl Into<String>) -> Self {
        Self::new(target.into(), Destination::Chosen)
    }

    fn new(target: String, destination: Destination) -> Self {
        Self { target, destination, document: None, parameters: Vec::new(), reason: None }
    }

    /// What each lane asks AWS for. Where connections choose, it has neither host nor port.
    pub fn start_session(&self) -> StartSession {
        self.start_session_to(&self.destination)
    }

    /// What each lane to a destination asks AWS for.
    pub(crate) fn start_session_to(&self, destination: &Destination) -> StartSession {
        let (document, host, port) = match destination {
            Destination::Port(port) => (PORT_FORWARDING_DOCUMENT, None, Some(port)),
            Destination::RemoteHost { host, port } => (REMOTE_HOST_DOCUMENT, Some(host), Some(port)),
            Destination::Chosen => (REMOTE_HOST_DOCUMENT, None, None),
        };
        let mut parameters = Vec::new();
        parameters.extend(port.map(|port| ("portNumber".to_owned(), vec![port.to_string()])));
        parameters.extend(host.map(|host| ("host".to_owned(), vec![host.clone()])));
        parameters.extend(self.parameters.iter().cloned());
        StartSession {
            target: self.target.clone(),
            document: Some(self.document.clone().unwrap_or_else(|| document.to_owned())),
            parameters,
            reason: self.reason.clone(),
        }
    }
}

/// A local end of a forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// 127.0.0.1 and, on computers that have it, ::1, both on one port. Port 0 picks one that is free on both.
    Loopback {
        /// Port, or 0.
        port: u16,
    },
    /// Exactly these addresses, all on one port. Port 0 picks one that is free on all of them. Addresses that are not
    /// loopback let other computers in; whoever offers that must warn first (SEC-20).
    Addresses {
        /// At least one.
        addresses: Vec<IpAddr>,
        /// Port, or 0.
        port: u16,
    },
    /// A Unix socket, only for its owner: mode 0600 in a directory that only its owner may enter (SEC-22), which is
    /// made if it is missing. A socket that nobody listens on any more is replaced; anything else in its place is an
    /// error. Not on Windows.
    Unix {
        /// Path of the socket; systems allow about 100 bytes.
        path: PathBuf,
    },
}

impl Listen {
    /// Whether other computers may reach it.
    pub fn is_exposed(&self) -> bool {
        match self {
            Self::Loopback { .. } | Self::Unix { .. } => false,
            Self::Addresses { addresses, .. } => addresses.iter().any(|address| !address.is_loopback()),
        }
    }
}

/// When a forward has sessions at AWS. Its listeners are there from start to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LaneStart {
    /// The first flow starts the first lane, and waits for it about a second.
    #[default]
    OnDemand,
    /// A lane starts with the forward, so that what is wrong shows at once. When AWS ends it, as it does after the
    /// idle time-out, the next flow starts another.
    AtOnce,
    /// As `AtOnce`, and a lane that ends is replaced at once, with growing pauses while that fails.
    Always,
}

/// How many sessions carry a forward (DESIGN.md 4, "Lanes").
///
/// Agents send at most one message of 1024 bytes per millisecond and session, so that several sessions carry more
/// than one. A flow stays on the lane it was opened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanePolicy {
    /// Lanes to have from the first flow on, and to keep when idle. Default 1; with 0 the last is retired too.
    pub min: usize,
    /// Most lanes at a time. Default 4; not below `min`.
    pub max: usize,
    /// Flows that one lane should carry; with more, lanes are added before any is saturated. Default 16.
    pub flows_per_lane: usize,
    /// Messages per second from the agent at which a lane counts as saturated. Default 300: agents pause a
    /// millisecond after each message and reach 400 to 800.
    pub saturated_at: u32,
    /// How long a flow waits for a lane that is being started while all others are saturated or full. Default 750 ms.
    pub wait_for_lane: Duration,
    /// How long a lane beyond `min` may have no flows until it is ended. Default 60 s.
    pub retire_after: Duration,
    /// How long the last lanes may have no flows until they are ended too, and the next flow starts another. `None`,
    /// the default, leaves that to the idle time-out of AWS. Not for [`LaneStart::Always`].
    pub retire_last_after: Option<Duration>,
}

impl Default for LanePolicy {
    fn default() -> Self {
        Self {
            min: 1,
            max: 4,
            flows_per_lane: 16,
            saturated_at: 300,
            wait_for_lane: Duration::from_millis(750),
            retire_after: Duration::from_secs(60),
            retire_last_after: None,
        }
    }
}

/// Bounds of a forward, and how long its flows are borne with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowLimits {
    /// Flows at a time; further connections wait in the listeners' backlogs. Default 256.
    pub flows: usize,
    /// Bytes from the local program that wait for their lane, for each flow. Default 64 KiB.
    pub up_bytes: usize,
    /// Bytes from the node that wait for local programs, for each lane. Default 6 MiB.
    ///
    /// A flow may use all of it while the others leave it. Beyond it the lane is held back as long as no other flow
    /// needs it, and then the flow with the most is cut: see [`FlowEnd::TooSlow`](super::FlowEnd::TooSlow).
    pub down_bytes: usize,
    /// How long a lane that is held back may wait for the local program that holds it. Default 60 s: an agent
    /// forgets what it cannot send after about 100 s.
    pub stall_patience: Duration,
    /// How long the other flows of a lane that is held back may wait. Default 1 s.
    pub share_patience: Duration,
    /// How long a flow whose local program has finished sending waits for the rest of the answer without anything
    /// happening. Default 30 s. The node is not told that the program has finished: the protocol has no half-close
    /// (protocol.md 8.5).
    pub half_close_grace: Duration,
    /// How long a flow waits for a session when none is open. Default 30 s.
    pub lane_patience: Duration,
}

impl Default for FlowLimits {
    fn default() -> Self {
        Self {
            flows: 256,
            up_bytes: 64 * 1024,
            down_bytes: 6 * 1024 * 1024,
            stall_patience: Duration::from_secs(60),
            share_patience: Duration::from_secs(1),
            half_close_grace: Duration::from_secs(30),
            lane_patience: Duration::from_secs(30),
        }
    }
}

/// How a forward is run.
#[derive(Clone, Debug)]
pub struct ForwardOptions {
    /// Its local ends; may be empty for a forward that is only used by [`Forward::connect`](super::Forward::connect).
    /// Default loopback with a port of the system's choice.
    pub listen: Vec<Listen>,
    /// When it has sessions.
    pub start: LaneStart,
    /// How many.
    pub lanes: LanePolicy,
    /// Its bounds.
    pub limits: FlowLimits,
    /// Who may connect.
    pub admission: Arc<dyn Admission>,
    /// How programs are asked where they go; needed for [`Destination::Chosen`] and of no use otherwise. Default none.
    pub negotiator: Option<Arc<dyn Negotiator>>,
    /// Most lanes at a time over all destinations that programs choose. Default 32. At the limit an idle lane of another
    /// destination makes room; while there is none, connections wait.
    pub chosen_lanes: usize,
    /// Looks at what programs send before it goes to the node. Default none.
    pub screen: Option<Arc<dyn Screen>>,
    /// How its sessions are run. `limits` of it: input bytes are not used, the send window counts for each lane and
    /// is 1 MiB by default here, output bytes are those a lane holds back, 256 KiB by default here.
    pub session: SessionOptions,
}

impl Default for ForwardOptions {
    fn default() -> Self {
        let limits = SessionLimits {
            send_window_bytes: 1024 * 1024,
            output_bytes: 256 * 1024,
            ..SessionLimits::default()
        };
        Self {
            listen: vec![Listen::Loopback { port: 0 }],
            start: LaneStart::default(),
            lanes: LanePolicy::default(),
            limits: FlowLimits::default(),
            admission: Arc::new(AdmitAll),
            negotiator: None,
            chosen_lanes: 32,
            screen: None,
            session: SessionOptions { limits, ..SessionOptions::default() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_parameters_follow_the_destination() {
        let port = ForwardRequest::to_port("i-1", 5432).start_session();
        assert_eq!(port.document.as_deref(), Some(PORT_FORWARDING_DOCUMENT));
        assert_eq!(port.parameters, [("portNumber".to_owned(), vec!["5432".to_owned()])]);

        let mut request = ForwardRequest::to_remote_host("i-1", "db.internal", 3306);
        let host = request.start_session();
        assert_eq!(host.document.as_deref(), Some(REMOTE_HOST_DOCUMENT));
        assert_eq!(host.parameters.last(), Some(&("host".to_owned(), vec!["db.internal".to_owned()])));

        assert_eq!(Destination::named("LocalHost".to_owned(), 80), Destination::Port(80));
        assert_eq!(Destination::named("fd00::5".to_owned(), 80).to_string(), "[fd00::5]:80");

        request.document = Some("Ours".to_owned());
        request.parameters.push(("x".to_owned(), vec!["1".to_owned()]));
        let own = request.start_session();
        assert_eq!((own.document.as_deref(), own.parameters.len()), (Some("Ours"), 3));
    }

    #[test]
    fn only_addresses_beyond_loopback_are_exposed() {
        let listen = |address: &str| Listen::Addresses { addresses: vec![address.parse().unwrap()], port: 0 };
        assert!(!listen("127.0.0.2").is_exposed() && !listen("::1").is_exposed());
        assert!(
            listen("0.0.0.0").is_exposed() && listen("::").is_exposed() && listen("192.0.2.1").is_exposed()
        );
    }
}
