//! The cipher the owner brings.

use super::data_key::SealingKey;

/// Bytes of a nonce, before the cipher text on the wire.
pub const NONCE_BYTES: usize = 12;
/// Bytes of an authentication tag, after the cipher text on the wire.
pub const TAG_BYTES: usize = 16;
/// How much longer the wire form is than the plain text (protocol.md 5.6).
pub const SEALING_OVERHEAD: usize = NONCE_BYTES + TAG_BYTES;

/// AES-256-GCM without additional data (protocol.md 5.6). It keeps no state: key and nonce come with every call, and
/// the channel never gives the same nonce twice for one key.
pub trait Aead: Send + Sync {
    /// Seals `plain`; returns cipher text and tag, without the nonce: [`TAG_BYTES`] more than `plain`.
    ///
    /// # Errors
    /// When the library refuses. The channel then closes; the plain text is not sent.
    fn seal(&self, key: &SealingKey, nonce: &[u8; NONCE_BYTES], plain: &[u8]) -> Result<Vec<u8>, AeadError>;

    /// Opens cipher text and tag.
    ///
    /// # Errors
    /// When the tag does not fit: another key, another nonce, or changed bytes.
    fn open(&self, key: &SealingKey, nonce: &[u8; NONCE_BYTES], sealed: &[u8]) -> Result<Vec<u8>, AeadError>;
}

/// A cipher refused. Carries no detail: ciphers give none, for good reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cipher refused")]
pub struct AeadError;
