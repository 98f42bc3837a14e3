//! Where secrets of ours are kept, and what is kept.

use serde::{Deserialize, Serialize};
use specta::Type;

/// What seals secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SecretsKept {
    /// The keyring of the system.
    #[default]
    Keyring,
    /// A passphrase in a file.
    Passphrase,
    /// Nothing: they end with the program.
    Memory,
}

/// What the user chose; beside the settings, since the app and the command line both change and follow it at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct SecretsChoice {
    /// What seals secrets of ours; default: the keyring of the system.
    pub kept: SecretsKept,
    /// The file of the passphrase, where one seals them; empty: none. At most 4,096 bytes.
    pub passphrase_file: String,
}

/// How the place of secrets stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SecretsState {
    /// They are kept.
    Ready {
        /// By what.
        kept: SecretsKept,
    },
    /// The keyring is locked.
    Locked,
    /// There is nothing to seal them with.
    Absent {
        /// What is missing.
        what: SecretsAbsence,
        /// The file concerned, or the keyring's words.
        detail: Option<String>,
    },
    /// The keyring does not answer.
    Hanging,
    /// The sealed file does not open; it stays as it is.
    Damaged {
        /// Why.
        damage: SecretsDamage,
    },
    /// The file cannot be read or written.
    Unusable {
        /// Why, as a sentence without its full stop.
        detail: String,
    },
}

/// What is missing to seal secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SecretsAbsence {
    /// A keyring.
    Keyring,
    /// A collection in the keyring.
    Collection,
    /// The keyring's consent.
    Consent,
    /// The name of a passphrase file.
    PassphraseFile,
    /// The passphrase file itself, or the permission to read it.
    PassphraseReadable,
    /// Privacy of the passphrase file: others can read it.
    PassphrasePrivate,
    /// A passphrase of 8 to 1024 characters in the file.
    PassphraseFit,
}

/// Why the sealed file does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SecretsDamage {
    /// It is not in its form.
    Form,
    /// The keyring has no key for it any more.
    KeyGone,
    /// The key does not fit, or the file was changed.
    DoesNotOpen,
}

/// Where secrets are kept and what is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SecretsStatus {
    /// What was chosen.
    pub choice: SecretsChoice,
    /// How it stands.
    pub state: SecretsState,
    /// The sealed file, where there is a place for one.
    pub path: Option<String>,
    /// Sessions that codes of MFA devices opened.
    pub sessions: Vec<KeptSession>,
    /// Whether the key of recordings is kept.
    pub recording_key: bool,
}

/// A session that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct KeptSession {
    /// The source.
    pub source: String,
    /// When it ends, in milliseconds of the Unix epoch.
    pub until_ms: Option<f64>,
}
