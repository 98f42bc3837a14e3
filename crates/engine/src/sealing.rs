//! The cipher of sealed sessions, and how a refused data key is told.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use fleetline_protocol::{Aead, AeadError, NONCE_BYTES, SealingKey};

use crate::ports::{ApiError, ApiErrorKind};

/// AES-256-GCM of the library TLS uses as well.
struct AwsLcAead;

/// The cipher for [`ClientSealing`](fleetline_protocol::ClientSealing).
pub(crate) fn aead() -> Arc<dyn Aead> {
    Arc::new(AwsLcAead)
}

fn cipher(key: &SealingKey) -> Result<LessSafeKey, AeadError> {
    UnboundKey::new(&AES_256_GCM, key.expose()).map(LessSafeKey::new).map_err(|_| AeadError)
}

impl Aead for AwsLcAead {
    fn seal(&self, key: &SealingKey, nonce: &[u8; NONCE_BYTES], plain: &[u8]) -> Result<Vec<u8>, AeadError> {
        let mut sealed = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(*nonce);
        cipher(key)?.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).map_err(|_| AeadError)?;
        Ok(sealed)
    }

    fn open(&self, key: &SealingKey, nonce: &[u8; NONCE_BYTES], sealed: &[u8]) -> Result<Vec<u8>, AeadError> {
        let mut opened = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length =
            cipher(key)?.open_in_place(nonce, Aad::empty(), &mut opened).map_err(|_| AeadError)?.len();
        opened.truncate(length);
        Ok(opened)
    }
}

/// Why there is no data key, in words for the agent: it logs them on the node, so they name no identity.
pub(crate) fn refusal(error: &ApiError) -> &'static str {
    match error.kind {
        ApiErrorKind::AccessDenied => "the client may not use the KMS key",
        ApiErrorKind::KeyUnusable => "the KMS key cannot be used",
        ApiErrorKind::NoCredentials | ApiErrorKind::CredentialsExpired | ApiErrorKind::CredentialsInvalid => {
            "the client has no valid credentials for KMS"
        }
        kind if kind.is_on_the_way() => "the client cannot reach KMS",
        _ => "the client got no data key from KMS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test case 16 of the GCM specification (McGrew and Viega), without its additional data: case 15.
    #[test]
    fn the_published_test_vector_is_sealed_and_opened() {
        let bytes = |text: &str| hex::decode(text).unwrap_or_default();
        let key: [u8; 32] = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
            .try_into()
            .unwrap_or_default();
        let nonce: [u8; 12] = bytes("cafebabefacedbaddecaf888").try_into().unwrap_or_default();
        let plain = bytes(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525\
             b16aedf5aa0de657ba637b391aafd255",
        );
        let expected = bytes(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838\
             c5f61e6393ba7a0abcc9f662898015adb094dac5d93471bdec1a502270e3cc6c",
        );
        let key = SealingKey::new(key);
        assert_eq!(AwsLcAead.seal(&key, &nonce, &plain), Ok(expected.clone()));
        assert_eq!(AwsLcAead.open(&key, &nonce, &expected), Ok(plain));
    }

    #[test]
    fn changed_bytes_do_not_open() {
        let key = SealingKey::new([7; 32]);
        let sealed = AwsLcAead.seal(&key, &[1; 12], b"secret").unwrap_or_default();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(AwsLcAead.open(&key, &[1; 12], &changed), Err(AeadError), "byte {at}");
        }
        assert_eq!(AwsLcAead.open(&key, &[2; 12], &sealed), Err(AeadError));
        assert_eq!(AwsLcAead.open(&key, &[1; 12], b"short"), Err(AeadError));
    }
}
