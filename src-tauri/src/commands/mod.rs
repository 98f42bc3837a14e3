//! The commands of the interface. Each is one statement that forwards to the application: what it may do and what it
//! refuses is decided there.

pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod app;
pub(crate) mod connect;
pub(crate) mod desktop;
pub(crate) mod document;
pub(crate) mod fleet;
pub(crate) mod forward;
pub(crate) mod history;
pub(crate) mod recording;
pub(crate) mod secrets;
pub(crate) mod session_log;
pub(crate) mod system;
pub(crate) mod tab;
pub(crate) mod terminal;
