//! The AWS CLI line that starts the same session.

use serde_json::Value;

/// Whose quoting a line follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// sh, bash, zsh.
    Posix,
    /// PowerShell 7.3 or later, which passes arguments unchanged to programs.
    PowerShell,
}

/// A session to start, as the AWS CLI names its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartCommand {
    /// Node id or other target.
    pub target: String,
    /// Document; `None` is the account's default shell.
    pub document: Option<String>,
    /// Parameters with their values, in order.
    pub parameters: Vec<(String, Vec<String>)>,
    /// Reason kept in the session record.
    pub reason: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// AWS profile.
    pub profile: Option<String>,
}

impl StartCommand {
    /// The arguments, program first, unquoted. Parameters are given as JSON, which holds every value.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> =
            ["aws", "ssm", "start-session", "--target", &self.target].map(str::to_owned).into();
        let mut option = |name: &str, value: &str| arguments.extend([name.to_owned(), value.to_owned()]);
        if let Some(document) = &self.document {
            option("--document-name", document);
        }
        if !self.parameters.is_empty() {
            let texts = |values: &[String]| Value::from(values.to_vec()).to_string();
            let members: Vec<String> = self
                .parameters
                .iter()
                .map(|(name, values)| format!("{}:{}", Value::from(name.clone()), texts(values)))
                .collect();
            option("--parameters", &format!("{{{}}}", members.join(",")));
        }
        for (name, value) in
            [("--reason", &self.reason), ("--region", &self.region), ("--profile", &self.profile)]
        {
            if let Some(value) = value {
                option(name, value);
            }
        }
        arguments
    }

    /// One line to paste into a shell.
    pub fn line(&self, shell: Shell) -> String {
        self.arguments().iter().map(|argument| quote(argument, shell)).collect::<Vec<_>>().join(" ")
    }
}

/// An argument as it must be written for a shell to read it back.
pub fn quote(argument: &str, shell: Shell) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    match shell {
        Shell::Posix => format!("'{}'", argument.replace('\'', "'\\''")),
        Shell::PowerShell => format!("'{}'", argument.replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> StartCommand {
        StartCommand {
            target: "mi-0b7d15e84f2ca9360".to_owned(),
            document: Some("Corp-LedgerConsole".to_owned()),
            parameters: vec![
                ("tenant".to_owned(), vec!["acme-eu".to_owned()]),
                ("note".to_owned(), vec!["it's \"x\" $HOME, y".to_owned()]),
            ],
            reason: Some("CHG-48213 month-end".to_owned()),
            region: Some("eu-central-1".to_owned()),
            profile: None,
        }
    }

    #[test]
    fn a_line_is_exact_whatever_the_values_hold() {
        assert_eq!(
            command().line(Shell::PowerShell),
            "aws ssm start-session --target mi-0b7d15e84f2ca9360 --document-name Corp-LedgerConsole --parameters \
             '{\"tenant\":[\"acme-eu\"],\"note\":[\"it''s \\\"x\\\" $HOME, y\"]}' --reason 'CHG-48213 month-end' \
             --region eu-central-1"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_posix_shell_reads_the_line_back_as_the_arguments() {
        let line = command().line(Shell::Posix);
        let printed = std::process::Command::new("sh")
            .args(["-c", &format!("printf '%s\\0' {line}")])
            .output()
            .expect("sh runs");
        let read = String::from_utf8(printed.stdout).expect("text");
        assert_eq!(read.split_terminator('\0').collect::<Vec<_>>(), command().arguments());
    }
}
