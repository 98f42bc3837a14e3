//! The key that seals the sessions of an account-Region, and what a node does with it.

use fleetline_protocol::{DataKey, DataKeyRequest};

use super::{ask, find, usable};
use crate::shared::Shared;

/// The KMS key in an account-Region's session preferences, which its shells and commands are then sealed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKey {
    /// Key id, ARN, alias or ARN of an alias. The agents give it to clients as it stands here; there need not be such
    /// a key.
    pub key_id: String,
    /// Whether agents send a random challenge along, as newer ones do (protocol.md 5.3). Default `true`.
    pub has_challenge: bool,
    /// Whether agents refuse clients that do not acknowledge the challenge (protocol.md 5.4). Default `false`.
    pub requires_acknowledgement: bool,
}

impl SessionKey {
    /// The defaults, with this key.
    pub fn new(key_id: impl Into<String>) -> Self {
        Self { key_id: key_id.into(), has_challenge: true, requires_acknowledgement: false }
    }
}

/// Opens a client's data key as a node does that is known to IAM as `node_arn`.
///
/// # Errors
/// What the agent writes into its log. KMS refuses, or gives something that is no data key of a session.
pub(crate) fn open_data_key(
    shared: &Shared,
    account: usize,
    region: &str,
    node_arn: &str,
    request: DataKeyRequest,
    blob: &[u8],
) -> Result<DataKey, String> {
    let account = &shared.world.accounts[account];
    let key = find(shared, account, region, &request.key_id).map_err(|failure| failure.message)?;
    if let Some(text) = shared.live.denial(node_arn, &[ask("kms:Decrypt", &key)]) {
        return Err(text);
    }
    usable(shared, &key).map_err(|failure| failure.message)?;
    let context = request.encryption_context.into_iter().collect();
    let plain = key.open(blob, &context).map_err(|_| "InvalidCiphertextException".to_owned())?;
    DataKey::from_plain(&plain).map_err(|error| error.to_string())
}
