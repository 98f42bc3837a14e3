//! Secrets of ours at rest.
//!
//! A [`Vault`] keeps named secrets in one sealed file. What opens the file is in the keyring of the system, or comes of a
//! passphrase in a file of the user; without either, secrets live in memory and end with the program. Where that
//! stands is a [`State`] with a name, and none of its questions to the keyring takes longer than five seconds, so that a
//! keyring which is locked, missing or hanging is something to be shown and nothing to wait for.
//!
//! Every function that reads or writes may block for that long and belongs on a thread that may.

mod content;
mod keyring;
pub mod names;
mod passphrase;
mod seal;
mod secret;
mod state;
mod vault;

pub use keyring::{KeyKeeper, KeyTrouble, SystemKeyring};
pub use passphrase::{NoPassphrase, read_passphrase};
pub use seal::{Key, SealBroken};
pub use secret::Secret;
pub use state::{Absence, Damage, Kept, State};
pub use vault::{Choice, Chooser, Held, Vault, VaultError};
