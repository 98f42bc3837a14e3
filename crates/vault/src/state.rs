//! How the vault stands.

use std::path::PathBuf;

/// Where secrets are kept now, or why they only live in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// They are kept.
    Ready(Kept),
    /// The keyring is locked: secrets live in memory until somebody unlocks it.
    Locked,
    /// There is nothing to seal them with: they live in memory.
    Absent(Absence),
    /// The keyring has not answered for five seconds: secrets live in memory.
    Hanging,
    /// The sealed file cannot be opened. It stays as it is, and secrets live in memory until somebody starts anew.
    Damaged(Damage),
    /// The file cannot be read or written, for this reason; secrets live in memory.
    Unusable(String),
}

/// What the key of the sealed file comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The keyring of the system.
    Keyring,
    /// A passphrase in a file.
    Passphrase,
    /// Nothing: secrets live in memory, as was chosen, or because this run keeps no files.
    Memory,
}

/// What is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// No keyring runs here or can be started.
    NoKeyring,
    /// The keyring runs, but no collection for secrets was ever made in it.
    NoCollection,
    /// The keyring refused, in its words.
    Refused(String),
    /// No passphrase file was named.
    NoPassphraseFile,
    /// The passphrase file is not there or cannot be read.
    PassphraseUnreadable(PathBuf),
    /// Others than the user can read the passphrase file.
    PassphraseNotPrivate(PathBuf),
    /// The passphrase file holds fewer than eight characters, or more than 1024.
    PassphraseUnfit(PathBuf),
}

/// Why the sealed file cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It is not in the form it is written in, or another version wrote it.
    Form,
    /// The keyring has no key for it any more.
    KeyGone,
    /// The key or passphrase does not fit, or bytes of it were changed.
    DoesNotOpen,
}

impl State {
    /// Whether what is put into the vault outlives the program.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Ready(Kept::Keyring | Kept::Passphrase))
    }
}
