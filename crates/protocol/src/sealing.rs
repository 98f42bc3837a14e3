//! Sealing of sessions that must be encrypted with a KMS key (protocol.md 5.5 and 5.6): keys, wire form, nonces.
//!
//! No cipher is in this crate: the owner brings one as an [`Aead`], and talks to KMS.

mod aead;
mod config;
mod data_key;
mod sealer;

pub use aead::{Aead, AeadError, NONCE_BYTES, SEALING_OVERHEAD, TAG_BYTES};
pub use config::{ClientSealing, DataKeyRequest, SealingOffer};
pub use data_key::{DATA_KEY_BYTES, DataKey, DataKeyError, SealingKey};

pub(crate) use sealer::{Challenge, Nonces, Sealer, is_sealed, same_bytes};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Standard base64 with padding, as byte strings are written in handshake bodies.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of standard base64 with padding.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
