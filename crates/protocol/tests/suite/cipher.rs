//! AES-256-GCM for the tests, and data keys.

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit};
use fleetline_protocol::{Aead, AeadError, DataKey, SealingKey};

pub(crate) struct Gcm;

impl Aead for Gcm {
    fn seal(&self, key: &SealingKey, nonce: &[u8; 12], plain: &[u8]) -> Result<Vec<u8>, AeadError> {
        let cipher = Aes256Gcm::new(key.expose().into());
        cipher.encrypt(nonce.into(), plain).map_err(|_| AeadError)
    }

    fn open(&self, key: &SealingKey, nonce: &[u8; 12], sealed: &[u8]) -> Result<Vec<u8>, AeadError> {
        let cipher = Aes256Gcm::new(key.expose().into());
        cipher.decrypt(nonce.into(), sealed).map_err(|_| AeadError)
    }
}

/// A cipher that opens but does not seal.
pub(crate) struct OnlyOpens;

impl Aead for OnlyOpens {
    fn seal(&self, key: &SealingKey, nonce: &[u8; 12], plain: &[u8]) -> Result<Vec<u8>, AeadError> {
        // The challenge passes, so that the session begins.
        if plain.len() == 64 { Gcm.seal(key, nonce, plain) } else { Err(AeadError) }
    }

    fn open(&self, key: &SealingKey, nonce: &[u8; 12], sealed: &[u8]) -> Result<Vec<u8>, AeadError> {
        Gcm.open(key, nonce, sealed)
    }
}

/// A plain data key whose halves differ.
pub(crate) fn data_key(number: u8) -> DataKey {
    let plain: Vec<u8> = (0..64).map(|position: u8| position.wrapping_mul(3) ^ number).collect();
    DataKey::from_plain(&plain).unwrap()
}

/// Stands for the sealed form of a data key.
pub(crate) fn blob(key: &DataKey) -> Vec<u8> {
    key.agent_to_client().expose().iter().rev().copied().collect()
}

/// A payload in its wire form.
pub(crate) fn wire(key: &SealingKey, nonce: [u8; 12], plain: &[u8]) -> Vec<u8> {
    [nonce.as_slice(), &Gcm.seal(key, &nonce, plain).unwrap()].concat()
}

/// The plain text of a wire form.
pub(crate) fn opened(key: &SealingKey, wire: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = wire.split_first_chunk::<12>()?;
    Gcm.open(key, nonce, sealed).ok()
}
