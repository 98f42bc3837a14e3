//! The message id: a UUID whose halves are swapped on the wire (protocol.md 3).

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Id of a message, 16 bytes in RFC 4122 order. `Display` is lower-case 8-4-4-4-12.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageId(pub [u8; 16]);

impl MessageId {
    /// A version 4 id from random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(*uuid::Builder::from_random_bytes(bytes).as_uuid().as_bytes())
    }

    /// Bytes of an id as text.
    pub(crate) const TEXT_BYTES: usize = uuid::fmt::Hyphenated::LENGTH;

    /// The id as text, written into `out`.
    pub(crate) fn write(self, out: &mut [u8; Self::TEXT_BYTES]) -> &str {
        Uuid::from_bytes(self.0).hyphenated().encode_lower(out)
    }

    /// Whether `text` is this id, in any spelling of a UUID.
    pub(crate) fn is_text(self, text: &str) -> bool {
        Uuid::try_parse(text).is_ok_and(|id| *id.as_bytes() == self.0)
    }

    /// The header field: bytes 8 to 15 first, then 0 to 7.
    pub fn to_wire(self) -> [u8; 16] {
        let mut field = self.0;
        field.rotate_left(8);
        field
    }

    /// Reads the header field.
    pub fn from_wire(mut field: [u8; 16]) -> Self {
        field.rotate_left(8);
        Self(field)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

impl FromStr for MessageId {
    type Err = ParseMessageIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(|id| Self(*id.as_bytes())).map_err(|_| ParseMessageIdError)
    }
}

/// A text that is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a message id")]
pub struct ParseMessageIdError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_swapped_on_the_wire_and_back() {
        let id: MessageId = "00112233-4455-4677-8899-aabbccddeeff".parse().unwrap();
        assert_eq!(id.to_wire()[..4], [0x88, 0x99, 0xaa, 0xbb]);
        assert_eq!(MessageId::from_wire(id.to_wire()), id);
        assert_eq!(id.to_string(), "00112233-4455-4677-8899-aabbccddeeff");
    }

    #[test]
    fn random_ids_are_version_four() {
        let id = MessageId::from_random([0xff; 16]).to_string();
        assert_eq!(id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
