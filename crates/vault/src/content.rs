//! What is inside the sealed file, and the line in front of it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::passphrase::Derivation;
use crate::seal::{Key, SealBroken};
use crate::secret::Secret;
use crate::state::Kept;

/// How the first line begins; the number is the version of the form.
const BEGIN: &[u8] = b"fleetline-sealed-secrets 1 ";

/// The first line: in clear, and bound to what is sealed after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Which file this is: the key in the keyring is found by it.
    pub(crate) id: String,
    /// What its key comes from.
    pub(crate) key: KeyOrigin,
}

/// What the key of a file comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyOrigin {
    Keyring,
    Passphrase(Derivation),
}

/// The secrets by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content(pub(crate) BTreeMap<String, Entry>);

/// A secret with its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) secret: Secret,
    /// Milliseconds of the Unix epoch; `None` keeps it until it is removed.
    pub(crate) until_ms: Option<u64>,
}

/// As JSON; the secret in base64, wiped.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct EntryText {
    secret: String,
    until_ms: Option<u64>,
}

impl Header {
    pub(crate) fn kept(&self) -> Kept {
        match self.key {
            KeyOrigin::Keyring => Kept::Keyring,
            KeyOrigin::Passphrase(_) => Kept::Passphrase,
        }
    }

    fn line(&self) -> Vec<u8> {
        let mut line = BEGIN.to_vec();
        // Texts and numbers only: nothing that JSON cannot hold.
        line.extend(serde_json::to_vec(self).unwrap_or_default());
        line.push(b'\n');
        line
    }

    /// The header of a file and the rest; `None` if it is not in this form.
    pub(crate) fn split(file: &[u8]) -> Option<(Self, &[u8])> {
        let rest = file.strip_prefix(BEGIN)?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, rest) = rest.split_at(end);
        Some((serde_json::from_slice(line).ok()?, rest.get(1..)?))
    }
}

impl Content {
    /// A whole file.
    pub(crate) fn seal(&self, header: &Header, key: &Key) -> Result<Vec<u8>, SealBroken> {
        let text = |(name, entry): (&String, &Entry)| {
            let secret = STANDARD.encode(entry.secret.expose());
            (name.clone(), EntryText { secret, until_ms: entry.until_ms })
        };
        let texts: BTreeMap<String, EntryText> = self.0.iter().map(text).collect();
        let plain = Zeroizing::new(serde_json::to_vec(&texts).map_err(|_| SealBroken)?);
        let mut file = header.line();
        let sealed = key.seal(&file, &plain)?;
        file.extend(sealed);
        Ok(file)
    }

    /// What [`Self::seal`] put into a file, without what has ended.
    pub(crate) fn open(header: &Header, sealed: &[u8], key: &Key) -> Result<Self, SealBroken> {
        let plain = key.open(&header.line(), sealed)?;
        let texts: BTreeMap<String, EntryText> = serde_json::from_slice(&plain).map_err(|_| SealBroken)?;
        let mut content = Self::default();
        for (name, text) in texts {
            let secret = Secret::new(STANDARD.decode(text.secret.as_bytes()).map_err(|_| SealBroken)?);
            content.0.insert(name, Entry { secret, until_ms: text.until_ms });
        }
        content.drop_ended();
        Ok(content)
    }

    /// Forgets what has ended.
    pub(crate) fn drop_ended(&mut self) {
        let now = epoch_ms(SystemTime::now());
        self.0.retain(|_, entry| entry.until_ms.is_none_or(|until| until > now));
    }
}

pub(crate) fn epoch_ms(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn from_epoch_ms(ms: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_opens_to_what_was_sealed_without_what_has_ended_and_bound_to_its_first_line() {
        let key = Key::random().unwrap();
        let header = Header { id: "one".to_owned(), key: KeyOrigin::Keyring };
        let entry = |until_ms| Entry { secret: Secret::new(vec![0, 255, 7]), until_ms };
        let lasting = [("a".to_owned(), entry(None)), ("b".to_owned(), entry(Some(u64::MAX)))];
        let mut content = Content(BTreeMap::from(lasting));
        let kept = content.clone();
        content.0.insert("over".to_owned(), entry(Some(1)));
        let file = content.seal(&header, &key).unwrap();
        let (read, sealed) = Header::split(&file).unwrap();
        assert_eq!(read, header);
        assert_eq!(Content::open(&read, sealed, &key).unwrap(), kept);
        let other = Header { id: "two".to_owned(), ..header };
        assert_eq!(Content::open(&other, sealed, &key), Err(SealBroken));
        assert_eq!(Header::split(b"fleetline-sealed-secrets 2 {}\n"), None);
        assert_eq!(Header::split(&file[..20]), None);
    }
}
