//! Where our files are.

use std::path::{Path, PathBuf};

use directories::{ProjectDirs, UserDirs};

use crate::error::{StoreError, StoreErrorKind};

/// Directories of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Settings and layout: what the user chose and would miss.
    pub config: PathBuf,
    /// What can be listed again.
    pub cache: PathBuf,
    /// What the programs of this user know of each other.
    pub state: PathBuf,
    /// What is kept for the user alone and cannot be listed again: sealed secrets, recordings.
    pub data: PathBuf,
    /// Where files go that the user takes elsewhere: downloads.
    pub exports: PathBuf,
}

/// Moves all files of Fleetline below one directory.
const HOME_VARIABLE: &str = "FLEETLINE_HOME";

impl Paths {
    /// The platform's directories for `dev.fleetline.app`, or directories below `FLEETLINE_HOME` when it is set and
    /// not empty. Creates nothing.
    pub fn resolve() -> Result<Self, StoreError> {
        if let Some(home) = std::env::var_os(HOME_VARIABLE).filter(|home| !home.is_empty()) {
            return Ok(Self::below(Path::new(&home)));
        }
        let directories = ProjectDirs::from("dev", "fleetline", "Fleetline").ok_or_else(|| {
            StoreError::new(StoreErrorKind::NoHome, Path::new("Fleetline"), "no home directory")
        })?;
        let downloads = UserDirs::new().map(|user| match user.download_dir() {
            Some(downloads) => downloads.to_owned(),
            None => user.home_dir().to_owned(),
        });
        Ok(Self {
            exports: downloads.unwrap_or_else(|| directories.data_local_dir().join("exports")),
            config: directories.config_dir().to_owned(),
            cache: directories.cache_dir().to_owned(),
            // Only Linux has a place for state.
            state: directories.state_dir().unwrap_or(directories.data_local_dir()).join("state"),
            data: directories.data_local_dir().join("private"),
        })
    }

    /// The file of sources that were added in Fleetline, in the form of the AWS configuration.
    pub fn aws_sources(&self) -> PathBuf {
        self.config.join("aws-sources")
    }

    /// All directories below one.
    pub fn below(home: &Path) -> Self {
        Self {
            config: home.join("config"),
            cache: home.join("cache"),
            state: home.join("state"),
            data: home.join("private"),
            exports: home.join("exports"),
        }
    }
}
