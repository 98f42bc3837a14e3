//! Handshake bodies (protocol.md 5.3 to 5.5).

use std::time::Duration;

use serde_json::Value;

use super::JsonError;
use super::fields::Fields;
use super::writer::{ObjectWriter, list_or_null, push_value, string};

/// The agent's first message of a session with a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeRequest {
    /// Version of the agent, as it gives it.
    pub agent_version: String,
    /// What the client is asked to do, session type first.
    pub actions: Vec<RequestedAction>,
}

/// One thing the agent asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedAction {
    /// Run a session of this type.
    SessionType {
        /// Name of the agent's plugin: `Standard_Stream`, `InteractiveCommands`, `NonInteractiveCommands`, `Port`.
        session_type: String,
        /// Resolved document properties for `Port`, null otherwise.
        properties: Value,
    },
    /// Seal the session under a data key of this KMS key.
    KmsEncryption {
        /// Key id or ARN.
        key_id: String,
        /// 16 random bytes in base64, from newer agents only.
        challenge: Option<String>,
    },
    /// Something this crate does not know.
    Other {
        /// Its name.
        action_type: String,
        /// Its parameters, unread.
        parameters: Value,
    },
}

const SESSION_TYPE: &str = "SessionType";
const KMS_ENCRYPTION: &str = "KMSEncryption";

impl RequestedAction {
    /// The name of the action on the wire.
    pub fn action_type(&self) -> &str {
        match self {
            Self::SessionType { .. } => SESSION_TYPE,
            Self::KmsEncryption { .. } => KMS_ENCRYPTION,
            Self::Other { action_type, .. } => action_type,
        }
    }

    fn encode(&self) -> String {
        let parameters = match self {
            Self::SessionType { session_type, properties } => ObjectWriter::new()
                .string("SessionType", session_type)
                .value("Properties", properties)
                .finish(),
            Self::KmsEncryption { key_id, challenge } => {
                let writer = ObjectWriter::new().string("KMSKeyId", key_id);
                match challenge {
                    Some(challenge) => writer.string("Challenge", challenge).finish(),
                    None => writer.finish(),
                }
            }
            Self::Other { parameters, .. } => {
                let mut out = String::new();
                push_value(&mut out, parameters);
                out
            }
        };
        ObjectWriter::new()
            .string("ActionType", self.action_type())
            .raw("ActionParameters", &parameters)
            .finish()
    }

    fn decode(value: &Value) -> Result<Self, JsonError> {
        let fields = Fields::from_value(value.clone())?;
        let action_type = fields.text("ActionType")?;
        let parameters = fields.value("ActionParameters").clone();
        match action_type.as_str() {
            SESSION_TYPE => {
                let parameters = Fields::from_value(parameters)?;
                Ok(Self::SessionType {
                    session_type: parameters.text("SessionType")?,
                    properties: parameters.value("Properties").clone(),
                })
            }
            KMS_ENCRYPTION => {
                let parameters = Fields::from_value(parameters)?;
                let challenge = parameters.text("Challenge")?;
                Ok(Self::KmsEncryption {
                    key_id: parameters.text("KMSKeyId")?,
                    challenge: (!challenge.is_empty()).then_some(challenge),
                })
            }
            _ => Ok(Self::Other { action_type, parameters }),
        }
    }
}

impl HandshakeRequest {
    /// The payload.
    pub fn encode(&self) -> String {
        ObjectWriter::new()
            .string("AgentVersion", &self.agent_version)
            .raw("RequestedClientActions", &list_or_null(self.actions.iter().map(RequestedAction::encode)))
            .finish()
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// When it is no object or a known action is malformed.
    pub fn decode(payload: &[u8]) -> Result<Self, JsonError> {
        let fields = Fields::parse(payload)?;
        let actions = fields.list("RequestedClientActions")?.iter().map(RequestedAction::decode);
        Ok(Self { agent_version: fields.text("AgentVersion")?, actions: actions.collect::<Result<_, _>>()? })
    }
}

/// How an action went. Agents accept a session only when every action succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActionStatus {
    /// 1.
    Success,
    /// 2.
    Failed,
    /// 3.
    Unsupported,
    /// Any other number; the official client answers 0 for an action it does not know.
    Other(i64),
}

impl ActionStatus {
    fn from_wire(number: i64) -> Self {
        match number {
            1 => Self::Success,
            2 => Self::Failed,
            3 => Self::Unsupported,
            other => Self::Other(other),
        }
    }

    fn to_wire(self) -> i64 {
        match self {
            Self::Success => 1,
            Self::Failed => 2,
            Self::Unsupported => 3,
            Self::Other(number) => number,
        }
    }
}

/// What an action gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ActionResult {
    /// Nothing: null.
    #[default]
    None,
    /// What `KMSEncryption` gives. The hash of the key is never read (protocol.md 5.4) and always written as null.
    KmsCipherText {
        /// The sealed data key as KMS gave it, in base64.
        key: String,
        /// Whether the challenge of the request is part of the encryption context; written only when it is.
        acknowledges_challenge: bool,
    },
    /// Anything else, unread.
    Other(Value),
}

