//! Policies that allow, as JSON.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Characters a managed policy may have, white space not counted.
pub const MANAGED_POLICY_LIMIT: usize = 6_144;

/// A condition of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// "BoolIfExists".
    pub operator: String,
    /// "ssm:SessionDocumentAccessCheck".
    pub key: String,
    /// Any of these.
    pub values: Vec<String>,
}

/// A statement that allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Letters and digits, unique in its policy.
    pub sid: String,
    /// "ssm:StartSession".
    pub actions: Vec<String>,
    /// ARNs, or `*` for calls that know no resource.
    pub resources: Vec<String>,
    /// All of these.
    pub conditions: Vec<Condition>,
}

impl Statement {
    /// A statement without conditions.
    pub fn allow(sid: &str, actions: Vec<String>, resources: Vec<String>) -> Self {
        Self { sid: sid.to_owned(), actions, resources, conditions: Vec::new() }
    }
}

/// A policy document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Its statements.
    pub statements: Vec<Statement>,
}

impl Policy {
    /// The document as AWS takes it, indented by two spaces.
    pub fn to_json(&self) -> String {
        // Texts and lists only: nothing that JSON cannot hold.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Characters that count against [`MANAGED_POLICY_LIMIT`].
    pub fn size(&self) -> usize {
        self.to_json().chars().filter(|c| !c.is_whitespace()).count()
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("Version", "2012-10-17")?;
        map.serialize_entry("Statement", &self.statements)?;
        map.end()
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Sid", &self.sid)?;
        map.serialize_entry("Effect", "Allow")?;
        map.serialize_entry("Action", &OneOrMany(&self.actions))?;
        map.serialize_entry("Resource", &OneOrMany(&self.resources))?;
        if !self.conditions.is_empty() {
            let mut conditions: BTreeMap<&str, BTreeMap<&str, OneOrMany<'_>>> = BTreeMap::new();
            for condition in &self.conditions {
                conditions
                    .entry(&condition.operator)
                    .or_default()
                    .insert(&condition.key, OneOrMany(&condition.values));
            }
            map.serialize_entry("Condition", &conditions)?;
        }
        map.end()
    }
}

/// A single value stands without a list, as people write it.
struct OneOrMany<'a>(&'a [String]);

impl Serialize for OneOrMany<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [only] => serializer.serialize_str(only),
            many => many.serialize(serializer),
        }
    }
}
