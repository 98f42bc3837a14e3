//! A named pipe with a name nobody can guess, written into a file of the user's own directory: whoever can read it
//! is the user. The pipe itself can be written to by its owner only, which is Windows' default for a pipe.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};
use uuid::Uuid;

use crate::error::{BindError, ConnectError};

const NAME: &str = "control.pipe";
const LOCK: &str = "control.lock";

/// Longest content of the name's file.
const NAME_LIMIT: usize = 200;

/// All instances of the pipe are taken; another is made in a moment.
const PIPE_BUSY: i32 = 231;

pub(crate) type ClientStream = NamedPipeClient;

/// The bound pipe.
#[derive(Debug)]
pub(crate) struct Listener {
    pipe: String,
    /// The instance the next client gets.
    next: NamedPipeServer,
    file: PathBuf,
    /// Held for as long as the app runs.
    _lock: File,
}

impl Listener {
    pub(crate) fn bind(directory: &Path) -> Result<Self, BindError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| BindError::Io { path, error }
        };
        fs::create_dir_all(directory).map_err(failed(directory))?;
        let meta = fs::symlink_metadata(directory).map_err(failed(directory))?;
        if !meta.is_dir() {
            return Err(BindError::Unsafe(directory.to_owned()));
        }
        let lock_path = directory.join(LOCK);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let lock = options.open(&lock_path).map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BindError::Running),
            Err(TryLockError::Error(error)) => return Err(failed(&lock_path)(error)),
        }
        let pipe = format!(r"\\.\pipe\fleetline-{}", Uuid::new_v4());
        let next = instance(&pipe, true).map_err(failed(directory))?;
        let file = directory.join(NAME);
        fs::write(&file, &pipe).map_err(failed(&file))?;
        Ok(Self { pipe, next, file, _lock: lock })
    }

    /// The next connection.
    pub(crate) async fn accept(&mut self) -> io::Result<NamedPipeServer> {
        self.next.connect().await?;
        // The next instance exists before this one is given away, so that the pipe always does.
        let next = instance(&self.pipe, false)?;
        Ok(std::mem::replace(&mut self.next, next))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A name that stays leads nowhere.
        drop(fs::remove_file(&self.file));
    }
}

fn instance(pipe: &str, first: bool) -> io::Result<NamedPipeServer> {
    ServerOptions::new().first_pipe_instance(first).reject_remote_clients(true).create(pipe)
}

pub(crate) async fn connect(directory: &Path) -> Result<NamedPipeClient, ConnectError> {
    let name = match fs::read_to_string(directory.join(NAME)) {
        Ok(name) => name,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ConnectError::NotRunning),
        Err(error) => return Err(error.into()),
    };
    if name.len() > NAME_LIMIT || !name.starts_with(r"\\.\pipe\fleetline-") {
        return Err(ConnectError::Stranger);
    }
    for _ in 0..50 {
        match ClientOptions::new().open(&name) {
            Ok(pipe) => return Ok(pipe),
            Err(error) if error.raw_os_error() == Some(PIPE_BUSY) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ConnectError::NotRunning),
            Err(error) => return Err(error.into()),
        }
        // There is no signal for a free instance but the next try.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Err(ConnectError::Io(io::ErrorKind::TimedOut.into()))
}
