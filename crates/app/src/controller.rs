//! The controller.

use tokio::sync::mpsc;

use crate::handle::AppHandle;
use crate::ports::Ports;

/// Requests that may wait for the controller; beyond it callers wait.
const WAITING_REQUESTS: usize = 256;

/// Starts the application on the current tokio runtime. It ends after `app_quit`, or when every handle is dropped.
pub fn start(ports: Ports) -> AppHandle {
    let (sender, mut requests) = mpsc::channel(WAITING_REQUESTS);
    tokio::spawn(async move {
        let _ports = ports;
        while requests.recv().await.is_some() {}
    });
    AppHandle::new(sender)
}
