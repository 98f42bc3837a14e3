//! Forwards: listeners on this computer that lead to nodes and to hosts beyond them.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::CommandError;

/// What a forward leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ForwardKind {
    /// A port of the node.
    Port,
    /// A port of a host that the node reaches.
    RemoteHost,
    /// The remote desktop port of the node.
    Rdp,
    /// Any host that the node reaches, through SOCKS5.
    Socks,
}

/// When a forward has a session at AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ForwardStart {
    /// With the first connection.
    OnDemand,
    /// As soon as it is switched on.
    AtOnce,
    /// As soon as it is switched on, and always: a session that ends is replaced.
    Always,
}

/// Bounds of a forward, and who may use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ForwardLimits {
    /// Most connections at a time, 1 to 4096; default 256. Further ones wait.
    pub connections: u32,
    /// Minutes without a connection after which its sessions are ended, 0 to 1440; 0 never; default 15.
    pub idle_minutes: u32,
    /// Minutes after which it switches itself off, 0 to 10080; 0, the default, never.
    pub time_limit_minutes: u32,
    /// Whether programs of other users of this computer may connect; default not.
    pub other_users: bool,
}

impl Default for ForwardLimits {
    fn default() -> Self {
        Self { connections: 256, idle_minutes: 15, time_limit_minutes: 0, other_users: false }
    }
}

/// Whether requests of web pages are checked before they reach the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ForwardGuard {
    /// When the port is one that web servers use.
    #[default]
    Auto,
    /// Always; what is not HTTP passes untouched all the same.
    On,
    /// Never.
    Off,
}

/// A forward as a person describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ForwardSpec {
    /// Name, 1 to 80 characters.
    pub name: String,
    /// What it leads to.
    pub kind: ForwardKind,
    /// The bundle it is switched with; `None` for none. 1 to 80 characters.
    pub bundle: Option<String>,
    /// Node key, see `NodeRow::key`.
    pub node_key: String,
    /// Host beyond the node; for `RemoteHost` only.
    pub host: Option<String>,
    /// Port on the node or on `host`, 1 to 65535; not for `Socks`. `Rdp` has 3389 unless told otherwise.
    pub port: Option<u16>,
    /// Port to listen on; 0 is any free one, which is kept from then on.
    pub local_port: u16,
    /// IP address to listen on; `None` is loopback, at both families. One that is not loopback lets other computers in
    /// and is confirmed by its text at each start (SEC-20). Not with `socket`, and not for `Rdp`.
    pub bind: Option<String>,
    /// Path of a Unix socket to listen on instead of a port.
    pub socket: Option<String>,
    /// Most lanes, 1 to 16.
    pub lanes: u32,
    /// When it has a session.
    pub start: ForwardStart,
    /// Whether the tray shows it first.
    pub favourite: bool,
    /// Its bounds.
    pub limits: ForwardLimits,
    /// Whether requests of web pages are checked; not for `Socks` and `Rdp`.
    pub guard: ForwardGuard,
}

/// How the list is arranged anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Arrangement {
    /// Gives a bundle another name.
    RenameBundle {
        /// Its name now.
        bundle: String,
        /// Its name from now on, 1 to 80 characters, which no other bundle has.
        name: String,
    },
    /// Takes all forwards out of a bundle; they stay as they are.
    Ungroup {
        /// Its name.
        bundle: String,
    },
    /// Stops and removes all forwards of a bundle.
    RemoveBundle {
        /// Its name.
        bundle: String,
    },
    /// Moves a forward.
    Place {
        /// Which.
        id: String,
        /// The bundle it is in from now on; `None` for none.
        bundle: Option<String>,
        /// The forward of that bundle it comes before; `None` for the end.
        before: Option<String>,
    },
    /// Moves a bundle.
    PlaceBundle {
        /// Its name.
        bundle: String,
        /// The bundle it comes before; `None` for the end.
        before: Option<String>,
    },
}

/// What a forward is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ForwardState {
    /// Switched off.
    Off,
    /// Switched on, and paused with all others.
    Paused,
    /// Listening; the first connection starts a session.
    Idle,
    /// The first session is being started.
    Starting {
        /// What is being waited for, as a sentence.
        step: String,
    },
    /// At least one session is open.
    Active,
    /// All sessions lost their channel and are being resumed; connections are kept.
    Reconnecting {
        /// Why, in a sentence.
        cause: String,
        /// Whether nothing happens until the user signs in or tries again.
        awaits_retry: bool,
    },
    /// Listening, and the last attempt to have a session or to reach the destination failed.
    Failed {
        /// Why.
        problem: CommandError,
        /// When it is tried again by itself.
        next_try_ms: Option<f64>,
    },
    /// Switched on, and not listening: it would let other computers in, which is confirmed at each start.
    Exposes {
        /// The address to be typed.
        address: String,
    },
    /// Not listening: the local end cannot be had.
    PortInUse {
        /// The port.
        port: u16,
        /// Who holds it, in a sentence.
        holder: String,
        /// The next port that is free.
        next_free: Option<u16>,
    },
}

