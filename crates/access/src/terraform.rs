//! Policies as Terraform.

use std::fmt::Write as _;

use crate::policy::{Policy, Statement};

impl Policy {
    /// An `aws_iam_policy_document` of this name with the same statements. Variables of IAM are written `&{…}`, since
    /// Terraform reads `${…}` as its own.
    pub fn to_terraform(&self, name: &str) -> String {
        let mut text = format!("data \"aws_iam_policy_document\" {} {{\n", quoted(name));
        for (at, statement) in self.statements.iter().enumerate() {
            if at > 0 {
                text.push('\n');
            }
            write_statement(&mut text, statement);
        }
        text.push_str("}\n");
        text
    }
}

fn write_statement(text: &mut String, statement: &Statement) {
    text.push_str("  statement {\n");
    // Writing to a String cannot fail.
    let _ = writeln!(text, "    sid    = {}\n    effect = \"Allow\"", quoted(&statement.sid));
    write_list(text, "actions", &statement.actions);
    write_list(text, "resources", &statement.resources);
    for condition in &statement.conditions {
        let values: Vec<String> = condition.values.iter().map(|value| quoted(value)).collect();
        let _ = write!(
            text,
            "\n    condition {{\n      test     = {}\n      variable = {}\n      values   = [{}]\n    }}\n",
            quoted(&condition.operator),
            quoted(&condition.key),
            values.join(", ")
        );
    }
    text.push_str("  }\n");
}

fn write_list(text: &mut String, name: &str, values: &[String]) {
    let _ = writeln!(text, "\n    {name} = [");
    for value in values {
        let _ = writeln!(text, "      {},", quoted(value));
    }
    text.push_str("    ]\n");
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '$' if chars.peek() == Some(&'{') => quoted.push('&'),
            '%' if chars.peek() == Some(&'{') => quoted.push_str("%%"),
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_literal_for_terraform() {
        for (text, written) in [
            ("session/${aws:userid}-*", r#""session/&{aws:userid}-*""#),
            ("100%{x}", r#""100%%{x}""#),
            ("a\"b\\c\nd", r#""a\"b\\c\nd""#),
        ] {
            assert_eq!(quoted(text), written);
        }
    }
}
