use super::JsonError;
use super::fields::Fields;
use super::writer::ObjectWriter;

/// Body of EncChallengeRequest and EncChallengeResponse, one shape for both (protocol.md 5.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncChallenge {
    /// The sealed challenge in its wire form, in base64.
    pub challenge: String,
}

impl EncChallenge {
    /// The payload.
    pub fn encode(&self) -> String {
        ObjectWriter::new().string("Challenge", &self.challenge).finish()
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// When it is no object or the challenge is no text.
    pub fn decode(payload: &[u8]) -> Result<Self, JsonError> {
        Ok(Self { challenge: Fields::parse(payload)?.text("Challenge")? })
    }
}
