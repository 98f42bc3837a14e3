//! A socket of mode 0600 in a directory of mode 0700, with the peer's user checked on both ends.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::error::{BindError, ConnectError};

const SOCKET: &str = "control.sock";
const LOCK: &str = "control.lock";

/// Longest path of a socket address on any Unix, without its final zero.
const PATH_LIMIT: usize = 103;

pub(crate) type ClientStream = UnixStream;

/// The bound socket. Gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: UnixListener,
    socket: PathBuf,
    /// Held for as long as the app runs, also when it crashes: the system lets go of it.
    _lock: File,
}

impl Listener {
    pub(crate) fn bind(directory: &Path) -> Result<Self, BindError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| BindError::Io { path, error }
        };
        let socket = directory.join(SOCKET);
        if socket.as_os_str().len() > PATH_LIMIT {
            return Err(BindError::TooLong(socket));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed(directory))?;
        if !is_private(directory).map_err(failed(directory))? {
            return Err(BindError::Unsafe(directory.to_owned()));
        }
        let lock_path = directory.join(LOCK);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(&lock_path).map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BindError::Running),
            Err(TryLockError::Error(error)) => return Err(failed(&lock_path)(error)),
        }
        // With the lock held, a socket that is there is left from a crash.
        match fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&socket)(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&socket).map_err(failed(&socket))?;
        fs::set_permissions(&socket, Permissions::from_mode(0o600)).map_err(failed(&socket))?;
        Ok(Self { listener, socket, _lock: lock })
    }

    /// The next connection of this user; those of others are closed at once.
    pub(crate) async fn accept(&mut self) -> io::Result<UnixStream> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            match stream.peer_cred() {
                Ok(peer) if peer.uid() == me() => return Ok(stream),
                Ok(peer) => tracing::warn!(uid = peer.uid(), "another user tried the control socket"),
                Err(error) => tracing::debug!(%error, "a control connection was gone at once"),
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // The lock is still held, so it is one's own.
        drop(fs::remove_file(&self.socket));
    }
}

pub(crate) async fn connect(directory: &Path) -> Result<UnixStream, ConnectError> {
    match is_private(directory) {
        Ok(true) => {}
        Ok(false) => return Err(ConnectError::Stranger),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ConnectError::NotRunning),
        Err(error) => return Err(error.into()),
    }
    let stream = match UnixStream::connect(directory.join(SOCKET)).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Err(ConnectError::NotRunning);
        }
        Err(error) => return Err(error.into()),
    };
    if stream.peer_cred()?.uid() == me() { Ok(stream) } else { Err(ConnectError::Stranger) }
}

/// Whether it is a directory of this user that nobody else can enter.
fn is_private(directory: &Path) -> io::Result<bool> {
    let meta = fs::symlink_metadata(directory)?;
    Ok(meta.is_dir() && meta.uid() == me() && meta.mode() & 0o077 == 0)
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}
