//! A passphrase in a file of the user, and the key that comes of it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::seal::Key;
use crate::secret::Secret;
use crate::state::Absence;

/// Shortest and longest passphrase, in bytes.
const SHORTEST: usize = 8;
const LONGEST: usize = 1024;
/// Memory, in KiB, and passes of a new file: what RFC 9106 (4) recommends where memory is limited.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// What a file may ask for at most, so that one from elsewhere cannot take the computer down.
const MOST_MEMORY_KIB: u32 = 512 * 1024;
const MOST_PASSES: u32 = 16;
const SALT: usize = 16;

/// How a key was made of a passphrase: Argon2id with one lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Derivation {
    salt: String,
    memory_kib: u32,
    passes: u32,
}

/// Why a passphrase file cannot be used.
pub type NoPassphrase = Absence;

/// The passphrase a file holds, without the line end. Its file must be readable by the user alone.
///
/// # Errors
/// When the file is missing, open to others, or holds too little or too much.
pub fn read_passphrase(path: &Path) -> Result<Secret, NoPassphrase> {
    let unreadable = |_| Absence::PassphraseUnreadable(path.to_owned());
    let file = File::open(path).map_err(unreadable)?;
    if !is_private(&file) {
        return Err(Absence::PassphraseNotPrivate(path.to_owned()));
    }
    // The whole room at once: a buffer that grows would leave copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(2 * LONGEST));
    file.take(LONGEST as u64 + 3).read_to_end(&mut text).map_err(unreadable)?;
    while text.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        text.pop();
    }
    if !(SHORTEST..=LONGEST).contains(&text.len()) {
        return Err(Absence::PassphraseUnfit(path.to_owned()));
    }
    Ok(Secret::new(text.to_vec()))
}

#[cfg(unix)]
fn is_private(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let own = rustix::process::geteuid().as_raw();
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.mode() & 0o077 == 0 && meta.uid() == own)
}

/// Elsewhere the profile directories of users are private.
#[cfg(not(unix))]
fn is_private(file: &File) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file())
}

impl Derivation {
    /// A new one, with a salt of its own; `None` when the system gives no random bytes.
    pub(crate) fn new() -> Option<Self> {
        let mut salt = [0; SALT];
        aws_lc_rs::rand::fill(&mut salt).ok()?;
        Some(Self { salt: crate::vault::base64(&salt), memory_kib: MEMORY_KIB, passes: PASSES })
    }

    /// The key; `None` when what the file asks for is out of bounds.
    pub(crate) fn key(&self, passphrase: &Secret) -> Option<Key> {
        let fits = self.memory_kib <= MOST_MEMORY_KIB && self.passes <= MOST_PASSES;
        let salt = crate::vault::unbase64(&self.salt).filter(|salt| fits && salt.len() == SALT)?;
        let params = Params::new(self.memory_kib, self.passes, 1, Some(32)).ok()?;
        let mut key = Key::zeroed();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose(), &salt, key.expose_mut())
            .ok()?;
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_read_without_its_line_end_and_from_private_files_only() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("passphrase");
        assert_eq!(read_passphrase(&path), Err(Absence::PassphraseUnreadable(path.clone())));
        std::fs::write(&path, "correct horse\r\n").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            mode(0o640);
            assert_eq!(read_passphrase(&path), Err(Absence::PassphraseNotPrivate(path.clone())));
            mode(0o600);
        }
        assert_eq!(read_passphrase(&path).unwrap().expose(), b"correct horse");
        for unfit in ["short\n".to_owned(), "x".repeat(2000)] {
            std::fs::write(&path, unfit).unwrap();
            assert_eq!(read_passphrase(&path), Err(Absence::PassphraseUnfit(path.clone())));
        }
    }

    #[test]
    fn the_key_depends_on_passphrase_and_salt_and_bounds_are_kept() {
        let small = Derivation { memory_kib: 64, passes: 1, ..Derivation::new().unwrap() };
        let phrase = Secret::new(b"correct horse".to_vec());
        let key = small.key(&phrase).unwrap();
        assert_eq!(small.key(&phrase).unwrap().expose(), key.expose());
        assert_ne!(small.key(&Secret::new(b"correct horsf".to_vec())).unwrap().expose(), key.expose());
        let other = Derivation { salt: Derivation::new().unwrap().salt, ..small };
        assert_ne!(other.key(&phrase).unwrap().expose(), key.expose());
        assert!(Derivation { memory_kib: u32::MAX, ..small.clone() }.key(&phrase).is_none());
        assert!(Derivation { passes: u32::MAX, ..small.clone() }.key(&phrase).is_none());
        assert!(Derivation { salt: "AA==".to_owned(), ..small }.key(&phrase).is_none());
    }
}
