//! Remote desktops of nodes: whose certificate it is, the password EC2 keeps, and the client that shows it.
//!
//! The desktop is always reached through a forward of ours on loopback. What is done here is the same for the window
//! and for `fleetline rdp`; the order is: look at the certificate, get the password if it is to come from EC2, start the
//! client.

mod certificate;
mod client;
pub(crate) mod options;
mod password;
mod pins;

pub use certificate::{CertificateError, certificate};
pub use client::{
    ClientEnd, RunningClient, StartFailed, chosen, desktop, end, installed, rdp_file_for, start,
};
pub use password::administrator_password;
pub(crate) use password::expanded;
pub use pins::Pins;

pub use fleetline_launch::password::WindowsPassword;
pub use fleetline_launch::rdp::{CertificatePin, Client, Desktop, PasswordRoute, Screen, Trust, UserName};

/// Where Windows has its remote desktop.
pub const RDP_PORT: u16 = 3389;

/// Who signs in with a password of EC2's, unless somebody else is named.
pub const ADMINISTRATOR: &str = "Administrator";
