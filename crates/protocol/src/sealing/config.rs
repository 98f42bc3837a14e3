//! What the two roles need to know to seal.

use std::fmt;
use std::sync::Arc;

use super::aead::Aead;
use crate::secret::SessionId;

/// Lets a client seal; for [`ClientConfig::sealing`](crate::ClientConfig::sealing).
#[derive(Clone)]
pub struct ClientSealing {
    /// The cipher.
    pub aead: Arc<dyn Aead>,
    /// The session, for the encryption context.
    pub session_id: SessionId,
    /// Target string of StartSession, for the encryption context. The agent uses its own instance id, so the two
    /// must be the same text.
    pub target: String,
    /// Whether the challenge of newer agents is put into the encryption context and acknowledged. Default true.
    pub acknowledges_challenge: bool,
}

impl ClientSealing {
    /// The defaults, for one session.
    pub fn new(aead: Arc<dyn Aead>, session_id: SessionId, target: impl Into<String>) -> Self {
        Self { aead, session_id, target: target.into(), acknowledges_challenge: true }
    }
}

impl fmt::Debug for ClientSealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSealing")
            .field("session_id", &self.session_id)
            .field("target", &self.target)
            .field("acknowledges_challenge", &self.acknowledges_challenge)
            .finish_non_exhaustive()
    }
}

/// Makes an agent demand sealing; for [`AgentConfig::sealing`](crate::AgentConfig::sealing).
#[derive(Clone)]
pub struct SealingOffer {
    /// The cipher.
    pub aead: Arc<dyn Aead>,
    /// Key id or ARN of the KMS key the client is to use.
    pub key_id: String,
    /// Whether the request carries a random challenge, as newer agents do. Default true.
    pub has_challenge: bool,
    /// Whether a client that does not acknowledge the challenge is refused (`Kms.RequireKMSChallengeResponse`).
    /// Default false.
    pub requires_acknowledgement: bool,
}

impl SealingOffer {
    /// The defaults, with that key.
    pub fn new(aead: Arc<dyn Aead>, key_id: impl Into<String>) -> Self {
        Self { aead, key_id: key_id.into(), has_challenge: true, requires_acknowledgement: false }
    }
}

impl fmt::Debug for SealingOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingOffer")
            .field("key_id", &self.key_id)
            .field("has_challenge", &self.has_challenge)
            .field("requires_acknowledgement", &self.requires_acknowledgement)
            .finish_non_exhaustive()
    }
}

/// What KMS is to be asked with: `GenerateDataKey` by the client, for 64 bytes, and `Decrypt` by the agent
/// (protocol.md 5.6). Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataKeyRequest {
    /// Key id or ARN the agent named.
    pub key_id: String,
    /// Names and values of the encryption context; both sides must use the same.
    pub encryption_context: Vec<(String, String)>,
}

impl DataKeyRequest {
    pub(crate) fn new(
        key_id: &str,
        session_id: &SessionId,
        target: &str,
        acknowledged_challenge: Option<&str>,
    ) -> Self {
        let mut encryption_context = vec![
            ("aws:ssm:SessionId".to_owned(), session_id.as_str().to_owned()),
            ("aws:ssm:TargetId".to_owned(), target.to_owned()),
        ];
        if let Some(challenge) = acknowledged_challenge {
            encryption_context.push(("aws:ssm:RandomChallenge".to_owned(), challenge.to_owned()));
        }
        Self { key_id: key_id.to_owned(), encryption_context }
    }
}
