//! Sealing and opening payloads in their wire form.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng;
use zeroize::Zeroizing;

use super::aead::{Aead, AeadError, NONCE_BYTES, SEALING_OVERHEAD, TAG_BYTES};
use super::data_key::SealingKey;
use crate::frame::PayloadType;

/// Bytes of the challenge in EncChallengeRequest, before sealing (protocol.md 5.5).
const CHALLENGE_BYTES: usize = 64;

/// Random bytes the client must prove to have opened.
pub(crate) type Challenge = Zeroizing<[u8; CHALLENGE_BYTES]>;

/// Where nonces come from. Both ways are safe for far more messages than a session has (protocol.md 5.6).
#[derive(Debug)]
pub(crate) enum Nonces {
    /// Random for every message, as clients do.
    Random(Box<ChaCha12Rng>),
    /// Counted up, little-endian, from a random start, as agents do.
    Counter([u8; NONCE_BYTES]),
}

impl Nonces {
    fn next(&mut self) -> [u8; NONCE_BYTES] {
        match self {
            Self::Random(rng) => {
                let mut nonce = [0; NONCE_BYTES];
                rng.fill_bytes(&mut nonce);
                nonce
            }
            Self::Counter(counter) => {
                let nonce = *counter;
                for byte in counter.iter_mut() {
                    *byte = byte.wrapping_add(1);
                    if *byte != 0 {
                        break;
                    }
                }
                nonce
            }
        }
    }
}

/// Seals what one role sends and opens what it receives. Wire form: nonce, cipher text, tag.
pub(crate) struct Sealer {
    pub(crate) aead: Arc<dyn Aead>,
    pub(crate) seals_with: SealingKey,
    pub(crate) opens_with: SealingKey,
    pub(crate) nonces: Nonces,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    /// The wire form of `plain`.
    pub(crate) fn seal(&mut self, plain: &[u8]) -> Result<Vec<u8>, AeadError> {
        let nonce = self.nonces.next();
        let sealed = self.aead.seal(&self.seals_with, &nonce, plain)?;
        // A cipher that gives back something shorter did not seal with a tag.
        if sealed.len() != plain.len() + TAG_BYTES {
            return Err(AeadError);
        }
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// The plain text of a wire form.
    pub(crate) fn open(&self, wire: &[u8]) -> Result<Bytes, AeadError> {
        if wire.len() < SEALING_OVERHEAD {
            return Err(AeadError);
        }
        let (nonce, sealed) = wire.split_first_chunk::<NONCE_BYTES>().ok_or(AeadError)?;
        self.aead.open(&self.opens_with, nonce, sealed).map(Bytes::from)
    }
}

/// Whether payloads of that type are sealed in a sealed session, both ways (protocol.md 4.3).
pub(crate) fn is_sealed(payload_type: PayloadType) -> bool {
    matches!(payload_type, PayloadType::Output | PayloadType::StdErr | PayloadType::ExitCode)
}

/// Compares without stopping at the first difference.
pub(crate) fn same_bytes(one: &[u8], other: &[u8]) -> bool {
    let differs = one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b));
    one.len() == other.len() && differs == 0
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn counted_nonces_carry_in_little_endian_order() {
        let mut nonces = Nonces::Counter([0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(nonces.next(), [0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(nonces.next(), [0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(nonces.next(), [1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
        let mut last = Nonces::Counter([0xff; NONCE_BYTES]);
        last.next();
        assert_eq!(last.next(), [0; NONCE_BYTES]);
    }

    #[test]
    fn random_nonces_do_not_repeat() {
        let mut nonces = Nonces::Random(Box::new(ChaCha12Rng::seed_from_u64(1)));
        let seen: std::collections::BTreeSet<_> = (0..10_000).map(|_| nonces.next()).collect();
        assert_eq!(seen.len(), 10_000);
    }

    #[test]
    fn only_equal_bytes_are_the_same() {
        assert!(same_bytes(b"abc", b"abc") && same_bytes(b"", b""));
        assert!(!same_bytes(b"abc", b"abd") && !same_bytes(b"abc", b"ab") && !same_bytes(b"", b"a"));
    }
}
