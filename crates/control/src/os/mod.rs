//! Sockets on Unix, named pipes on Windows. Both are found through a directory only their user can enter.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::{ClientStream, Listener, connect};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::{ClientStream, Listener, connect};
