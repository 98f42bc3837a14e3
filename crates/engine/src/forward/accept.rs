//! Accepting local connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::sleep;

use super::admission::{Admission, Arrival};
use super::flow::LocalStream;
#[cfg(unix)]
use super::flow::Plain;
use super::listen::{Bound, Listener};
use super::registry::Registry;

/// Pause after the system refused a connection, as it does without free file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// The task of a listener. While the forward has as many flows as it may, one connection waits here and further ones
/// in the backlog of the system.
pub(super) async fn run(bound: Bound, registry: Arc<Registry>, admission: Arc<dyn Admission>) {
    let stop = registry.stop.clone();
    let mut has_failed = false;
    loop {
        let accepted = tokio::select! {
            accepted = accept(&bound.listener) => accepted,
            () = stop.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if !std::mem::replace(&mut has_failed, true) {
                    registry.history.note(format!("{} accepts no connection: {error}", bound.address));
                }
                sleep(PAUSE).await;
                continue;
            }
        };
        has_failed = false;
        let arrival = Arrival { listener: bound.address.clone(), peer };
        if let Err(reason) = admission.admit(&arrival) {
            let from = peer.map_or_else(|| "a connection".to_owned(), |peer| peer.to_string());
            registry.not_admitted(format!("{from} was not let in at {}: {reason}", bound.address));
            stream.prepare_reset();
            continue;
        }
        let room = tokio::select! {
            room = registry.room() => room,
            () = stop.cancelled() => None,
        };
        let Some(room) = room else {
            stream.prepare_reset();
            return;
        };
        let label = peer.map_or_else(|| bound.address.to_string(), |peer| peer.to_string());
        registry.begin_flow(stream, label, Some(bound.address.clone()), room);
    }
}

async fn accept(
    listener: &Listener,
) -> std::io::Result<(Box<dyn LocalStream>, Option<std::net::SocketAddr>)> {
    match listener {
        Listener::Tcp(listener) => {
            let (stream, peer) = listener.accept().await?;
            tune(&stream);
            Ok((Box::new(stream), Some(peer)))
        }
        #[cfg(unix)]
        Listener::Unix(socket) => {
            let (stream, _) = socket.listener.accept().await?;
            Ok((Box::new(Plain(stream)), None))
        }
    }
}

/// Small writes go out at once.
pub(super) fn tune(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
}
