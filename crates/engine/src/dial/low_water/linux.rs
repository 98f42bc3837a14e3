//! The one socket option of Linux that no library sets.
#![allow(unsafe_code, reason = "the option has no safe interface")]

use std::io;
use std::os::fd::AsRawFd;

use tokio::net::TcpStream;

pub(super) fn set(stream: &TcpStream, bytes: usize) -> io::Result<bool> {
    let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    let size = libc::socklen_t::try_from(size_of_val(&bytes)).map_err(io::Error::other)?;
    // SAFETY: the socket is open for as long as it is borrowed, and the value is as long as the call is told.
    let outcome = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVLOWAT,
            (&raw const bytes).cast(),
            size,
        )
    };
    if outcome == 0 { Ok(true) } else { Err(io::Error::last_os_error()) }
}
