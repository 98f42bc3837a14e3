//! Sessions over real sockets.

pub mod ports;
