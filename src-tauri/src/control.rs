//! The socket by which the command line program finds this app.

use std::path::Path;
use std::sync::Arc;

use fleetline_app::{AppHandle, Remote};
use fleetline_control::Server;

/// Answers the command line program until the runtime ends. Without a socket it runs everything itself, which costs
/// nothing but a second session. Inside the work runtime.
pub(crate) fn serve(directory: &Path, app: &AppHandle) {
    match Server::bind(directory, env!("CARGO_PKG_VERSION")) {
        Ok(server) => {
            tokio::spawn(server.serve(Arc::new(Remote::new(app.clone()))));
        }
        Err(error) => tracing::warn!(%error, "the command line program will not find this app"),
    }
}
