//! The plain data key of one session.

use std::fmt;

use zeroize::Zeroizing;

/// Bytes of a plain data key (protocol.md 5.6): what `GenerateDataKey` is asked for.
pub const DATA_KEY_BYTES: usize = 64;

/// An AES-256 key for one direction. `Debug` hides it and it is wiped when dropped.
#[derive(Clone)]
pub struct SealingKey(Zeroizing<[u8; 32]>);

impl SealingKey {
    /// Wraps the 32 bytes of a key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// The key itself, for the cipher only.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

/// The plain data key of a session, as its two halves. `Debug` hides it and it is wiped when dropped.
#[derive(Clone, Debug)]
pub struct DataKey {
    agent_to_client: SealingKey,
    client_to_agent: SealingKey,
}

impl DataKey {
    /// Splits the plain text KMS gave: bytes 0 to 31 seal what the agent sends, 32 to 63 what the client sends.
    /// The caller wipes `plain`.
    ///
    /// # Errors
    /// When `plain` is not [`DATA_KEY_BYTES`] long.
    pub fn from_plain(plain: &[u8]) -> Result<Self, DataKeyError> {
        let wrong = DataKeyError { bytes: plain.len() };
        let (first, second) = plain.split_first_chunk::<32>().ok_or(wrong)?;
        let second = second.try_into().map_err(|_| wrong)?;
        Ok(Self { agent_to_client: SealingKey::new(*first), client_to_agent: SealingKey::new(second) })
    }

    /// The half that seals what the agent sends.
    pub fn agent_to_client(&self) -> &SealingKey {
        &self.agent_to_client
    }

    /// The half that seals what the client sends.
    pub fn client_to_agent(&self) -> &SealingKey {
        &self.client_to_agent
    }
}

/// A plain data key of the wrong length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the data key has {bytes} bytes instead of {DATA_KEY_BYTES}")]
pub struct DataKeyError {
    /// Its length.
    pub bytes: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_another_length_are_refused_and_none_shows_in_debug() {
        for bytes in [0, 31, 32, 63, 65, 96] {
            let error = DataKey::from_plain(&vec![7; bytes]).err();
            assert_eq!(error, Some(DataKeyError { bytes }));
        }
        let shown = DataKey::from_plain(&[0xab; 64]).map(|key| format!("{key:?}")).unwrap_or_default();
        assert_eq!(shown, "DataKey { agent_to_client: SealingKey(…), client_to_agent: SealingKey(…) }");
    }
}
