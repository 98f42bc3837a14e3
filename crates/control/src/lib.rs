//! The control socket: how the command line program speaks with the running app, so that one forward is never opened
//! twice by the same user.
//!
//! The app [`Server::bind`]s in a directory only its user can enter and answers with a [`Handler`]; the program
//! [`Client::connect`]s and [`Client::ask`]s. Both ends check that the other runs for the same user. Messages are JSON, one
//! a line, bounded, and begin with a greeting that agrees on the version. Nothing secret is ever said here.

mod client;
mod error;
mod line;
mod message;
mod os;
mod server;

pub use client::{Client, Follow};
pub use error::{AskError, BindError, ConnectError};
pub use message::{
    Answer, Event, ForwardRow, ForwardSpec, LinksRow, Listen, Refusal, RefusalKind, Request, StatusRow,
    VERSION,
};
pub use server::{Events, Handler, Server};

/// Longest message, in bytes with its line end.
pub const LINE_LIMIT: usize = 256 * 1024;
