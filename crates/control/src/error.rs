//! How the two ends fail.

use std::io;
use std::path::PathBuf;

use crate::message::Refusal;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another app of this user runs with this directory.
    #[error("another Fleetline is running")]
    Running,
    /// The directory belongs to somebody else, is a link, or others may enter it.
    #[error("{} is not a directory only this user can enter", .0.display())]
    Unsafe(PathBuf),
    /// The path of the socket does not fit into a socket address.
    #[error("{} is too long for a socket", .0.display())]
    TooLong(PathBuf),
    /// Anything else.
    #[error("{} could not be used: {error}", .path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No app is running: do it alone.
    #[error("no Fleetline is running")]
    NotRunning,
    /// Somebody else's program answers, or others may enter the directory. Nothing was said to it.
    #[error("the control socket does not belong to this user alone")]
    Stranger,
    /// The app speaks another version.
    #[error("{}", .0.message)]
    Version(Refusal),
    /// Anything else.
    #[error("the running Fleetline could not be reached: {0}")]
    Io(#[from] io::Error),
    /// It answered, but not as it should.
    #[error("the running Fleetline answered strangely: {0}")]
    Protocol(String),
}

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The app said no.
    #[error("{0}")]
    Refused(Refusal),
    /// The app went away.
    #[error("Fleetline ended")]
    Ended,
    /// The connection failed.
    #[error("the running Fleetline could not be reached: {0}")]
    Io(#[from] io::Error),
    /// It answered, but not as it should.
    #[error("the running Fleetline answered strangely: {0}")]
    Protocol(String),
}
