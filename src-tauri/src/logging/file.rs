//! A log file that never grows beyond a limit.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Size at which the file is put aside, in bytes. With the one put aside at most twice this is on disk.
const LIMIT: u64 = 4 * 1024 * 1024;

/// `fleetline.log`, and the one before it as `fleetline.log.1`.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    written: u64,
    limit: u64,
}

impl LogFile {
    /// Opens the file in `folder` to append to it, creating both, readable by the user alone where that exists.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        Self::with_limit(folder, LIMIT)
    }

    fn with_limit(folder: &Path, limit: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join("fleetline.log");
        let file = append(&path)?;
        let written = file.metadata()?.len();
        Ok(Self { path, file, written, limit })
    }

    /// Appends one whole event.
    pub(super) fn append(&mut self, event: &[u8]) -> io::Result<()> {
        if self.written > 0 && self.written + event.len() as u64 > self.limit {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
            self.file = append(&self.path)?;
            self.written = 0;
        }
        self.file.write_all(event)?;
        self.written += event.len() as u64;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_is_put_aside_and_the_oldest_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = LogFile::with_limit(folder.path(), 10).unwrap();
        for event in ["one---\n", "two---\n", "three-\n"] {
            log.append(event.as_bytes()).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("fleetline.log"), "three-\n");
        assert_eq!(read("fleetline.log.1"), "two---\n");
    }

    #[test]
    fn a_second_start_appends_and_counts_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        LogFile::with_limit(folder.path(), 10).unwrap().append(b"one---\n").unwrap();
        let mut log = LogFile::with_limit(folder.path(), 10).unwrap();
        log.append(b"ab\n").unwrap();
        assert_eq!(fs::read(folder.path().join("fleetline.log")).unwrap(), b"one---\nab\n");
        log.append(b"c\n").unwrap();
        assert_eq!(fs::read(folder.path().join("fleetline.log")).unwrap(), b"c\n");
    }

    #[test]
    fn an_event_larger_than_the_limit_is_still_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = LogFile::with_limit(folder.path(), 4).unwrap();
        log.append(b"larger\n").unwrap();
        assert_eq!(fs::read(folder.path().join("fleetline.log")).unwrap(), b"larger\n");
    }
}
