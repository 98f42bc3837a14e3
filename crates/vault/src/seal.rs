//! Sealing: AES-256-GCM with a random nonce in front.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

/// Bytes that sealing adds: the nonce and the tag.
pub(crate) const OVERHEAD: usize = NONCE_LEN + 16;

/// A key of 256 bits. It is wiped when it is dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

/// What was sealed does not open: another key, or changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was sealed does not open with this key")]
pub struct SealBroken;

impl Key {
    /// A new random key.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn random() -> Result<Self, SealBroken> {
        let mut key = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(&mut *key).map_err(|_| SealBroken)?;
        Ok(Self(key))
    }

    /// The key of these 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    pub(crate) fn zeroed() -> Self {
        Self(Zeroizing::new([0; 32]))
    }

    /// The bytes, for who keeps the key.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn expose_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }

    /// Seals `plain`; `bound` must be the same when it is opened and is not part of what is returned.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal(&self, bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealBroken> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &*self.0).map_err(|_| SealBroken)?;
        let mut room = Zeroizing::new(Vec::with_capacity(plain.len() + OVERHEAD));
        room.extend_from_slice(plain);
        let nonce = key.seal_in_place_append_tag(Aad::from(bound), &mut *room).map_err(|_| SealBroken)?;
        let mut sealed = Vec::with_capacity(room.len() + NONCE_LEN);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&room);
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made.
    ///
    /// # Errors
    /// When the key or `bound` is another one, or a byte was changed.
    pub fn open(&self, bound: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(SealBroken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealBroken)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &*self.0).map_err(|_| SealBroken)?;
        let mut room = Zeroizing::new(sealed.to_vec());
        let length = key.open_in_place(nonce, Aad::from(bound), &mut room).map_err(|_| SealBroken)?.len();
        room.truncate(length);
        Ok(room)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_and_binding_only_and_unchanged_only() {
        let key = Key::random().unwrap();
        let sealed = key.seal(b"place", b"plain").unwrap();
        assert_eq!(sealed.len(), 5 + OVERHEAD);
        assert_eq!(key.open(b"place", &sealed).unwrap().as_slice(), b"plain");
        assert!(key.open(b"elsewhere", &sealed).is_err());
        assert!(Key::random().unwrap().open(b"place", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(b"place", &changed).is_err(), "byte {at}");
            assert!(key.open(b"place", &sealed[..at]).is_err(), "cut at {at}");
        }
        assert_ne!(key.seal(b"place", b"plain").unwrap(), sealed, "each has a nonce of its own");
    }
}
