//! The protocol crate from outside. `crates/protocol/src/lib.rs` maps the invariants of the protocol reference to
//! these tests.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod bulk;
mod cipher;
mod codec;
mod connection;
mod corpus;
mod delivery;
mod handshake;
mod healing;
mod link;
mod mapping;
mod mux;
mod mux_frames;
mod mux_pipe;
mod peer;
mod sealed_pair;
mod sealing;
mod sequencing;
mod shell;
mod vectors;
mod workload;
