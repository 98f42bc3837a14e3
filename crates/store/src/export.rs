//! Files made for the user to take elsewhere.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::Store;
use crate::error::{StoreError, StoreErrorKind};
use crate::os;

/// Names tried before giving up.
const TRIES: u32 = 1_000;

impl Store {
    /// Writes a new file where the user finds downloads, and returns its path. `name` is kept to letters, digits, `-` and
    /// `_`; a number follows where the name is taken, so that nothing is replaced.
    ///
    /// # Errors
    /// When there is no place for it, or it cannot be written.
    pub fn export(&self, name: &str, ending: &str, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let Some(paths) = &self.paths else {
            return Err(StoreError::new(StoreErrorKind::NoHome, Path::new(name), "no directory for files"));
        };
        let directory = &paths.exports;
        std::fs::create_dir_all(directory).map_err(|error| StoreError::io(directory, &error))?;
        let plain: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' })
            .collect();
        for number in 1..=TRIES {
            let suffix = if number == 1 { String::new() } else { format!("-{number}") };
            let path = directory.join(format!("{plain}{suffix}.{ending}"));
            match os::private_file_options().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    let written = file.write_all(bytes).and_then(|()| file.sync_all());
                    return match written {
                        Ok(()) => Ok(path),
                        Err(error) => {
                            drop(std::fs::remove_file(&path));
                            Err(StoreError::io(&path, &error))
                        }
                    };
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::io(&path, &error)),
            }
        }
        let taken = io::Error::from(io::ErrorKind::AlreadyExists);
        Err(StoreError::io(&directory.join(plain), &taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Paths;

    #[test]
    fn files_stand_beside_each_other_and_stay_in_their_place() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(Paths::below(home.path())).unwrap();
        let first = store.export("fleetline sessions/..", "csv", b"a").unwrap();
        let second = store.export("fleetline sessions/..", "csv", b"b").unwrap();
        assert_eq!(first, home.path().join("exports").join("fleetline_sessions___.csv"));
        assert_eq!(second.file_name().unwrap(), "fleetline_sessions___-2.csv");
        assert_eq!(std::fs::read(first).unwrap(), b"a");
        assert!(Store::in_memory().export("x", "csv", b"").is_err());
    }
}
