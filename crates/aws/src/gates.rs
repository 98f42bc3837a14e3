//! One gate for each source, so that all its sessions wait for one sign-in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fleetline_engine::CredentialsGate;

/// The gates of all sources in use. They outlive changes of the configuration: sessions wait at them meanwhile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gates(Arc<Mutex<HashMap<String, CredentialsGate>>>);

impl Gates {
    pub(crate) fn of(&self, source: &str) -> CredentialsGate {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry(source.to_owned()).or_default().clone()
    }

    /// Everybody who waits tries again, at whichever source.
    pub(crate) fn renew_all(&self) {
        let gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.values().for_each(CredentialsGate::renewed);
    }
}
