//! Foreign clients and how they are started against a forward.
//!
//! A [`rdp::LaunchPlan`] is data: an absolute program, its arguments, what goes to its standard input, and a file it
//! needs. It never goes through a shell and never carries a secret in an argument or a file (SEC-60, SEC-62).
//! [`ssh_config`] changes the user's OpenSSH configuration by one line and takes it back exactly. [`password`] decrypts
//! what EC2 keeps for Windows nodes with the user's own key.

pub mod desktop_entry;
pub mod password;
mod private_file;
pub mod rdp;
pub mod scheme;
pub mod ssh;
pub mod ssh_config;
pub mod ssh_key;

pub use private_file::ClientFile;