/// A forward in the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ForwardRow {
    /// Opaque id.
    pub id: String,
    /// How it is described.
    pub spec: ForwardSpec,
    /// Whether it is switched on.
    pub on: bool,
    /// What it is doing.
    pub state: ForwardState,
    /// Name of the node.
    pub node_name: String,
    /// Node id.
    pub node_id: String,
    /// Account name.
    pub account_name: String,
    /// Region.
    pub region: String,
    /// Where it listens, `127.0.0.1:5433` or a path; where it would, while it does not.
    pub local: String,
    /// Where it leads, `host:port`; empty for SOCKS.
    pub remote: String,
    /// Open connections.
    pub connections: u32,
    /// Sessions that carry it.
    pub lanes: u32,
    /// Bytes per second from the node, over the last second.
    pub rate_down: f64,
    /// Bytes per second to the node.
    pub rate_up: f64,
    /// `rate_down` of each of the last 60 seconds, oldest first; empty while nothing moves.
    pub recent_down: Vec<f64>,
    /// When it switches itself off; `None` while it does not run, or without a time limit.
    pub ends_ms: Option<f64>,
}

/// Forwards as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Forwards {
    /// In order of bundles, then as they were made.
    pub rows: Vec<ForwardRow>,
    /// Whether all are paused.
    pub paused: bool,
}

/// A session that carries a forward.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LaneRow {
    /// Number, from 1, never used again in one forward.
    pub number: u32,
    /// Session id once AWS granted one.
    pub session_id: Option<String>,
    /// What it is doing, as a word or a sentence.
    pub state: String,
    /// Whether it is open.
    pub open: bool,
    /// Where it leads, where connections choose that.
    pub to: Option<String>,
    /// Connections on it.
    pub connections: u32,
    /// Round trip to the node's agent, once measured.
    pub rtt_ms: Option<f64>,
    /// Times its channel was lost and got back.
    pub resumes: u32,
}

/// A connection through a forward.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionRow {
    /// Number, never used again in one forward.
    pub number: f64,
    /// The program that connected, if it is known; else its address.
    pub client: String,
    /// Its port on this computer.
    pub from_port: Option<u16>,
    /// Where it goes, `host:port`, where programs choose that.
    pub to: Option<String>,
    /// Bytes moved, both ways together.
    pub bytes: f64,
    /// Since when.
    pub opened_ms: f64,
    /// The lane that carries it; `None` while it waits for one.
    pub lane: Option<u32>,
}

/// How an event is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ForwardEventLevel {
    /// Something began or is as it should be.
    Good,
    /// Something ended as it should.
    Neutral,
    /// Something was lost and is being mended.
    Warn,
    /// Something failed.
    Bad,
}

/// Something that happened to a forward.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ForwardEventRow {
    /// When.
    pub at_ms: f64,
    /// How it is to be read.
    pub level: ForwardEventLevel,
    /// What happened, in a sentence, with its cause.
    pub text: String,
}

/// Everything about one forward.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ForwardDetail {
    /// Its row.
    pub row: ForwardRow,
    /// Every address it listens on.
    pub listening: Vec<String>,
    /// Since when it listens.
    pub since_ms: Option<f64>,
    /// Its lanes, oldest first.
    pub lanes: Vec<LaneRow>,
    /// Its connections, busiest first, 100 at most.
    pub connections: Vec<ConnectionRow>,
    /// What happened, newest first, 200 at most.
    pub events: Vec<ForwardEventRow>,
    /// `rate_up` of each of the last 60 seconds, oldest first.
    pub recent_up: Vec<f64>,
    /// Bytes from the node since it was switched on.
    pub bytes_down: f64,
    /// Bytes to the node since it was switched on.
    pub bytes_up: f64,
}

/// Texts to copy for using a forward elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ForwardTexts {
    /// `127.0.0.1:5433`.
    pub address: String,
    /// A URL or connection string for what is probably behind the port; `None` where nothing is known of it.
    pub url: Option<String>,
    /// The `fleetline forward` command.
    pub command: String,
}
