//! Remote desktops of nodes: what there is to choose, and what became of opening one. No type here carries a password.

use serde::{Deserialize, Serialize};
use specta::Type;

/// A program that shows remote desktops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DesktopClient {
    /// The first that is found.
    Auto,
    /// Windows' own.
    Mstsc,
    /// Windows App or Microsoft Remote Desktop.
    WindowsApp,
    /// FreeRDP 2 or 3.
    FreeRdp,
    /// Remmina.
    Remmina,
}

/// A client on this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DesktopClientRow {
    /// Which.
    pub client: DesktopClient,
    /// Its name for people: "FreeRDP 3".
    pub name: String,
    /// Whether it can be handed a password; otherwise the user pastes it.
    pub takes_password: bool,
}

/// Size of a desktop's window in pixels, each side 200 to 8192.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DesktopWindow {
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
}

/// How a node's desktop is shown. Kept with its forward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DesktopOptions {
    /// The client to start.
    pub client: DesktopClient,
    /// Who signs in; empty lets the client ask.
    pub user: String,
    /// Windows domain of the user; may be empty.
    pub domain: String,
    /// Private key file of the node's key pair, with which the password of EC2 is decrypted; empty: the client asks.
    pub key_file: String,
    /// Size of its window; `None` is the whole screen.
    pub window: Option<DesktopWindow>,
    /// Over all monitors.
    pub all_monitors: bool,
    /// Shares the clipboard.
    pub clipboard: bool,
    /// Shares local drives.
    pub drives: bool,
    /// Shares printers.
    pub printers: bool,
    /// Plays its sound here.
    pub sound: bool,
    /// Goes on drawing while minimised, so that the session does not fall idle.
    pub keep_awake: bool,
}

/// What there is to choose for a node's desktop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DesktopInfo {
    /// Source (AWS profile) of the node.
    pub source: String,
    /// Clients on this computer, the preferred one first.
    pub clients: Vec<DesktopClientRow>,
    /// What holds for the node: what was kept, or the defaults of the profile file.
    pub options: DesktopOptions,
    /// Port of the desktop on the node.
    pub port: u16,
    /// The local port that is kept for the node; 0 when it has none yet.
    pub local_port: u16,
    /// Whether EC2 may keep an administrator's password: only EC2 nodes have one.
    pub may_have_password: bool,
    /// The certificate that was trusted, as 64 hexadecimal digits.
    pub certificate: Option<String>,
}

/// A desktop to be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DesktopOpen {
    /// Node key, see `NodeRow::key`.
    pub node_key: String,
    /// How it is shown.
    pub options: DesktopOptions,
    /// Port of the desktop on the node, 1 to 65535.
    pub port: u16,
    /// Local port; 0 is any free one, which is kept for the node from then on.
    pub local_port: u16,
    /// Only opens the port, and starts no client.
    pub port_only: bool,
    /// The certificate that is trusted although it is another one than before, as 64 hexadecimal digits.
    pub accept_certificate: Option<String>,
}

/// What became of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DesktopPassword {
    /// None was asked for: the client asks the user.
    None,
    /// The client was handed it.
    Handed,
    /// The client cannot be handed it. It can be copied once.
    ToCopy,
}

/// What became of opening a desktop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "outcome", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum DesktopOutcome {
    /// Its client runs, or its port is open.
    Opened {
        /// Id of its forward.
        forward: String,
        /// `127.0.0.1:13389`.
        address: String,
        /// The client that was started.
        client: Option<String>,
        /// What became of the password.
        password: DesktopPassword,
        /// The certificate, when it was seen for the first time and is trusted from now on.
        first_certificate: Option<String>,
    },
    /// The node shows another certificate than before. Nothing was started.
    CertificateChanged {
        /// The one that was trusted.
        before: String,
        /// The one it shows now.
        now: String,
    },
}
