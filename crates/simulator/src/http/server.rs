//! Accepts connections, a bounded number at a time.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::route::route;
use super::wire::Wire;
use crate::shared::Shared;

/// How long a client may take for the TLS handshake.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);

/// Serves until the simulator stops.
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    let slots = Arc::new(Semaphore::new(shared.config.max_connections.max(1)));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = connection(Arc::clone(&shared), stream);
                shared.tasks.spawn(async move {
                    connection.await;
                    drop(slot);
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: waiting is all that helps.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// The connection to speak HTTP on, after the TLS handshake where there is one.
async fn secured(shared: &Shared, stream: TcpStream) -> Option<Wire> {
    let Some(tls) = &shared.tls else { return Some(Wire::plain(stream)) };
    match tokio::time::timeout(HANDSHAKE_WAIT, tls.acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(Wire::secure(stream)),
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS handshake failed");
            None
        }
        Err(_) => None,
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let stop = shared.stop.clone();
    let wire = tokio::select! {
        wire = secured(&shared, stream) => wire,
        () = stop.cancelled() => return,
    };
    let Some(wire) = wire else { return };
    let faults = wire.faults();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        request.extensions_mut().insert(faults.clone());
        route(shared, request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(wire), service)
        .with_upgrades();
    tokio::pin!(serving);
    let result = tokio::select! {
        result = &mut serving => result,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            // An idle connection ends at once, a busy one after its answer.
            tokio::time::timeout(Duration::from_secs(1), serving).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "connection ended with an error");
    }
}
