//! The tray menu as a plain value: a function of the state, drawn by the shell.

mod action;
mod menu;
#[cfg(test)]
mod tests;
pub(crate) mod words;

use fleetline_ipc::system::Language;

pub use action::{ForwardAction, TrayAction};
pub use menu::{Item, Menu, TrayIcon, menu};

/// What the tray menu is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrayState {
    /// Live shells: tab id and node name, in tab order.
    pub shells: Vec<TrayShell>,
    /// Forwards that run, are switched on, are favourites or are in a bundle, in the order of their list.
    pub forwards: Vec<TrayForward>,
    /// Bundles, in the order of their list.
    pub bundles: Vec<TrayBundle>,
    /// Whether all forwards are paused.
    pub paused: bool,
    /// Whether this is the demo fleet.
    pub demo: bool,
    /// Whether a fleet is open, so that there are nodes to connect to.
    pub started: bool,
    /// The language of the window.
    pub language: Language,
    /// A sign-in that ends soon or is over, in a few words.
    pub ending: Option<String>,
}

/// A live shell as the tray names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrayShell {
    /// Tab id.
    pub tab: String,
    /// Node name.
    pub name: String,
    /// What it is doing.
    pub state: ShellState,
}

/// What a live shell is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShellState {
    /// Being opened.
    Connecting,
    /// Bytes flow.
    Connected,
    /// Being resumed.
    Reconnecting,
}

/// A forward as the tray names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrayForward {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its local end in a few characters: the port, or the last part of a socket's path.
    pub local: String,
    /// Whether it is listed also when it does nothing.
    pub favourite: bool,
    /// Whether its switch is on. It may be on and paused, or on and failing.
    pub on: bool,
    /// What it is doing.
    pub state: ForwardState,
}

/// What a forward is doing (DESIGN-UI 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardState {
    /// Switched off.
    Off,
    /// Listens; no session yet.
    Idle,
    /// Its session is being opened.
    Starting,
    /// A session is open.
    Active {
        /// Connections it carries now.
        connections: usize,
    },
    /// Its sessions are being brought back.
    Reconnecting {
        /// Connections that wait.
        connections: usize,
    },
    /// Switched on, and waiting for the end of the pause.
    Paused,
    /// Another program has its port.
    PortInUse,
    /// It would let other computers in, and waits for a confirmation.
    Exposes,
    /// Its last attempt failed; new connections are refused or retried.
    Failed {
        /// Why, in a few words: "port 6380 closed".
        cause: String,
    },
}

impl ForwardState {
    /// Connections it carries or holds now.
    pub fn connections(&self) -> usize {
        match self {
            Self::Active { connections } | Self::Reconnecting { connections } => *connections,
            _ => 0,
        }
    }

    /// Whether a session is open or being opened.
    fn is_running(&self) -> bool {
        matches!(self, Self::Starting | Self::Active { .. } | Self::Reconnecting { .. })
    }

    /// Whether somebody should look at it.
    fn needs_attention(&self) -> bool {
        matches!(self, Self::PortInUse | Self::Exposes | Self::Failed { .. })
    }
}

/// A bundle as the tray names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrayBundle {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Ids of its forwards, in its order; unknown ones are left out.
    pub members: Vec<String>,
}
