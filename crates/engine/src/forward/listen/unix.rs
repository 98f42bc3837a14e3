//! Unix sockets, for their owner only (SEC-22).

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use super::{Bound, ListenError, ListenProblem, Listener, LocalAddress};

/// A listening socket and its file, which goes when this is dropped unless something else has taken its place.
#[derive(Debug)]
pub(crate) struct SocketFile {
    pub(crate) listener: UnixListener,
    path: PathBuf,
    /// Device and inode.
    identity: Option<(u64, u64)>,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.identity.is_some()
            && identity(&self.path) == self.identity
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::debug!(%error, path = %self.path.display(), "the socket could not be removed");
        }
    }
}

pub(super) fn bind(path: &Path) -> Result<Bound, ListenError> {
    let address = LocalAddress::Unix(path.to_owned());
    let fail = |problem| ListenError { at: address.clone(), problem };
    prepare_directory(path).map_err(fail)?;
    clear_stale(path).map_err(fail)?;
    let listener = match UnixListener::bind(path) {
        Ok(listener) => listener,
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            return Err(fail(ListenProblem::PathTooLong));
        }
        Err(error) => return Err(fail(ListenProblem::of(&error))),
    };
    let socket = SocketFile { listener, path: path.to_owned(), identity: identity(path) };
    // The directory already keeps others out, so that there is no moment in which they could connect.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .map_err(|error| fail(ListenProblem::of(&error)))?;
    Ok(Bound { listener: Listener::Unix(socket), address })
}

fn prepare_directory(path: &Path) -> Result<(), ListenProblem> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match fs::DirBuilder::new().mode(0o700).create(directory) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(ListenProblem::Io(error.to_string())),
    }
    let mode = fs::metadata(directory).map_err(|error| ListenProblem::Io(error.to_string()))?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(ListenProblem::DirectoryNotPrivate { mode });
    }
    Ok(())
}

/// Removes a socket that nobody listens on any more, as a crash leaves it behind.
fn clear_stale(path: &Path) -> Result<(), ListenProblem> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(ListenProblem::Io(error.to_string())),
    };
    if !metadata.file_type().is_socket() {
        return Err(ListenProblem::NotASocket);
    }
    match BlockingStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| ListenProblem::Io(error.to_string()))
        }
        // A full backlog answers with something else; somebody is there all the same.
        Ok(_) | Err(_) => Err(ListenProblem::InUse),
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[tokio::test]
    async fn the_socket_and_its_directory_are_private_and_the_socket_goes_with_its_owner() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("sockets/pg");
        let bound = bind(&path).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(bind(&path).unwrap_err().problem, ListenProblem::InUse);
        drop(bound);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_other_files_are_not() {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let path = home.path().join("pg");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "std leaves it behind");
        let bound = bind(&path).unwrap();
        // Whoever takes the place of the socket keeps it.
        fs::remove_file(&path).unwrap();
        fs::write(&path, "precious").unwrap();
        drop(bound);
        assert_eq!(bind(&path).unwrap_err().problem, ListenProblem::NotASocket);
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[tokio::test]
    async fn a_directory_that_lets_others_in_and_a_path_too_long_are_named() {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let problem = bind(&home.path().join("pg")).unwrap_err().problem;
        assert_eq!(problem, ListenProblem::DirectoryNotPrivate { mode: 0o755 });
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let problem = bind(&home.path().join("x".repeat(200))).unwrap_err().problem;
        assert_eq!(problem, ListenProblem::PathTooLong);
    }
}
