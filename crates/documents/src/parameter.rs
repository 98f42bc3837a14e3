//! Parameters of a document and the values given for them (protocol.md 1.9).

use fancy_regex::Regex;
use serde_json::Value;

use crate::placeholder::closest;

/// What a parameter holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParameterKind {
    /// One text.
    #[default]
    Text,
    /// Any number of texts.
    TextList,
    /// A type this program does not know; values are passed as texts and left to AWS.
    Other,
}

/// A parameter as a document declares it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameter {
    /// Name: letters and digits.
    pub name: String,
    /// What it holds.
    pub kind: ParameterKind,
    /// What it is for, in the author's words.
    pub description: Option<String>,
    /// Values it has when none are given; `None` makes it required.
    pub default: Option<Vec<String>>,
    /// Regular expression every value must match.
    pub allowed_pattern: Option<String>,
    /// The only values allowed; empty allows all.
    pub allowed_values: Vec<String>,
    /// Fewest characters of a value.
    pub min_chars: Option<u64>,
    /// Most characters of a value.
    pub max_chars: Option<u64>,
}

/// Why AWS would refuse a value. `Display` is a sentence for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueProblem {
    /// The document has no such parameter.
    #[error("The document has no parameter {name}.{}", meant.as_ref().map(|name| format!(" Did you mean {name}?")).unwrap_or_default())]
    Unknown {
        /// The name that was given.
        name: String,
        /// What may have been meant.
        meant: Option<String>,
    },
    /// Nothing given, and there is no default.
    #[error("{name} is required.")]
    Missing {
        /// The parameter.
        name: String,
    },
    /// More than one value for a parameter that holds one.
    #[error("{name} takes one value, not {given}.")]
    TooMany {
        /// The parameter.
        name: String,
        /// How many were given.
        given: usize,
    },
    /// Not among the allowed values.
    #[error("“{value}” is not allowed for {name}. Use {}.", .allowed.join(", "))]
    NotListed {
        /// The parameter.
        name: String,
        /// What was given.
        value: String,
        /// What may be given.
        allowed: Vec<String>,
    },
    /// Does not match the pattern.
    #[error("“{value}” does not match the pattern of {name}: {pattern}")]
    Pattern {
        /// The parameter.
        name: String,
        /// What was given.
        value: String,
        /// The pattern.
        pattern: String,
    },
    /// Too short or too long.
    #[error("{name} has {given} characters; {} allowed.", limits(*.min, *.max))]
    Length {
        /// The parameter.
        name: String,
        /// Characters given.
        given: u64,
        /// Fewest.
        min: Option<u64>,
        /// Most.
        max: Option<u64>,
    },
}

/// Judges everything given for a document as AWS does before a session starts: unknown names, then each parameter. Empty
/// when it would start.
pub fn check_given(parameters: &[Parameter], given: &[(String, Vec<String>)]) -> Vec<ValueProblem> {
    let is_known = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
    let unknown = given.iter().filter(|(name, _)| !is_known(name)).map(|(name, _)| {
        let meant = closest(name, parameters.iter().map(|parameter| parameter.name.as_str()));
        ValueProblem::Unknown { name: name.clone(), meant: meant.map(str::to_owned) }
    });
    let wrong = parameters.iter().filter_map(|parameter| {
        let values =
            given.iter().find(|(name, _)| *name == parameter.name).map(|(_, values)| values.as_slice());
        parameter.check_values(values.unwrap_or_default()).err()
    });
    unknown.chain(wrong).collect()
}

fn limits(min: Option<u64>, max: Option<u64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max} are"),
        (Some(min), None) => format!("at least {min} are"),
        (None, Some(max)) => format!("at most {max} are"),
        (None, None) => "any number is".to_owned(),
    }
}

impl Parameter {
    /// Reads a declaration leniently: what cannot be read counts as absent, and [`check`](crate::check) names it.
    pub(crate) fn read(name: &str, declaration: &Value) -> Self {
        let text = |member: &str| declaration.get(member).and_then(Value::as_str).map(str::to_owned);
        let kind = match declaration.get("type").and_then(Value::as_str) {
            Some("String") => ParameterKind::Text,
            Some("StringList") => ParameterKind::TextList,
            _ => ParameterKind::Other,
        };
        Self {
            name: name.to_owned(),
            kind,
            description: text("description"),
            default: declaration.get("default").and_then(texts),
            allowed_pattern: text("allowedPattern"),
            allowed_values: declaration.get("allowedValues").and_then(texts).unwrap_or_default(),
            min_chars: declaration.get("minChars").and_then(Value::as_u64),
            max_chars: declaration.get("maxChars").and_then(Value::as_u64),
        }
    }

