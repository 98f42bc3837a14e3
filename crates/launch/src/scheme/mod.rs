//! Links that begin with `fleetline://`, made known to the desktop of this user or not (SEC-50).
//!
//! Only the person switches them on. What was there before is kept, and switching off puts it back byte for byte where
//! nobody else has changed it meanwhile; where somebody has, only what is ours is taken out.
//!
//! Linux: an entry of our own among the user's applications, and our place in front in `mimeapps.list`. Windows: a key
//! below `HKCU\Software\Classes`. macOS reads the schemes of an app from its bundle, so there nothing is changed here.

#[cfg(any(test, target_os = "linux"))]
mod mimeapps;
#[cfg(any(test, windows))]
mod registry;
#[cfg(any(test, target_os = "linux"))]
mod xdg;

use std::io;
use std::path::PathBuf;

/// The scheme.
pub const SCHEME: &str = "fleetline";

/// Who opens the links at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opener {
    /// Nobody.
    Nobody,
    /// This program.
    Us,
    /// Another program, or this one at another place, as the desktop names it.
    Another(String),
    /// The app's bundle claims them, and the system decides: macOS.
    Bundle,
}

/// The links could not be switched on or off. `Display` is a clause without a final stop.
#[derive(Debug, thiserror::Error)]
pub enum SchemeError {
    /// A file could not be read or written.
    #[error("{} could not be used: {error}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A path that no entry can name.
    #[error("the desktop cannot be told of the program {0:?}")]
    Program(PathBuf),
    /// There is no home directory.
    #[error("there is no home directory")]
    NoHome,
    /// The system's own program for it refused.
    #[error("{0}")]
    System(String),
    /// The system reads it from the app's bundle, which is not this program's to change.
    #[error(
        "macOS reads the app's links from its bundle, so they are claimed as long as the app is installed"
    )]
    Bundle,
    /// Not on this system.
    #[error("links cannot be made known on this system")]
    Unsupported,
}

/// The registration of the links for this user.
#[derive(Clone, Debug)]
pub struct Links {
    /// The desktop program, by its absolute path.
    pub program: PathBuf,
    /// A directory of ours, made when it is needed, which remembers what was there before.
    pub memory: PathBuf,
}

impl Links {
    /// Lets the desktop open links with the program.
    ///
    /// # Errors
    /// When that is not possible; nothing is changed then.
    pub fn switch_on(&self) -> Result<(), SchemeError> {
        os::switch_on(self)
    }

    /// Takes that back.
    ///
    /// # Errors
    /// When something could not be put back.
    pub fn switch_off(&self) -> Result<(), SchemeError> {
        os::switch_off(self)
    }

    /// Who opens them at present.
    ///
    /// # Errors
    /// When the desktop's files cannot be read.
    pub fn opener(&self) -> Result<Opener, SchemeError> {
        os::opener(self)
    }
}

#[cfg(target_os = "linux")]
mod os {
    use super::xdg::Places;
    use super::{Links, Opener, SchemeError};

    pub(super) fn switch_on(links: &Links) -> Result<(), SchemeError> {
        Places::of_user(&links.memory)?.switch_on(&links.program)
    }

    pub(super) fn switch_off(links: &Links) -> Result<(), SchemeError> {
        Places::of_user(&links.memory)?.switch_off()
    }

    pub(super) fn opener(links: &Links) -> Result<Opener, SchemeError> {
        Places::of_user(&links.memory)?.opener(&links.program)
    }
}

#[cfg(windows)]
mod os {
    use super::registry::{Reg, opener as opener_of, switch_off as off, switch_on as on};
    use super::{Links, Opener, SchemeError};

    pub(super) fn switch_on(links: &Links) -> Result<(), SchemeError> {
        on(&mut Reg, links)
    }

    pub(super) fn switch_off(links: &Links) -> Result<(), SchemeError> {
        off(&mut Reg, links)
    }

    pub(super) fn opener(links: &Links) -> Result<Opener, SchemeError> {
        opener_of(&mut Reg, links)
    }
}

/// The bundle's `CFBundleURLTypes` says it, and Launch Services knows it from the day the app is installed.
#[cfg(target_os = "macos")]
mod os {
    use super::{Links, Opener, SchemeError};

    fn is_in_bundle(links: &Links) -> bool {
        links.program.components().any(|part| part.as_os_str().to_string_lossy().ends_with(".app"))
    }

    pub(super) fn switch_on(links: &Links) -> Result<(), SchemeError> {
        // Outside a bundle nothing claims the links.
        if is_in_bundle(links) { Ok(()) } else { Err(SchemeError::Unsupported) }
    }

    pub(super) fn switch_off(_: &Links) -> Result<(), SchemeError> {
        // The app ignores links while they are off; the claim itself stays with the bundle.
        Ok(())
    }

    pub(super) fn opener(links: &Links) -> Result<Opener, SchemeError> {
        Ok(if is_in_bundle(links) { Opener::Bundle } else { Opener::Nobody })
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod os {
    use super::{Links, Opener, SchemeError};

    pub(super) fn switch_on(_: &Links) -> Result<(), SchemeError> {
        Err(SchemeError::Unsupported)
    }

    pub(super) fn switch_off(_: &Links) -> Result<(), SchemeError> {
        Ok(())
    }

    pub(super) fn opener(_: &Links) -> Result<Opener, SchemeError> {
        Ok(Opener::Nobody)
    }
}
