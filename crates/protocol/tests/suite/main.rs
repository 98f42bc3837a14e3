//! The protocol crate from outside. `crates/protocol/src/lib.rs` maps the invariants of the protocol reference to
//! these tests.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod bulk;
#[path = "../../fuzz/entries/choices.rs"]
mod choices;
mod cipher;
mod codec;
mod connection;
mod corpus;
mod delivery;
mod handshake;
mod healing;
mod link;
mod mapping;
mod model;
mod mux;
mod mux_frames;
#[path = "../../fuzz/entries/mux_operations.rs"]
mod mux_operations;
mod mux_pipe;
#[path = "../../fuzz/entries/operations.rs"]
mod operations;
mod peer;
mod sealed_pair;
mod sealing;
mod sequencing;
mod shell;
mod vectors;
mod workload;
