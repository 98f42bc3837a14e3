//! The contract between the Rust core and the user interface: plain data, no logic.
//!
//! Every type here crosses the bridge as JSON in camel case, and as a TypeScript type generated from it.
//! Rules that hold for all of them: counters and times are `f64` or `u32` because JSON numbers are; times are
//! milliseconds of the Unix epoch; ids are opaque strings; no type carries a secret (SEC-04) but
//! `hybrid::RevealedCode`, which a person asks to see. Events carry
//! whole state with a `version` that only grows, so a late event can be dropped.

pub mod access;
pub mod account;
pub mod audit;
pub mod book;
pub mod connect;
pub mod desktop;
pub mod document;
pub mod error;
pub mod event;
pub mod fleet;
pub mod forward;
pub mod history;
pub mod hybrid;
pub mod ladder;
pub mod link;
pub mod recording;
pub mod replay;
pub mod secrets;
pub mod session;
pub mod session_log;
pub mod settings;
pub mod ssh;
pub mod system;
pub mod terminal;

pub use error::{CommandError, ErrorCode};
