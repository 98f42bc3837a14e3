//! What is said, in JSON. Fields nobody knows are ignored; requests nobody knows are refused by name.

use serde::{Deserialize, Serialize};

/// The version of this protocol. Both ends must speak the same; the older one says so.
pub const VERSION: u32 = 1;

/// A numbered request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Chosen by the client; the reply has the same.
    pub(crate) id: u64,
    /// What is asked for; read in a second step, so that an unknown one can be refused by its number.
    pub(crate) request: serde_json::Value,
}

/// A numbered reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) id: u64,
    #[serde(flatten)]
    pub(crate) reply: Reply,
}

/// The kinds of replies. An event is followed by more; the others are the last of their number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    Answer(Answer),
    Refusal(Refusal),
    Event(Event),
}

/// What the command line program asks of the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// The first thing said on a connection. Answered by [`Answer::Hello`].
    Hello {
        /// [`VERSION`] of the client.
        version: u32,
    },
    /// What is running. Answered by [`Answer::Status`].
    Status,
    /// All forwards. Answered by [`Answer::Forwards`].
    Forwards,
    /// Run the forward of the app that does the same; an app without one refuses with [`RefusalKind::NotFound`], and the
    /// program runs it itself. Answered by [`Answer::Started`].
    StartForward {
        /// Which.
        forward: ForwardSpec,
    },
    /// Run a saved forward, proxy, desktop's forward or bundle of the app. A bundle is answered by [`Answer::Done`], the others
    /// by [`Answer::Started`]; what the app does not have, it refuses with [`RefusalKind::NotFound`].
    RunProfile {
        /// Its id.
        profile: String,
    },
    /// Stop a forward. Answered by [`Answer::Done`].
    StopForward {
        /// Its id.
        forward: String,
    },
    /// Events of a forward, then [`Answer::Done`] when it has stopped.
    Follow {
        /// Its id.
        forward: String,
    },
    /// Follow links into the app, or not any more; without `on`, only ask. Answered by [`Answer::Links`].
    Links {
        /// What is wished.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<bool>,
    },
    /// Bring the window to the front. Answered by [`Answer::Done`].
    Show,
}

/// A forward as the command line describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardSpec {
    /// AWS profile; absent: the app looks in all it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Region; absent: as for the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Node id, or a name that only one node has.
    pub target: String,
    /// Remote host behind the node; absent: the node itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Remote port; absent: a SOCKS5 proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Where it listens.
    pub listen: Listen,
    /// Most sessions it is spread over; absent: the app's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lanes: Option<u16>,
}

/// Where a forward listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listen {
    /// At both loopback addresses; port 0 takes a free one.
    Loopback {
        /// The port.
        port: u16,
    },
    /// At one address.
    Address {
        /// The IP address.
        address: std::net::IpAddr,
        /// The port.
        port: u16,
    },
    /// At a Unix socket.
    Unix {
        /// Its absolute path.
        path: String,
    },
}

/// What the app answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Answer {
    /// The app is there and speaks this version.
    Hello {
        /// [`VERSION`] of the app.
        version: u32,
        /// The app's own version, for people.
        program: String,
    },
    /// What is running.
    Status(StatusRow),
    /// All forwards in the order of their list.
    Forwards {
        /// The forwards.
        forwards: Vec<ForwardRow>,
    },
    /// A forward runs.
    Started {
        /// Which.
        forward: ForwardRow,
        /// Whether it was running before.
        existing: bool,
    },
    /// How it is with links into the app.
    Links(LinksRow),
    /// It is done, or over.
    Done,
}

/// What is running.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRow {
    /// Whether it is the demo fleet.
    pub demo: bool,
    /// Open shells.
    pub shells: u32,
    /// Forwards switched on.
    pub forwards: u32,
}

/// How it is with links into the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinksRow {
    /// Whether the app follows them, after asking.
    pub on: bool,
    /// Who gets them, in a word: nobody, us, another, bundle, unknown.
    pub opener: String,
    /// The other program, or what stood in the way of finding out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A forward as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is doing, in a word: off, idle, starting, active, reconnecting, paused, failing.
    pub state: String,
    /// Why, when something is wrong: one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Local ends: `127.0.0.1:5432`, or the path of a socket.
    pub local: Vec<String>,
    /// Where it leads: node, or node and remote host.
    pub remote: String,
    /// Connections it carries.
    pub connections: u32,
}

/// Something happened to a followed forward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, in milliseconds of the Unix epoch.
    pub at_ms: i64,
    /// The forward afterwards.
    pub forward: ForwardRow,
    /// What happened: one sentence.
    pub message: String,
}

/// A request that is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Who is at fault.
    pub kind: RefusalKind,
    /// One sentence.
    pub message: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// Who is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The versions of the two ends differ.
    Version,
    /// The request is unknown, or makes no sense.
    Request,
    /// There is no such forward, profile or node, or more than one.
    NotFound,
    /// AWS denied it.
    Denied,
    /// The node takes no session.
    NotConnectable,
    /// Something on this computer, as a port in use.
    Local,
    /// Nobody is signed in.
    Credentials,
    /// The network.
    Network,
    /// Too many at once.
    Busy,
    /// Anything else, also kinds a newer end knows.
    #[serde(other)]
    Other,
}
