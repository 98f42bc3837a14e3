//! The app's end.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, split};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::error::BindError;
use crate::line::Lines;
use crate::message::{Answer, Asked, Event, Refusal, RefusalKind, Reply, Request, Told, VERSION};
use crate::os;

/// Connections served at once; more wait.
const CONNECTIONS: usize = 32;

/// Events waiting for a client that reads slowly; its handler waits then.
const EVENTS: usize = 16;

/// Answers requests. Dropped futures are cancelled requests: their client is gone.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. [`Request::Hello`] never comes here. Events may be sent before the answer.
    fn answer(
        &self,
        request: Request,
        events: Events,
    ) -> impl Future<Output = Result<Answer, Refusal>> + Send;
}

/// Where the events of one request go.
#[derive(Clone, Debug)]
pub struct Events(mpsc::Sender<Event>);

impl Events {
    /// Sends an event, waiting for a slow client.
    pub async fn send(&self, event: Event) {
        // Fails only while the request is being cancelled.
        drop(self.0.send(event).await);
    }
}

/// A bound control socket.
#[derive(Debug)]
pub struct Server {
    listener: os::Listener,
    program: String,
}

impl Server {
    /// Binds in `directory`, which is made with mode 0700 when it is not there. Inside a tokio runtime. `program` is
    /// the app's version for people. What an app that crashed has left is replaced.
    pub fn bind(directory: &Path, program: impl Into<String>) -> Result<Self, BindError> {
        Ok(Self { listener: os::Listener::bind(directory)?, program: program.into() })
    }

    /// Serves until the future is dropped; all requests are cancelled then and the socket is gone.
    pub async fn serve(mut self, handler: Arc<impl Handler>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            // The semaphore is never closed.
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let stream = tokio::select! {
                stream = self.listener.accept() => stream,
                Some(_) = connections.join_next() => continue,
            };
            match stream {
                Ok(stream) => {
                    let (handler, program) = (handler.clone(), self.program.clone());
                    connections.spawn(async move {
                        let _place = place;
                        if let Err(error) = connection(stream, &*handler, &program).await {
                            tracing::debug!(%error, "a control connection ended");
                        }
                    });
                }
                Err(error) => {
                    // Out of file descriptors, mostly: others may be closed meanwhile.
                    tracing::warn!(%error, "the control socket could not accept");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite,
    handler: &impl Handler,
    program: &str,
) -> std::io::Result<()> {
    let (read, mut write) = split(stream);
    let mut read = std::pin::pin!(read);
    let mut lines = Lines::default();
    let mut greeted = false;
    while let Some(line) = lines.read(&mut read).await? {
        let Ok(asked) = serde_json::from_slice::<Asked>(&line) else {
            // Without a number there is nothing to reply to.
            return Ok(());
        };
        let id = asked.id;
        let request = match serde_json::from_value::<Request>(asked.request) {
            Ok(request) => request,
            Err(error) => {
                let message = format!("This version of Fleetline does not know the request: {error}.");
                say(&mut write, id, Reply::Refusal(Refusal::new(RefusalKind::Request, message))).await?;
                continue;
            }
        };
        match request {
            Request::Hello { version: VERSION } => {
                greeted = true;
                let answer = Answer::Hello { version: VERSION, program: program.to_owned() };
                say(&mut write, id, Reply::Answer(answer)).await?;
            }
            Request::Hello { version } => {
                let newer = if version > VERSION { "app" } else { "command line program" };
                let message = format!("The running Fleetline has version {program}; update the {newer}.");
                let refusal = Refusal::new(RefusalKind::Version, message);
                return say(&mut write, id, Reply::Refusal(refusal)).await;
            }
            _ if !greeted => {
                let refusal = Refusal::new(RefusalKind::Version, "The first request must be hello.");
                return say(&mut write, id, Reply::Refusal(refusal)).await;
            }
            request => {
                if !answer(&mut read, &mut lines, &mut write, handler, id, request).await? {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Answers one request. `false` when the client went away meanwhile.
async fn answer(
    read: &mut (impl AsyncRead + Unpin),
    lines: &mut Lines,
    write: &mut (impl AsyncWrite + Unpin),
    handler: &impl Handler,
    id: u64,
    request: Request,
) -> std::io::Result<bool> {
    let (sender, mut events) = mpsc::channel(EVENTS);
    let mut answered = std::pin::pin!(handler.answer(request, Events(sender)));
    let mut early: Option<Vec<u8>> = None;
    loop {
        tokio::select! {
            biased;
            Some(event) = events.recv() => say(write, id, Reply::Event(event)).await?,
            reply = &mut answered => {
                while let Ok(event) = events.try_recv() {
                    say(write, id, Reply::Event(event)).await?;
                }
                say(write, id, reply.map_or_else(Reply::Refusal, Reply::Answer)).await?;
                if let Some(line) = early {
                    lines.unread(line);
                }
                return Ok(true);
            }
            // Requests are answered in turn; only one may wait, so that the end of the client is noticed.
            line = lines.read(read), if early.is_none() => match line? {
                None => return Ok(false),
                line => early = line,
            },
        }
    }
}

async fn say(write: &mut (impl AsyncWrite + Unpin), id: u64, reply: Reply) -> std::io::Result<()> {
    write_line(write, &Told { id, reply }).await
}

/// Writes one message. One that would be too long is not sent.
pub(crate) async fn write_line(
    write: &mut (impl AsyncWrite + Unpin),
    message: &impl Serialize,
) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    if line.len() > crate::LINE_LIMIT {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "a message is too long"));
    }
    write.write_all(&line).await?;
    write.flush().await
}
