//! Reads members of a JSON object by name in any case.

use serde_json::{Map, Value};

use super::JsonError;

/// An object with tolerant access. Where two members differ only in case, the exact name wins.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn parse(json: &[u8]) -> Result<Self, JsonError> {
        match serde_json::from_slice(json) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            _ => Err(JsonError::Malformed),
        }
    }

    pub(super) fn from_value(value: Value) -> Result<Self, JsonError> {
        match value {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(JsonError::Malformed),
        }
    }

    /// The member, or null.
    pub(super) fn value(&self, name: &str) -> &Value {
        let tolerant =
            || self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        self.0.get(name).or_else(tolerant).unwrap_or(&Value::Null)
    }

    /// A string; missing or null is empty.
    pub(super) fn text(&self, name: &'static str) -> Result<String, JsonError> {
        match self.value(name) {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text.clone()),
            _ => Err(JsonError::Member(name)),
        }
    }

    /// A list; missing or null is empty.
    pub(super) fn list(&self, name: &'static str) -> Result<&[Value], JsonError> {
        match self.value(name) {
            Value::Null => Ok(&[]),
            Value::Array(items) => Ok(items),
            _ => Err(JsonError::Member(name)),
        }
    }

    /// An integer that must be there.
    pub(super) fn integer(&self, name: &'static str) -> Result<i64, JsonError> {
        self.value(name).as_i64().ok_or(JsonError::Member(name))
    }
}
