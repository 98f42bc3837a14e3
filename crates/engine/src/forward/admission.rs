//! Who may connect to a forward.

use std::fmt;
use std::time::Instant;

use super::listen::LocalAddress;

/// A connection that a listener accepted and nobody has looked at yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrival {
    /// The listener it came to.
    pub listener: LocalAddress,
    /// Where it came from; `None` for Unix sockets.
    pub peer: Option<std::net::SocketAddr>,
}

/// Decides about each connection before a byte of it is read. A refused one is reset and named in the forward's
/// history.
pub trait Admission: fmt::Debug + Send + Sync + 'static {
    /// Lets the connection in, or says why not, in a sentence without a final stop. Called in the listener's task, so
    /// it must not wait for anything.
    ///
    /// # Errors
    /// The reason.
    fn admit(&self, arrival: &Arrival) -> Result<(), String>;

    /// What looks at the bytes of a connection that was let in; `None`, the default, where nothing does.
    fn guard(&self, _: &Arrival) -> Option<Box<dyn Guard>> {
        None
    }
}

/// Looks at what a local program sends before any of it goes to the node. One for each connection; it keeps no clock.
pub trait Guard: fmt::Debug + Send + 'static {
    /// Takes what the program has sent. What it does not pass on it keeps until later.
    fn input(&mut self, now: Instant, bytes: &[u8]) -> Guarded;

    /// The program has sent its last byte.
    fn finish(&mut self) -> Guarded;

    /// When [`timeout`](Self::timeout) is to be called, as long as nothing else comes.
    fn deadline(&self) -> Option<Instant>;

    /// The deadline has passed.
    fn timeout(&mut self, now: Instant) -> Guarded;
}

/// What a guard does with what it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guarded {
    /// These go on to the node.
    pub bytes: Vec<u8>,
    /// The connection ends here.
    pub refused: Option<Refused>,
}

/// A guard ended a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Told to the program before the connection is closed; may be empty.
    pub answer: Vec<u8>,
    /// Why, in a sentence without a final stop.
    pub reason: String,
}

/// Lets every connection in.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdmitAll;

impl Admission for AdmitAll {
    fn admit(&self, _: &Arrival) -> Result<(), String> {
        Ok(())
    }
}
