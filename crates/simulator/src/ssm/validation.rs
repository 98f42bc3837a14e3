//! Constraint violations, worded as the service words them.

use crate::http::failure::ApiFailure;

/// Collects what is wrong with a request, so that all of it is reported at once.
#[derive(Debug, Default)]
pub(crate) struct Violations {
    found: Vec<String>,
}

impl Violations {
    pub(crate) fn required<T>(&mut self, field: &str, value: Option<&T>) {
        if value.is_none() {
            self.add("null", field, "Member must not be null");
        }
    }

    pub(crate) fn range(&mut self, field: &str, value: Option<i64>, least: i64, most: i64) {
        match value {
            Some(v) if v < least => {
                self.add(
                    &quoted(v),
                    field,
                    &format!("Member must have value greater than or equal to {least}"),
                );
            }
            Some(v) if v > most => {
                self.add(&quoted(v), field, &format!("Member must have value less than or equal to {most}"));
            }
            _ => {}
        }
    }

    pub(crate) fn length(&mut self, field: &str, value: Option<&str>, least: usize, most: usize) {
        let Some(value) = value else { return };
        let length = value.chars().count();
        if length < least {
            self.add(
                &quoted(value),
                field,
                &format!("Member must have length greater than or equal to {least}"),
            );
        } else if length > most {
            self.add(&quoted(value), field, &format!("Member must have length less than or equal to {most}"));
        }
    }

    pub(crate) fn one_of(&mut self, field: &str, value: Option<&str>, allowed: &[&str]) {
        if let Some(value) = value
            && !allowed.contains(&value)
        {
            let set = allowed.join(", ");
            self.add(&quoted(value), field, &format!("Member must satisfy enum value set: [{set}]"));
        }
    }

    pub(crate) fn pattern(
        &mut self,
        field: &str,
        value: Option<&str>,
        pattern: &str,
        fits: impl Fn(&str) -> bool,
    ) {
        if let Some(value) = value
            && !fits(value)
        {
            self.add(
                &quoted(value),
                field,
                &format!("Member must satisfy regular expression pattern: {pattern}"),
            );
        }
    }

    pub(crate) fn add(&mut self, value: &str, field: &str, constraint: &str) {
        self.found.push(format!("Value {value} at '{field}' failed to satisfy constraint: {constraint}"));
    }

    pub(crate) fn check(self) -> Result<(), ApiFailure> {
        if self.found.is_empty() { Ok(()) } else { Err(ApiFailure::validation(&self.found)) }
    }
}

fn quoted(value: impl std::fmt::Display) -> String {
    format!("'{value}'")
}
