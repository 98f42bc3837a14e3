//! The user's OpenSSH configuration (SEC-70 to SEC-73).
//!
//! One `Include` line at the top of `~/.ssh/config` and one file of our own beside it. Everything else in the user's
//! file stays byte for byte, and removing leaves the file as it was before.

mod apply;
mod edit;
mod own_file;
mod verify;

pub use apply::{Applied, SshConfig, SshConfigError};
pub use edit::{IncludeLine, install, remove};
pub(crate) use own_file::quoted_word;
pub use own_file::{Alias, Dialect, HostEntry, OwnFile, OwnFileError};
