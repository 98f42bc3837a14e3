//! The command line program's end.

use std::path::Path;

use tokio::io::{ReadHalf, WriteHalf, split};

use crate::error::{AskError, ConnectError};
use crate::line::Lines;
use crate::message::{Answer, Asked, Event, Refusal, RefusalKind, Reply, Request, Told, VERSION};
use crate::os;
use crate::server::write_line;

/// A connection to the running app. Requests are asked one after the other.
#[derive(Debug)]
pub struct Client {
    read: ReadHalf<os::ClientStream>,
    write: WriteHalf<os::ClientStream>,
    lines: Lines,
    last: u64,
    program: String,
}

impl Client {
    /// Connects to the app that has bound in `directory` and greets it.
    pub async fn connect(directory: &Path) -> Result<Self, ConnectError> {
        let (read, write) = split(os::connect(directory).await?);
        let mut client = Self { read, write, lines: Lines::default(), last: 0, program: String::new() };
        match client.ask(Request::Hello { version: VERSION }).await {
            Ok(Answer::Hello { version: VERSION, program }) => {
                client.program = program;
                Ok(client)
            }
            Ok(other) => Err(ConnectError::Protocol(format!("{other:?} instead of a greeting"))),
            Err(AskError::Refused(refusal)) => Err(ConnectError::Version(refusal)),
            // It was on its way out.
            Err(AskError::Ended) => Err(ConnectError::NotRunning),
            Err(AskError::Io(error)) => Err(error.into()),
            Err(AskError::Protocol(text)) => Err(ConnectError::Protocol(text)),
        }
    }

    /// The app's version, for people.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Asks and waits for the answer. Events on the way are dropped.
    pub async fn ask(&mut self, request: Request) -> Result<Answer, AskError> {
        let id = self.send(request).await?;
        loop {
            match self.reply(id).await? {
                Reply::Answer(answer) => return Ok(answer),
                Reply::Refusal(refusal) => return Err(AskError::Refused(refusal)),
                Reply::Event(_) => {}
            }
        }
    }

    /// Follows a forward. Dropping what it returns ends the connection, and with it the following.
    pub async fn follow(mut self, forward: String) -> Result<Follow, AskError> {
        let id = self.send(Request::Follow { forward }).await?;
        Ok(Follow { client: self, id })
    }

    async fn send(&mut self, request: Request) -> Result<u64, AskError> {
        self.last += 1;
        let request = serde_json::to_value(request).map_err(|e| AskError::Protocol(e.to_string()))?;
        write_line(&mut self.write, &Asked { id: self.last, request }).await.map_err(gone)?;
        Ok(self.last)
    }

    async fn reply(&mut self, id: u64) -> Result<Reply, AskError> {
        let line = self.lines.read(&mut self.read).await.map_err(gone)?.ok_or(AskError::Ended)?;
        let told: Told = serde_json::from_slice(&line).map_err(|e| AskError::Protocol(e.to_string()))?;
        if told.id == id {
            Ok(told.reply)
        } else {
            Err(AskError::Protocol(format!("a reply to request {} instead of {id}", told.id)))
        }
    }
}

/// The events of a forward.
#[derive(Debug)]
pub struct Follow {
    client: Client,
    id: u64,
}

impl Follow {
    /// The next event; `None` when the forward has stopped.
    pub async fn next(&mut self) -> Result<Option<Event>, AskError> {
        match self.client.reply(self.id).await? {
            Reply::Event(event) => Ok(Some(event)),
            Reply::Answer(_) => Ok(None),
            Reply::Refusal(refusal) => Err(AskError::Refused(refusal)),
        }
    }
}

/// An app that is gone is no failure of its own.
fn gone(error: std::io::Error) -> AskError {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, InvalidData};
    match error.kind() {
        BrokenPipe | ConnectionReset => AskError::Ended,
        InvalidData => AskError::Protocol(error.to_string()),
        _ => AskError::Io(error),
    }
}

impl From<AskError> for Refusal {
    /// For callers that only tell people.
    fn from(error: AskError) -> Self {
        match error {
            AskError::Refused(refusal) => refusal,
            other => Self::new(RefusalKind::Local, format!("{other}.")),
        }
    }
}
