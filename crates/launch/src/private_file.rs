//! A file only this user can read, gone when it is dropped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A file for a program that is being started. Removed on drop.
#[derive(Debug)]
pub struct ClientFile {
    path: PathBuf,
}

impl ClientFile {
    /// Writes a new file with mode 0600 into `directory`, which must be the user's own with mode 0700. The name is new and
    /// ends with `.` and `extension`.
    pub fn write(directory: &Path, extension: &str, bytes: &[u8]) -> io::Result<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let name = format!("fleetline-{}-{number}.{extension}", std::process::id());
            let path = directory.join(name);
            match create(&path) {
                Ok(mut file) => {
                    let written = Self { path };
                    file.write_all(bytes)?;
                    return Ok(written);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ClientFile {
    fn drop(&mut self) {
        // Nothing secret is in it; a file that stays is in the user's own directory.
        drop(fs::remove_file(&self.path));
    }
}

/// Creates a file that was not there, private to the user.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
