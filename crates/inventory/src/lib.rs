//! Managed nodes in memory.

pub mod node;
pub mod ports;
