//! What sessions of every kind are used for in the simulations. Each workload knows what must arrive.

mod basic;
mod bytes;
mod command;
mod mux;
mod stdio;

pub(crate) use basic::BasicPort;
pub(crate) use bytes::{ByteStreams, random_bytes};
pub(crate) use command::Command;
pub(crate) use mux::MuxStreams;
pub(crate) use stdio::Stdio;

use fleetline_protocol::{ClientEvent, CloseReason};

/// What must not come: the session goes on until the gateway ends it.
fn unexpected(event: &ClientEvent) -> ! {
    panic!("unexpected {event:?}")
}

/// Checks that the gateway's own words ended the session.
fn assert_closed_by_service(reason: &CloseReason, said: &str) {
    assert_eq!(reason, &CloseReason::ByService { output: said.to_owned() });
}
