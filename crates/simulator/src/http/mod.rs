//! The HTTP front: connections, routing, and how answers look.

pub(crate) mod auth;
pub(crate) mod failure;
pub(crate) mod reply;
pub(crate) mod route;
pub(crate) mod server;
pub(crate) mod wire;
