//! Hybrid activations of account-Regions.

use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The code that registers nodes, given out once.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Code(String);

impl Code {
    pub(crate) fn new() -> Self {
        Self(STANDARD_NO_PAD.encode(rand::random::<[u8; 18]>()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// An activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Activation {
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) role: String,
    pub(crate) limit: i64,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: i64,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) code: Code,
}

/// All of them, by index of the account and Region, in order of creation.
pub(crate) type Activations = HashMap<(usize, String), Vec<Activation>>;
