//! Filters of the two inventory calls.

use serde::Deserialize;

use super::fields::Seen;
use super::validation::Violations;
use crate::http::failure::ApiFailure;

/// `Filters` of DescribeInstanceInformation and `FiltersWithOperator` of DescribeInstanceProperties.
#[derive(Debug, Deserialize, serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StringFilter {
    key: Option<String>,
    #[serde(default)]
    values: Vec<String>,
    operator: Option<String>,
}

/// `InstanceInformationFilterList` and `InstancePropertyFilterList`.
#[derive(Debug, Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyFilter {
    key: Option<String>,
    #[serde(default)]
    value_set: Vec<String>,
}

/// How a filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    BeginWith,
    LessThan,
    GreaterThan,
}

/// A checked filter.
#[derive(Debug)]
pub(super) struct Filter {
    key: String,
    values: Vec<String>,
    operator: Operator,
}

const OPERATORS: &[&str] = &["Equal", "NotEqual", "BeginWith", "LessThan", "GreaterThan"];

/// Checks both forms of a call's filters. `keys` are the valid ones besides tags; `most_values` is the limit per
/// filter; `value_error` is the code for a value that no node can have.
pub(super) fn checked(
    legacy: &[KeyFilter],
    filters: &[StringFilter],
    (legacy_field, field): (&str, &str),
    keys: &[&str],
    most_values: usize,
    value_error: &'static str,
) -> Result<Vec<Filter>, ApiFailure> {
    if !legacy.is_empty() && !filters.is_empty() {
        return Err(ApiFailure::new(
            "ValidationException",
            format!("{legacy_field} and {field} cannot be used in the same request."),
        ));
    }
    let mut violations = Violations::default();
    let plain = legacy.iter().map(|f| (legacy_field, f.key.as_ref(), &f.value_set, None));
    let with_operator = filters.iter().map(|f| (field, f.key.as_ref(), &f.values, f.operator.as_deref()));
    let mut result = Vec::new();
    for (place, (list, key, values, operator)) in plain.chain(with_operator).enumerate() {
        let path = format!("{list}.{}.member", place + 1);
        violations.required(&format!("{path}.key"), key);
        violations.length(&format!("{path}.key"), key.map(String::as_str), 1, 100_000);
        violations.one_of(&format!("{path}.operator"), operator, OPERATORS);
        if values.is_empty() || values.len() > most_values {
            let limit = if values.is_empty() {
                "greater than or equal to 1".to_owned()
            } else {
                format!("less than or equal to {most_values}")
            };
            violations.add(
                &format!("'{values:?}'"),
                &format!("{path}.values"),
                &format!("Member must have length {limit}"),
            );
        }
        result.push(Filter {
            key: key.cloned().unwrap_or_default(),
            values: values.clone(),
            operator: match operator {
                Some("NotEqual") => Operator::NotEqual,
                Some("BeginWith") => Operator::BeginWith,
                Some("LessThan") => Operator::LessThan,
                Some("GreaterThan") => Operator::GreaterThan,
                _ => Operator::Equal,
            },
        });
    }
    violations.check()?;
    for filter in &result {
        filter.check_key_and_values(keys, value_error)?;
    }
    let tags = result.iter().filter(|f| f.is_tag()).count();
    if tags > 0 && tags < result.len() {
        return Err(ApiFailure::new(
            "InvalidFilterKey",
            "Tag filters cannot be combined with other filters in the same request.",
        ));
    }
    Ok(result)
}

impl Filter {
    fn is_tag(&self) -> bool {
        self.key == "tag-key" || self.key.starts_with("tag:")
    }

    fn check_key_and_values(&self, keys: &[&str], value_error: &'static str) -> Result<(), ApiFailure> {
        let known = keys.contains(&self.key.as_str()) || (self.is_tag() && self.key != "tag:");
        if !known {
            return Err(ApiFailure::new(
                "InvalidFilterKey",
                format!(
                    "The filter key '{}' is not valid. Valid keys: {}, tag-key, tag:.",
                    self.key,
                    keys.join(", ")
                ),
            ));
        }
        let allowed: &[&str] = match self.key.as_str() {
            "PingStatus" => &["Online", "ConnectionLost", "Inactive"],
            "PlatformTypes" => &["Windows", "Linux", "MacOS"],
            "ResourceType" => {
                &["ManagedInstance", "EC2Instance", "AWS::EC2::Instance", "AWS::SSM::ManagedInstance"]
            }
            "AssociationStatus" => &["Success", "Pending", "Failed", "Skipped"],
            _ => return Ok(()),
        };
        match self.values.iter().find(|v| !allowed.contains(&v.as_str())) {
            Some(value) if matches!(self.operator, Operator::Equal | Operator::NotEqual) => {
                Err(ApiFailure::new(
                    value_error,
                    format!(
                        "The value '{value}' is not valid for filter {}. Valid values: {}.",
                        self.key,
                        allowed.join(", ")
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    /// The ids the filter names, if it is one that names ids.
    pub(super) fn ids(&self) -> Option<&[String]> {
        (self.key == "InstanceIds" && self.operator == Operator::Equal).then_some(self.values.as_slice())
    }

    pub(super) fn matches(&self, seen: &Seen<'_>) -> bool {
        let have = seen.filter_values(&self.key).unwrap_or_default();
        let any = |test: &dyn Fn(&str, &str) -> bool| {
            have.iter().any(|h| self.values.iter().any(|wanted| test(h, wanted)))
        };
        match self.operator {
            Operator::Equal => any(&|have, wanted| have == wanted || alias(wanted) == Some(have)),
            Operator::NotEqual => !any(&|have, wanted| have == wanted || alias(wanted) == Some(have)),
            Operator::BeginWith => any(&|have, wanted| have.starts_with(wanted)),
            Operator::LessThan => any(&|have, wanted| numbers(have) < numbers(wanted)),
            Operator::GreaterThan => any(&|have, wanted| numbers(have) > numbers(wanted)),
        }
    }
}

/// The other spelling of a resource type that filters accept.
fn alias(wanted: &str) -> Option<&'static str> {
    match wanted {
        "AWS::EC2::Instance" => Some("EC2Instance"),
        "AWS::SSM::ManagedInstance" => Some("ManagedInstance"),
        _ => None,
    }
}

/// Splits a version at its dots so that it compares by number; text parts compare after numbers.
fn numbers(text: &str) -> Vec<(u64, String)> {
    text.split('.')
        .map(|part| part.parse().map_or_else(|_| (u64::MAX, part.to_owned()), |n| (n, String::new())))
        .collect()
}
