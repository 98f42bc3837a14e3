//! Buckets with their objects. A bucket exists once something was put into it; its name is the whole simulator's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

/// Bytes of all objects at most. Nothing more is taken.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) modified_ms: i64,
    /// Without quotes.
    pub(crate) etag: String,
}

impl Object {
    pub(crate) fn new(bytes: &[u8], modified_ms: i64) -> Self {
        let etag = hex::encode(&Sha256::digest(bytes)[..16]);
        Self { bytes: bytes.into(), modified_ms, etag }
    }
}

/// A bucket.
#[derive(Clone, Debug)]
struct Bucket {
    account: usize,
    region: String,
    objects: BTreeMap<String, Object>,
}

/// Why an object was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PutProblem {
    /// The bucket is another account's.
    #[error("the bucket belongs to another account")]
    OfAnother,
    /// There is no room.
    #[error("the simulator keeps at most 256 MiB of objects")]
    Full,
}

/// What a name of a bucket and a key find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// No such bucket.
    NoBucket,
    /// The bucket is there, the object is not.
    NoKey,
    /// The object.
    Object(Object),
}

/// All buckets. Locks are short: no await happens under them.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<BTreeMap<String, Bucket>>);

impl Buckets {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an object in place of any of this key.
    pub(crate) fn put(
        &self,
        (account, region): (usize, &str),
        bucket: &str,
        key: &str,
        object: Object,
    ) -> Result<(), PutProblem> {
        let mut buckets = self.lock();
        if buckets.get(bucket).is_some_and(|bucket| bucket.account != account) {
            return Err(PutProblem::OfAnother);
        }
        let held: usize = buckets
            .values()
            .flat_map(|bucket| bucket.objects.values())
            .map(|object| object.bytes.len())
            .sum();
        if held + object.bytes.len() > MOST_BYTES {
            return Err(PutProblem::Full);
        }
        let bucket = buckets.entry(bucket.to_owned()).or_insert_with(|| Bucket {
            account,
            region: region.to_owned(),
            objects: BTreeMap::new(),
        });
        bucket.objects.insert(key.to_owned(), object);
        Ok(())
    }

    /// The account and Region of a bucket.
    pub(crate) fn home(&self, bucket: &str) -> Option<(usize, String)> {
        self.lock().get(bucket).map(|bucket| (bucket.account, bucket.region.clone()))
    }

    pub(crate) fn find(&self, bucket: &str, key: &str) -> Found {
        match self.lock().get(bucket) {
            None => Found::NoBucket,
            Some(bucket) => bucket.objects.get(key).cloned().map_or(Found::NoKey, Found::Object),
        }
    }

    /// Keys of a bucket that begin with `prefix`, after `after`, in order, `most` at most.
    pub(crate) fn list(&self, bucket: &str, prefix: &str, after: &str, most: usize) -> Vec<(String, Object)> {
        let buckets = self.lock();
        let Some(bucket) = buckets.get(bucket) else { return Vec::new() };
        let from = if after.is_empty() { prefix.to_owned() } else { after.to_owned() };
        let all = bucket.objects.range(from..).filter(|(key, _)| key.as_str() > after || after.is_empty());
        all.filter(|(key, _)| key.starts_with(prefix))
            .take(most)
            .map(|(key, object)| (key.clone(), object.clone()))
            .collect()
    }
}
