//! Conditions of statements.

use serde_json::{Map, Value};

use super::Situation;
use super::document::{PolicyProblem, texts};
use super::pattern::Pattern;

/// What is compared, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equals,
    EqualsIgnoreCase,
    Like,
    Bool,
    /// Whether the key is absent.
    Null,
}

/// One key of one operator.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    test: Test,
    negated: bool,
    if_exists: bool,
    key: String,
    values: Vec<Pattern>,
}

impl Condition {
    /// Reads the condition block of a statement: all of them must hold.
    pub(super) fn parse_all(block: &Map<String, Value>) -> Result<Vec<Self>, PolicyProblem> {
        let mut conditions = Vec::new();
        for (operator, keys) in block {
            let (name, if_exists) = match operator.strip_suffix("IfExists") {
                Some(name) => (name, true),
                None => (operator.as_str(), false),
            };
            let (test, negated) = match name {
                "StringEquals" => (Test::Equals, false),
                "StringNotEquals" => (Test::Equals, true),
                "StringEqualsIgnoreCase" => (Test::EqualsIgnoreCase, false),
                "StringNotEqualsIgnoreCase" => (Test::EqualsIgnoreCase, true),
                // On ARNs AWS compares part by part; the patterns in use here come out the same.
                "StringLike" | "ArnLike" | "ArnEquals" => (Test::Like, false),
                "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => (Test::Like, true),
                "Bool" => (Test::Bool, false),
                "Null" if !if_exists => (Test::Null, false),
                _ => return Err(PolicyProblem::new(format!("the operator {operator} is not understood"))),
            };
            let Value::Object(keys) = keys else {
                return Err(PolicyProblem::new(format!("{operator} needs an object of keys")));
            };
            for (key, values) in keys {
                let values = texts(values, key)?.iter().map(|value| Pattern::parse(value)).collect();
                conditions.push(Self { test, negated, if_exists, key: key.clone(), values });
            }
        }
        Ok(conditions)
    }

    pub(super) fn holds(&self, situation: &Situation<'_>) -> bool {
        let present = situation.key(&self.key);
        if self.test == Test::Null {
            let wanted = if present.is_none() { "true" } else { "false" };
            return self.values.iter().any(|value| value.literal(situation).as_deref() == Some(wanted));
        }
        let Some(found) = present else {
            // Without a value a positive comparison fails and a negated one holds, as for AWS.
            return self.if_exists || self.negated;
        };
        let equal = |value: &Pattern| match self.test {
            Test::Like => value.matches(found, situation, false),
            Test::Equals => value.literal(situation).as_deref() == Some(found),
            Test::EqualsIgnoreCase | Test::Bool => {
                value.literal(situation).is_some_and(|value| value.eq_ignore_ascii_case(found))
            }
            Test::Null => false,
        };
        self.values.iter().any(equal) != self.negated
    }
}
