//! SSH through sessions, by the system's own `ssh`.

use serde::{Deserialize, Serialize};
use specta::Type;

/// How `ssh` is started towards a node. What is left empty is up to the user's SSH configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SshOptions {
    /// User on the node; may be empty.
    #[serde(default)]
    pub user: String,
    /// Port of the SSH server, 1 to 65535; 22 unless changed.
    pub port: u16,
    /// Private key file; may be empty.
    #[serde(default)]
    pub key_file: String,
    /// Whether the public half of `key_file`, or of the user's own key when that is empty, is pushed by EC2 Instance
    /// Connect before each connection. For instances of EC2 only, and for `user`, who must be named.
    #[serde(default)]
    pub push_key: bool,
}
