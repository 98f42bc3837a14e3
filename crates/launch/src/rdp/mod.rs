//! Remote desktops: which client there is, the file it reads, and how it is started (SEC-60 to SEC-64).

mod certificate;
mod client;
mod credential;
mod file;
mod plan;
mod remmina;
mod start;
mod user;

pub use certificate::{CertificatePin, NEGOTIATION_REQUEST, Negotiation, NoPin, Trust, read_negotiation};
pub use client::{Client, Environment, FreeRdpVersion, Here, System, detect};
pub use credential::Credential;
pub use file::{RDP_KEYS, rdp_file};
pub use plan::{LaunchPlan, PasswordRoute, PlanFile, PlanRefused, plan};
pub use start::Started;
pub use user::UserName;

use std::net::SocketAddr;

/// Size of a desktop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// The whole screen.
    #[default]
    Full,
    /// A window of this size in pixels, each 200 to 8192.
    Window {
        /// Width.
        width: u16,
        /// Height.
        height: u16,
    },
}

/// A desktop to open. Nothing of this computer is shared unless it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desktop {
    /// Our listener; always loopback.
    pub address: SocketAddr,
    /// The node, for titles.
    pub title: String,
    /// Who signs in; `None` lets the client ask.
    pub user: Option<UserName>,
    /// The user's Windows domain.
    pub domain: Option<UserName>,
    /// Size.
    pub screen: Screen,
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
    /// The certificate the node must show; `None` when it was never seen.
    pub pin: Option<CertificatePin>,
}

impl Desktop {
    /// A desktop behind a listener, with nothing shared.
    pub fn new(address: SocketAddr, title: impl Into<String>) -> Self {
        Self {
            address,
            title: title.into(),
            user: None,
            domain: None,
            screen: Screen::default(),
            all_monitors: false,
            clipboard: false,
            drives: false,
            printers: false,
            sound: false,
            keep_awake: true,
            pin: None,
        }
    }
}

#[cfg(test)]
mod tests;
