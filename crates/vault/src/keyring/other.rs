//! Keychain and Credential Manager are part of the system and open with the user's session.

use super::KeyTrouble;

/// Nothing to find out beforehand.
pub(super) fn probe(_ask: bool) -> Result<(), KeyTrouble> {
    Ok(())
}
