//! Port sessions (protocol.md 8): bytes of TCP connections, one at a time (basic) or many (mux).
//!
//! One thing differs from the real agent on purpose: a server that takes no more bytes leaves input unacknowledged,
//! but acknowledgements of the client are still looked at. The real agent's read loop blocks there for everything.

mod basic;
mod destination;
mod flow;
mod mux;

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use super::program::{Activity, StartError};
use super::{Job, version};
use crate::documents::PortProgram;
use crate::shared::Shared;
use basic::BasicPort;
use destination::{Connection, Destination};
use mux::MuxPort;

pub(super) use destination::Origin;

/// Flag: the client's local connection has ended (protocol.md 4.3).
const DISCONNECT_TO_PORT: u32 = 1;
/// Flag: the client ends the session.
const TERMINATE_SESSION: u32 = 2;

/// A connection that is being made.
type Dial = Pin<Box<dyn Future<Output = Result<Connection, String>> + Send>>;

/// Begins to connect.
fn dial(destination: &Arc<Destination>) -> Dial {
    let destination = Arc::clone(destination);
    Box::pin(async move { destination.dial().await })
}

/// The program of a port session.
#[derive(Debug)]
pub(super) struct RunningPort {
    mode: Mode,
    knows_terminate_flag: bool,
}

#[derive(Debug)]
enum Mode {
    Basic(Box<BasicPort>),
    Mux(Box<MuxPort>),
}

impl RunningPort {
    /// Starts in the mode that versions and document ask for (protocol.md 8.1).
    pub(super) fn start(
        shared: &Arc<Shared>,
        job: &Job,
        port: &PortProgram,
        client_version: &str,
    ) -> Result<Self, StartError> {
        let agent_version = job.origin.agent_version.as_str();
        let number = match port.port.as_str() {
            "" => return Err(StartError("Port number is empty".to_owned())),
            text => text.parse().map_err(|_| {
                StartError(format!(
                    "Unable to connect to specified port: dial tcp: address {text}: invalid port"
                ))
            })?,
        };
        let routes = shared.live.port_routes();
        let destination = Destination::resolve(&routes, &job.origin, &port.host, number)
            .map_err(|forbidden| StartError(forbidden.to_string()))?;
        let destination = Arc::new(destination);
        let runs_mux = port.is_forwarding
            && fleetline_protocol::client_runs_mux(agent_version)
            && fleetline_protocol::agent_runs_mux(client_version);
        let mode = if runs_mux {
            let keeps_alive = fleetline_protocol::agent_keeps_mux_alive(client_version)
                || fleetline_protocol::client_keeps_mux_alive(agent_version);
            Mode::Mux(Box::new(MuxPort::new(Arc::clone(shared), destination, keeps_alive)))
        } else {
            Mode::Basic(Box::new(BasicPort::new(Arc::clone(shared), destination, port.is_forwarding)))
        };
        Ok(Self { mode, knows_terminate_flag: version::knows_terminate_flag(agent_version) })
    }

    pub(super) fn input(&mut self, bytes: Bytes) {
        match &mut self.mode {
            Mode::Basic(port) => port.input(bytes),
            Mode::Mux(port) => port.input(bytes),
        }
    }

    pub(super) fn flag(&mut self, flag: u32) {
        let terminates = flag == TERMINATE_SESSION && self.knows_terminate_flag;
        match &mut self.mode {
            Mode::Basic(port) if terminates => port.terminate(),
            Mode::Mux(port) if terminates => port.terminate(),
            Mode::Basic(port) if flag == DISCONNECT_TO_PORT => port.disconnect(),
            // What else a flag may say means nothing here.
            Mode::Basic(_) | Mode::Mux(_) => {}
        }
    }

    /// Waits for the next thing that happens; output has at most `room` bytes.
    pub(super) async fn next(&mut self, room: usize) -> Activity {
        match &mut self.mode {
            Mode::Basic(port) => port.next(room).await,
            Mode::Mux(port) => port.next(room).await,
        }
    }
}
