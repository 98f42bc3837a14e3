//! Failures of the simulator itself, as opposed to those it simulates.

use std::io;
use std::net::SocketAddr;

/// Why a simulator could not start or write its files.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The configuration cannot be honoured.
    #[error("invalid simulator configuration: {0}")]
    Config(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Cause.
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// The AWS configuration files cannot be written.
    #[error("cannot write {path}: {source}")]
    WriteConfig {
        /// The file or directory.
        path: String,
        /// Cause.
        source: io::Error,
    },
}