    /// Whether a value must be given.
    pub fn is_required(&self) -> bool {
        self.default.is_none()
    }

    /// Judges values as AWS does before a session starts. Refuses only what AWS certainly refuses: a pattern that this
    /// program cannot read is left to AWS, and so is a pattern without anchors that matches a part of the value.
    ///
    /// # Errors
    /// The first rule the values break. No values are fine where there is a default.
    pub fn check_values(&self, values: &[String]) -> Result<(), ValueProblem> {
        let name = || self.name.clone();
        if values.is_empty() {
            return if self.is_required() { Err(ValueProblem::Missing { name: name() }) } else { Ok(()) };
        }
        if self.kind == ParameterKind::Text && values.len() > 1 {
            return Err(ValueProblem::TooMany { name: name(), given: values.len() });
        }
        let pattern = self.allowed_pattern.as_deref().and_then(|pattern| Regex::new(pattern).ok());
        for value in values {
            let value = value.clone();
            if !self.allowed_values.is_empty() && !self.allowed_values.contains(&value) {
                return Err(ValueProblem::NotListed {
                    name: name(),
                    value,
                    allowed: self.allowed_values.clone(),
                });
            }
            // A pattern too hard to evaluate in bounds is AWS's to judge.
            if pattern.as_ref().is_some_and(|pattern| !pattern.is_match(&value).unwrap_or(true)) {
                let pattern = self.allowed_pattern.clone().unwrap_or_default();
                return Err(ValueProblem::Pattern { name: name(), value, pattern });
            }
            let given = value.chars().count() as u64;
            if self.min_chars.is_some_and(|min| given < min) || self.max_chars.is_some_and(|max| given > max)
            {
                return Err(ValueProblem::Length {
                    name: name(),
                    given,
                    min: self.min_chars,
                    max: self.max_chars,
                });
            }
        }
        Ok(())
    }
}

/// A text or a list of texts, as defaults are written.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        plain_value => plain(plain_value).map(|text| vec![text]),
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameter(declaration: Value) -> Parameter {
        Parameter::read("rows", &declaration)
    }

    fn given(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn values_are_judged_by_each_rule() {
        let rows = parameter(json!({"type": "String", "allowedPattern": "^[0-9]{1,3}$"}));
        assert_eq!(rows.check_values(&given(&["200"])), Ok(()));
        assert!(matches!(rows.check_values(&given(&["5000"])), Err(ValueProblem::Pattern { .. })));
        assert!(matches!(rows.check_values(&[]), Err(ValueProblem::Missing { .. })));
        assert!(matches!(rows.check_values(&given(&["1", "2"])), Err(ValueProblem::TooMany { .. })));
        let env = parameter(json!({"type": "String", "allowedValues": ["dev", "prod"], "default": "dev"}));
        assert_eq!(env.check_values(&[]), Ok(()));
        let refused = env.check_values(&given(&["stage"])).unwrap_err();
        assert_eq!(refused.to_string(), "“stage” is not allowed for rows. Use dev, prod.");
        let short = parameter(json!({"type": "String", "minChars": 3, "maxChars": 5}));
        assert_eq!(
            short.check_values(&given(&["äö"])).unwrap_err().to_string(),
            "rows has 2 characters; 3 to 5 are allowed."
        );
        let many = parameter(json!({"type": "StringList", "default": ["a", "b"]}));
        assert_eq!(many.check_values(&given(&["1", "2"])), Ok(()));
        assert_eq!(many.default, Some(given(&["a", "b"])));
    }

    #[test]
    fn everything_given_for_a_document_is_judged() {
        let parameters = [
            Parameter::read("tenant", &json!({"type": "String", "allowedPattern": "^[a-z]+$"})),
            Parameter::read("env", &json!({"type": "String", "default": "dev"})),
        ];
        let one = |name: &str, value: &str| (name.to_owned(), given(&[value]));
        assert_eq!(check_given(&parameters, &[one("tenant", "acme")]), []);
        let said: Vec<String> = check_given(&parameters, &[one("tenat", "acme"), one("env", "prod")])
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            said,
            ["The document has no parameter tenat. Did you mean tenant?", "tenant is required."]
        );
    }

    #[test]
    fn what_only_aws_can_judge_is_left_to_it() {
        let odd = parameter(json!({"type": "String", "allowedPattern": "[unclosed"}));
        assert_eq!(odd.check_values(&given(&["x"])), Ok(()));
        let look_around = parameter(json!({"type": "String", "allowedPattern": "^(?!root$).*$"}));
        assert_eq!(look_around.check_values(&given(&["user"])), Ok(()));
        assert!(look_around.check_values(&given(&["root"])).is_err());
    }
}
