//! The keys: one for each account and Region, made of the world's seed.

use std::collections::BTreeMap;

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::shared::Shared;

/// The one alias of every key.
pub(crate) const ALIAS: &str = "alias/fleet-sessions";

/// First byte of what this service seals.
const VERSION: u8 = 1;
const ID_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;

/// A KMS key.
pub(super) struct Key {
    pub(super) arn: String,
    pub(super) id: String,
    raw_id: [u8; ID_BYTES],
    /// What seals data keys. It never leaves this module.
    secret: Zeroizing<[u8; 32]>,
}

/// Names and values a data key is bound to.
pub(super) type Context = BTreeMap<String, String>;

/// A cipher text that this key did not make, or not with this context.
#[derive(Debug)]
pub(super) struct NotOurs;

/// The ARN of the key of an account in a Region.
pub(crate) fn arn(shared: &Shared, account_id: &str, region: &str) -> String {
    Key::of(shared, account_id, region).arn
}

impl Key {
    pub(super) fn of(shared: &Shared, account_id: &str, region: &str) -> Self {
        let derive = |what: &str| -> [u8; 32] {
            let seed = shared.config.seed;
            Sha256::digest(format!("fleetline-simulator/{seed}/{account_id}/{region}/kms/{what}")).into()
        };
        let mut raw_id = [0; ID_BYTES];
        raw_id.copy_from_slice(&derive("id")[..ID_BYTES]);
        let id = uuid::Builder::from_random_bytes(raw_id).into_uuid();
        Self {
            arn: format!("arn:aws:kms:{region}:{account_id}:key/{id}"),
            id: id.to_string(),
            raw_id: *id.as_bytes(),
            secret: Zeroizing::new(derive("secret")),
        }
    }

    /// Whether `name` means this key: its id, its ARN, its alias or the alias's ARN.
    pub(super) fn is_named(&self, name: &str) -> bool {
        let alias_arn = self.arn.rsplit_once(":key/").map(|(place, _)| format!("{place}:{ALIAS}"));
        name == self.id || name == self.arn || name == ALIAS || alias_arn.as_deref() == Some(name)
    }

    /// Seals a data key to its context.
    pub(super) fn seal(&self, plain: &[u8], context: &Context) -> Result<Vec<u8>, NotOurs> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg: plain, aad: &bound_to(context) };
        let sealed = self.cipher().encrypt((&nonce).into(), payload).map_err(|_| NotOurs)?;
        Ok([[VERSION].as_slice(), &self.raw_id, &nonce, &sealed].concat())
    }

    /// Opens a data key with the context it was sealed to.
    pub(super) fn open(&self, blob: &[u8], context: &Context) -> Result<Zeroizing<Vec<u8>>, NotOurs> {
        let rest = blob.strip_prefix(&[VERSION]).ok_or(NotOurs)?;
        let rest = rest.strip_prefix(self.raw_id.as_slice()).ok_or(NotOurs)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(NotOurs)?;
        let payload = Payload { msg: sealed, aad: &bound_to(context) };
        self.cipher().decrypt(nonce.into(), payload).map(Zeroizing::new).map_err(|_| NotOurs)
    }

    fn cipher(&self) -> Aes256Gcm {
        let secret: &[u8; 32] = &self.secret;
        Aes256Gcm::new(secret.into())
    }
}

/// The context as bytes: pairs in order, each part behind its length, so that no two contexts look the same.
fn bound_to(context: &Context) -> Vec<u8> {
    let parts = context.iter().flat_map(|(name, value)| [name, value]);
    parts.flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.bytes())).collect()
}

#[cfg(test)]
mod tests {
    use super::{Context, bound_to};

    #[test]
    fn contexts_that_differ_are_bound_to_differently() {
        let context = |pairs: &[(&str, &str)]| -> Context {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let all = [
            context(&[]),
            context(&[("a", "bc")]),
            context(&[("ab", "c")]),
            context(&[("a", "b"), ("c", "")]),
            context(&[("a", ""), ("bc", "")]),
        ];
        for (place, one) in all.iter().enumerate() {
            for other in &all[place + 1..] {
                assert_ne!(bound_to(one), bound_to(other), "{one:?} {other:?}");
            }
        }
    }
}
