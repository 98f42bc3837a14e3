//! The cipher of sealed sessions. It is another library's than the engine's, so that the two prove each other.

use std::sync::Arc;

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit};
use fleetline_protocol::{Aead, AeadError, NONCE_BYTES, SealingKey, SealingOffer};

use crate::kms::SessionKey;

/// AES-256-GCM of RustCrypto.
struct AgentAead;

impl Aead for AgentAead {
    fn seal(&self, key: &SealingKey, nonce: &[u8; NONCE_BYTES], plain: &[u8]) -> Result<Vec<u8>, AeadError> {
        Aes256Gcm::new(key.expose().into()).encrypt(nonce.into(), plain).map_err(|_| AeadError)
    }

    fn open(&self, key: &SealingKey, nonce: &[u8; NONCE_BYTES], sealed: &[u8]) -> Result<Vec<u8>, AeadError> {
        Aes256Gcm::new(key.expose().into()).decrypt(nonce.into(), sealed).map_err(|_| AeadError)
    }
}

/// What an agent demands of its client under these preferences.
pub(super) fn offer(key: &SessionKey) -> SealingOffer {
    SealingOffer {
        aead: Arc::new(AgentAead),
        key_id: key.key_id.clone(),
        has_challenge: key.has_challenge,
        requires_acknowledgement: key.requires_acknowledgement,
    }
}
