//! The protocol crate from outside. `crates/protocol/src/lib.rs` maps the invariants of the protocol reference to
//! these tests.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod codec;
mod connection;
mod corpus;
mod delivery;
mod handshake;
mod link;
mod mapping;
mod peer;
mod sequencing;
mod shell;
mod vectors;
