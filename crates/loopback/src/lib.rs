//! What stands at the local end of a forward, besides the forward itself.
//!
//! Loopback has no user boundary and every web page can reach it. So a listener asks [`owner`] whose program connects
//! and lets a [`guard::BrowserGuard`] look at HTTP requests; [`port`] finds out who holds a port; [`socks`] speaks SOCKS5.
//!
//! Guard and SOCKS5 do no IO: bytes go in, decisions come out. Only [`owner`] and [`port`] ask the operating system.

pub mod guard;
pub mod owner;
pub mod port;
pub mod socks;
