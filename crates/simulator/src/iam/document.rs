//! Policy documents.

use serde_json::{Map, Value};

use super::Situation;
use super::condition::Condition;
use super::pattern::Pattern;

/// Why a text is no policy that can be evaluated here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy cannot be used: {0}")]
pub struct PolicyProblem(String);

impl PolicyProblem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// A policy document.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug)]
struct Statement {
    allow: bool,
    actions: Vec<Pattern>,
    not_actions: bool,
    resources: Vec<Pattern>,
    not_resources: bool,
    conditions: Vec<Condition>,
}

impl Document {
    pub(super) fn parse(json: &str) -> Result<Self, PolicyProblem> {
        let value: Value =
            serde_json::from_str(json).map_err(|error| PolicyProblem::new(error.to_string()))?;
        let Value::Object(document) = value else { return Err(PolicyProblem::new("it is not an object")) };
        only(&document, &["Version", "Id", "Statement"])?;
        if let Some(version) = document.get("Version")
            && version != "2012-10-17"
            && version != "2008-10-17"
        {
            return Err(PolicyProblem::new(format!("there is no version {version}")));
        }
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => {
                statements.iter().map(Statement::parse).collect::<Result<_, _>>()?
            }
            Some(statement) => vec![Statement::parse(statement)?],
            None => return Err(PolicyProblem::new("it has no Statement")),
        };
        Ok(Self { statements })
    }

    pub(super) fn allows(&self, situation: &Situation<'_>) -> bool {
        self.statements.iter().any(|statement| statement.allow && statement.applies(situation))
    }

    pub(super) fn denies(&self, situation: &Situation<'_>) -> bool {
        self.statements.iter().any(|statement| !statement.allow && statement.applies(situation))
    }
}

impl Statement {
    fn parse(value: &Value) -> Result<Self, PolicyProblem> {
        let Value::Object(statement) = value else {
            return Err(PolicyProblem::new("a statement is not an object"));
        };
        let known = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
        only(statement, &known)?;
        let allow = match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err(PolicyProblem::new("Effect must be Allow or Deny")),
        };
        let (actions, not_actions) = one_of(statement, "Action", "NotAction")?;
        let (resources, not_resources) = one_of(statement, "Resource", "NotResource")?;
        let conditions = match statement.get("Condition") {
            None => Vec::new(),
            Some(Value::Object(block)) => Condition::parse_all(block)?,
            Some(_) => return Err(PolicyProblem::new("Condition must be an object")),
        };
        Ok(Self { allow, actions, not_actions, resources, not_resources, conditions })
    }

    fn applies(&self, situation: &Situation<'_>) -> bool {
        // Names of actions are compared without regard to case, resources with it.
        let action = self.actions.iter().any(|pattern| pattern.matches(situation.action, situation, true));
        let resource = self.resources.iter().any(|pattern| {
            situation.resources.iter().any(|resource| pattern.matches(resource, situation, false))
        });
        action != self.not_actions
            && resource != self.not_resources
            && self.conditions.iter().all(|condition| condition.holds(situation))
    }
}

fn one_of(
    statement: &Map<String, Value>,
    name: &str,
    not: &str,
) -> Result<(Vec<Pattern>, bool), PolicyProblem> {
    let (values, negated) = match (statement.get(name), statement.get(not)) {
        (Some(values), None) => (texts(values, name)?, false),
        (None, Some(values)) => (texts(values, not)?, true),
        _ => return Err(PolicyProblem::new(format!("a statement needs either {name} or {not}"))),
    };
    Ok((values.iter().map(|value| Pattern::parse(value)).collect(), negated))
}

/// A text, a list of texts, or a boolean in place of a text.
pub(super) fn texts(value: &Value, name: &str) -> Result<Vec<String>, PolicyProblem> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        _ => Err(PolicyProblem::new(format!("{name} must be a text or a list of texts"))),
    };
    match value {
        Value::Array(values) if values.is_empty() => Err(PolicyProblem::new(format!("{name} is empty"))),
        Value::Array(values) => values.iter().map(text).collect(),
        value => Ok(vec![text(value)?]),
    }
}

fn only(object: &Map<String, Value>, known: &[&str]) -> Result<(), PolicyProblem> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(PolicyProblem::new(format!("{key} is not understood"))),
        None => Ok(()),
    }
}
