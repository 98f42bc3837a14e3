//! What a simulator is started with.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::link_faults::LinkFaults;
use crate::scenario::Scenario;

/// How a simulator behaves. `Default` is the demo fleet on a free loopback port.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// Address to listen on. Default `127.0.0.1:0`, a free port. Only loopback addresses are accepted: the shells
    /// behind it run as the current user.
    pub listen: SocketAddr,
    /// Managed nodes over all accounts and Regions. Default 1,284; at most 2,000,000.
    pub nodes: usize,
    /// Which accounts and Regions there are. Default [`WorldPlan::Demo`].
    pub world: WorldPlan,
    /// Seed of the world: the same seed and number of nodes give the same ids, names and addresses.
    pub seed: u64,
    /// Whether agents send at most one message per millisecond and wait one second before the first output, as
    /// the real agent does (protocol.md 6.4, 7.6). Default `false`.
    pub agent_pacing: bool,
    /// Age at which the gateway closes a client's socket with 1000 `Bye` (protocol.md 2.3). Default 60 minutes;
    /// `None` never.
    pub bye_after: Option<Duration>,
    /// How long a token opens a data channel. Default 60 seconds. A session whose client never attached within
    /// this time is terminated.
    pub token_ttl: Duration,
    /// Whether everything is served over TLS: HTTPS and WSS, with a certificate for `localhost`, `127.0.0.1` and
    /// `::1` from an authority made at the start ([`Simulator::ca_pem`](crate::Simulator::ca_pem)). Default `false`.
    pub tls: bool,
    /// Whether WebSocket upgrades are signed. Default [`UpgradeSigning::Optional`].
    pub upgrade_signing: UpgradeSigning,
    /// Whether stream URLs carry their signature in the query, as those of SageMaker do, and for how long it is good
    /// (protocol.md 1.6 and 2.1). Default `None`: clients sign. With a signature in the header as well an upgrade is
    /// refused.
    pub presigned_urls: Option<Duration>,
    /// The program behind shells. Default [`ShellChoice::Auto`].
    pub shell: ShellChoice,
    /// Time without input or output after which a session is closed (protocol.md 8.7). Default 20 minutes.
    pub idle_timeout: Duration,
    /// Waited before each API answer. Default zero.
    pub latency: Duration,
    /// How long a change of the tier is pending. Default 2 seconds; the real service takes minutes.
    pub tier_settles_after: Duration,
    /// Whether the documented request rates per account-Region are enforced with `ThrottlingException`
    /// (aws-security-reliability.md A.7). Default `false`.
    pub enforce_quotas: bool,
    /// Rates that are enforced instead of the documented or assumed ones. Default none.
    pub rates: Vec<CallRate>,
    /// Whether the demo world's policies apply: inventory of shared-core in ap-northeast-1 is forbidden by an
    /// organization policy, and sessions to a few nodes are denied. Default `true`.
    pub demo_denials: bool,
    /// Whether `POST /_sim/control` and `GET /_sim/sessions` are served, unsigned. Default `false`.
    pub enable_control_http: bool,
    /// Live sessions at most. Default 256. StartSession beyond it is refused.
    pub max_sessions: usize,
    /// Open HTTP connections at most, and open WebSockets at most. Default 1,024. Connections beyond it wait to be
    /// accepted; upgrades beyond it are refused with 503.
    pub max_connections: usize,
    /// What the link between client and agent does to frames, until
    /// [`Control::set_link_faults`](crate::Control::set_link_faults) says otherwise. Default: nothing.
    pub link_faults: LinkFaults,
    /// Where ports of nodes and of hosts beyond them lead; the first one that fits counts. Default none: ports of a
    /// node lead to the same port of this computer's loopback, and hosts beyond it do not exist.
    pub port_routes: Vec<PortRoute>,
    /// In which order an agent in mux mode tells that a connection failed. Default [`PortErrorOrder::FlagFirst`].
    pub port_error_order: PortErrorOrder,
    /// Sessions that ended before the simulator began, over all accounts and Regions and the last 31 days. The service
    /// shows those of 30 days. Default none.
    pub past_sessions: usize,
    /// How long CloudTrail takes until a call can be looked up. Default zero; the real service may take 15 minutes.
    pub trail_delay: Duration,
    /// What happens by itself, and when. Default: nothing.
    pub scenario: Option<Scenario>,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            nodes: 1284,
            world: WorldPlan::Demo,
            seed: 1,
            agent_pacing: false,
            bye_after: Some(Duration::from_secs(60 * 60)),
            token_ttl: Duration::from_secs(60),
            tls: false,
            upgrade_signing: UpgradeSigning::Optional,
            presigned_urls: None,
            shell: ShellChoice::Auto,
            idle_timeout: Duration::from_secs(20 * 60),
            latency: Duration::ZERO,
            tier_settles_after: Duration::from_secs(2),
            enforce_quotas: false,
            rates: Vec::new(),
            demo_denials: true,
            enable_control_http: false,
            max_sessions: 256,
            max_connections: 1024,
            link_faults: LinkFaults::default(),
            port_routes: Vec::new(),
            port_error_order: PortErrorOrder::default(),
            past_sessions: 0,
            trail_delay: Duration::ZERO,
            scenario: None,
        }
    }
}

