//! The one socket option of Windows that no library sets.
#![allow(unsafe_code, reason = "the option has no safe interface")]

use std::io;
use std::os::windows::io::AsRawSocket;

use windows_sys::Win32::Networking::WinSock::{SO_EXCLUSIVEADDRUSE, SOL_SOCKET, setsockopt};

/// No other program of the user may bind the same port, not even with SO_REUSEADDR (SEC-20).
pub(super) fn set_exclusive(socket: &socket2::Socket) -> io::Result<()> {
    let on: i32 = 1;
    let raw = usize::try_from(socket.as_raw_socket()).map_err(io::Error::other)?;
    // SAFETY: the socket is open for as long as it is borrowed, and the value is as long as the call is told.
    let outcome = unsafe {
        setsockopt(raw, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (&raw const on).cast(), size_of::<i32>() as i32)
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