const KMS_CIPHER_TEXT: &str = "KMSCipherTextKey";
const CHALLENGE_ACKNOWLEDGEMENT: &str = "ChallengeAcknowledgement";

impl ActionResult {
    fn encode(&self) -> String {
        match self {
            Self::None => "null".to_owned(),
            Self::KmsCipherText { key, acknowledges_challenge } => {
                let writer =
                    ObjectWriter::new().string(KMS_CIPHER_TEXT, key).raw("KMSCipherTextHash", "null");
                match acknowledges_challenge {
                    true => writer.raw(CHALLENGE_ACKNOWLEDGEMENT, "true").finish(),
                    false => writer.finish(),
                }
            }
            Self::Other(value) => {
                let mut out = String::new();
                push_value(&mut out, value);
                out
            }
        }
    }

    fn decode(value: &Value) -> Self {
        let fields = Fields::from_value(value.clone());
        let key = fields.as_ref().map(|fields| fields.text(KMS_CIPHER_TEXT).unwrap_or_default());
        let acknowledgement = fields.as_ref().map(|fields| fields.value(CHALLENGE_ACKNOWLEDGEMENT));
        match (value, key) {
            (Value::Null, _) => Self::None,
            (_, Ok(key)) if !key.is_empty() => {
                let acknowledges_challenge = matches!(acknowledgement, Ok(Value::Bool(true)));
                Self::KmsCipherText { key, acknowledges_challenge }
            }
            _ => Self::Other(value.clone()),
        }
    }
}

/// The client's answer to one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessedAction {
    /// Name of the action as it was asked.
    pub action_type: String,
    /// How it went.
    pub status: ActionStatus,
    /// What it gave.
    pub result: ActionResult,
    /// Empty, or `Failed to process action <type>: <why>`.
    pub error: String,
}

impl ProcessedAction {
    fn encode(&self) -> String {
        ObjectWriter::new()
            .string("ActionType", &self.action_type)
            .raw("ActionStatus", &self.status.to_wire().to_string())
            .raw("ActionResult", &self.result.encode())
            .string("Error", &self.error)
            .finish()
    }

    fn decode(value: &Value) -> Result<Self, JsonError> {
        let fields = Fields::from_value(value.clone())?;
        Ok(Self {
            action_type: fields.text("ActionType")?,
            status: ActionStatus::from_wire(fields.value("ActionStatus").as_i64().unwrap_or(0)),
            result: ActionResult::decode(fields.value("ActionResult")),
            error: fields.text("Error")?,
        })
    }
}

/// The client's answer to a handshake request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeResponse {
    /// Version the client reports; agents choose features by it (protocol.md 5.8).
    pub client_version: String,
    /// One entry for each requested action, in the same order.
    pub actions: Vec<ProcessedAction>,
    /// The bare error texts; written as null when there are none.
    pub errors: Vec<String>,
}

impl HandshakeResponse {
    /// The payload.
    pub fn encode(&self) -> String {
        ObjectWriter::new()
            .string("ClientVersion", &self.client_version)
            .raw("ProcessedClientActions", &list_or_null(self.actions.iter().map(ProcessedAction::encode)))
            .raw("Errors", &list_or_null(self.errors.iter().map(|text| string(text))))
            .finish()
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// When it is no object or a member is of the wrong kind.
    pub fn decode(payload: &[u8]) -> Result<Self, JsonError> {
        let fields = Fields::parse(payload)?;
        let text = |value: &Value| value.as_str().map(str::to_owned).ok_or(JsonError::Member("Errors"));
        Ok(Self {
            client_version: fields.text("ClientVersion")?,
            actions: fields
                .list("ProcessedClientActions")?
                .iter()
                .map(ProcessedAction::decode)
                .collect::<Result<_, _>>()?,
            errors: fields.list("Errors")?.iter().map(text).collect::<Result<_, _>>()?,
        })
    }
}

/// The agent's word that the session may begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandshakeComplete {
    /// How long the handshake took; whole nanoseconds on the wire.
    pub time_to_complete: Duration,
    /// Shown to the person when not empty.
    pub customer_message: String,
}

impl HandshakeComplete {
    /// The payload.
    pub fn encode(&self) -> String {
        ObjectWriter::new()
            .raw("HandshakeTimeToComplete", &self.time_to_complete.as_nanos().to_string())
            .string("CustomerMessage", &self.customer_message)
            .finish()
    }

    /// Reads a payload. An unreadable duration counts as zero.
    ///
    /// # Errors
    /// When it is no object or the message is no text.
    pub fn decode(payload: &[u8]) -> Result<Self, JsonError> {
        let fields = Fields::parse(payload)?;
        let nanoseconds = fields.value("HandshakeTimeToComplete").as_u64().unwrap_or(0);
        Ok(Self {
            time_to_complete: Duration::from_nanos(nanoseconds),
            customer_message: fields.text("CustomerMessage")?,
        })
    }
}