/// Which accounts and Regions a world has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorldPlan {
    /// Three accounts with 15 account-Regions, as in the pictures of the design.
    #[default]
    Demo,
    /// 14 accounts with three Regions each, all alike.
    Wide,
}

/// How often one operation may be called in each account and Region.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRate {
    /// The operation: "DescribeInstances".
    pub operation: String,
    /// Calls a second.
    pub per_second: f64,
    /// Calls at once, after a pause.
    pub burst: f64,
}

/// What the gateway thinks of a signature on the WebSocket upgrade (aws-security-reliability.md 0.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpgradeSigning {
    /// There may be one, and then it must be right.
    #[default]
    Optional,
    /// There must be one: an unsigned upgrade is refused with 403.
    Required,
    /// There must be none: a signed upgrade is refused with 403, as before signing was introduced.
    Forbidden,
    /// Nobody looks at it.
    Ignored,
}

/// The program an agent runs as a shell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ShellChoice {
    /// `/bin/bash` where there is one, else `sh`; PowerShell for Windows nodes where it is installed; on a Windows
    /// computer PowerShell, else `cmd`.
    #[default]
    Auto,
    /// This program with these arguments, for every node.
    Program {
        /// Path or name.
        program: PathBuf,
        /// Arguments.
        args: Vec<String>,
    },
}

/// Where a port leads that sessions on a node ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRoute {
    /// Id or name of the node; `*` for all.
    pub node: String,
    /// Host as the session names it, in any case: "db.internal", "10.0.0.5"; `localhost` for ports of the node itself.
    /// The node can resolve every host that one of its routes names.
    pub host: String,
    /// Port; `None` for all. Other ports of a host beyond the node refuse connections.
    pub port: Option<u16>,
    /// Where it leads.
    pub target: PortTarget,
    /// How long each connection takes. The agent makes one after the other.
    pub delay: Duration,
}

impl PortRoute {
    /// Whether it leads to this computer's loopback or nowhere.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self.target {
            PortTarget::Address(address) if !address.ip().is_loopback() => {
                Err(format!("a route leads to {address}, which is not a loopback address"))
            }
            _ => Ok(()),
        }
    }
}

/// What answers at a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortTarget {
    /// A server on a loopback address.
    Address(SocketAddr),
    /// A server on a Unix socket.
    #[cfg(unix)]
    Socket(PathBuf),
    /// Nothing listens: refused at once.
    Refused,
    /// There is no way to it: fails at once.
    Unreachable,
    /// Nothing ever answers: fails after 127 seconds, as on Linux.
    Filtered,
}

/// Order of the two signs with which an agent in mux mode tells that a connection failed: the flag
/// ConnectToPortError and the stream's FIN. The real agent's order is by chance (protocol.md 8.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PortErrorOrder {
    /// The flag, then FIN.
    #[default]
    FlagFirst,
    /// FIN, then the flag.
    FinFirst,
}
