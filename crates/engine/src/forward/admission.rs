//! Who may connect to a forward.

use std::fmt;

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
}

/// Lets every connection in.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdmitAll;

impl Admission for AdmitAll {
    fn admit(&self, _: &Arrival) -> Result<(), String> {
        Ok(())
    }
}
