//! The certificates that were trusted, by node.

use std::collections::BTreeMap;

use fleetline_launch::rdp::CertificatePin;
use fleetline_store::{Store, StoreError};
use serde::{Deserialize, Serialize};

/// Name of the document.
const DOCUMENT: &str = "desktops";
/// Nodes remembered at most; ids of nodes that are gone are not missed.
const LIMIT: usize = 10_000;

/// Digests of certificates as text, by node id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    #[serde(default)]
    certificates: BTreeMap<String, String>,
}

impl Pins {
    /// What is on disk; nothing where that cannot be read, which the caller's warnings tell.
    pub fn load(store: &Store) -> Self {
        store.load(DOCUMENT).value
    }

    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, store: &Store) -> Result<(), StoreError> {
        store.save(DOCUMENT, self)
    }

    /// The certificate of a node, if it was seen.
    pub fn of(&self, node_id: &str) -> Option<CertificatePin> {
        self.certificates.get(node_id)?.parse().ok()
    }

    /// Trusts a certificate from now on, and no other.
    pub fn trust(&mut self, node_id: &str, pin: CertificatePin) {
        if self.certificates.len() >= LIMIT && !self.certificates.contains_key(node_id) {
            self.certificates.pop_first();
        }
        self.certificates.insert(node_id.to_owned(), pin.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_kept_by_node_and_outlive_the_program() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(fleetline_store::Paths::below(home.path())).unwrap();
        let mut pins = Pins::load(&store);
        assert_eq!(pins.of("i-1"), None);
        pins.trust("i-1", CertificatePin([7; 32]));
        pins.save(&store).unwrap();
        let read = Pins::load(&store);
        assert_eq!((read.of("i-1"), read.of("i-2")), (Some(CertificatePin([7; 32])), None));
    }
}
