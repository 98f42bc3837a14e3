//! The first message on a new socket: the only text message of the data channel.

use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use zeroize::Zeroizing;

use super::JsonError;
use super::writer::push_string;
use crate::secret::StreamToken;

/// Longest open message that is read. Tokens have at most 300 characters (protocol.md 1.2).
const MAX_BYTES: usize = 16 * 1024;

/// Authenticates a new socket to the gateway (protocol.md 2.1 and 2.2). Holds a secret: `Debug` hides the token.
#[derive(Clone, Debug)]
pub struct OpenMessage {
    /// Fresh for every socket, a UUID as text.
    pub request_id: String,
    /// What StartSession or ResumeSession gave.
    pub token: StreamToken,
    /// Which side opens.
    pub opener: Opener,
}

/// Which side opens a socket, and what it says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opener {
    /// A client.
    Client {
        /// Constant for the life of the client, a UUID as text.
        client_id: String,
        /// Four numbers with dots; clients before 1.2.677 sent none.
        client_version: Option<String>,
    },
    /// An agent.
    Agent {
        /// Id of its node.
        instance_id: String,
    },
}

impl OpenMessage {
    /// The message. The text holds the token; it is wiped when dropped.
    pub fn encode(&self) -> Zeroizing<String> {
        // Large enough that growing never leaves a copy of the token behind.
        let mut out = Zeroizing::new(String::with_capacity(1024 + self.token.expose().len() * 6));
        out.push_str("{\"MessageSchemaVersion\":\"1.0\"");
        let mut member = |name: &str, text: &str| {
            out.push_str(",\"");
            out.push_str(name);
            out.push_str("\":");
            push_string(&mut out, text);
        };
        member("RequestId", &self.request_id);
        member("TokenValue", self.token.expose());
        match &self.opener {
            Opener::Client { client_id, client_version } => {
                member("ClientId", client_id);
                if let Some(version) = client_version {
                    member("ClientVersion", version);
                }
            }
            Opener::Agent { instance_id } => {
                member("ClientInstanceId", instance_id);
                member("ClientId", "");
            }
        }
        out.push('}');
        out
    }

    /// Reads a message. A `ClientInstanceId` member, even an empty one, makes it an agent's (protocol.md 2.2).
    ///
    /// # Errors
    /// When it is no object, has no token, or is longer than 16 KiB.
    pub fn decode(text: &str) -> Result<Self, JsonError> {
        if text.len() > MAX_BYTES {
            return Err(JsonError::TooLong(MAX_BYTES));
        }
        let members: Members = serde_json::from_str(text).map_err(|_| JsonError::Malformed)?;
        let opener = match members.instance_id {
            Some(instance_id) => Opener::Agent { instance_id },
            None => Opener::Client {
                client_id: members.client_id.unwrap_or_default(),
                client_version: members.client_version,
            },
        };
        Ok(Self {
            request_id: members.request_id.unwrap_or_default(),
            token: members.token.ok_or(JsonError::Member("TokenValue"))?,
            opener,
        })
    }
}

/// The members as they come. Read straight into place so that the token is never in an unprotected value.
#[derive(Default)]
struct Members {
    request_id: Option<String>,
    token: Option<StreamToken>,
    client_id: Option<String>,
    client_version: Option<String>,
    instance_id: Option<String>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an open message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            match name.to_ascii_lowercase().as_str() {
                "requestid" => members.request_id = map.next_value()?,
                "tokenvalue" => members.token = map.next_value::<Option<String>>()?.map(StreamToken::new),
                "clientid" => members.client_id = map.next_value()?,
                "clientversion" => members.client_version = map.next_value()?,
                "clientinstanceid" => members.instance_id = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(members)
    }
}
