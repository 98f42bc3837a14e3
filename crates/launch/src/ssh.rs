//! Starting the system's own `ssh` towards a node, through our proxy, without any change of the user's configuration.

use std::ffi::OsString;

use crate::ssh_config::{Alias, Dialect, quoted_word};

/// A connection of the system's `ssh`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshConnection {
    /// Absolute path of the `fleetline` program, which is the proxy.
    pub proxy: String,
    /// The node's id; host keys are kept under it (SEC-73).
    pub node: Alias,
    /// Source (AWS profile) the proxy looks in.
    pub source: String,
    /// Region the proxy looks in.
    pub region: String,
    /// Port of the SSH server on the node.
    pub port: u16,
    /// User on the node; `None` leaves it to the user's configuration.
    pub user: Option<String>,
    /// Private key file; `None` leaves it to the user's configuration.
    pub key_file: Option<String>,
    /// Whether the proxy pushes the public half of `key_file`, or of the user's own key, by EC2 Instance Connect before it
    /// connects. It is pushed for `user`, who must be named then.
    pub push_key: bool,
}

/// Why `ssh` is not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SshRefused {
    /// A value that cannot be quoted, or that would be taken for an option.
    #[error("{0} cannot be handed to ssh: {1:?}")]
    Value(&'static str, String),
    /// Keys are pushed for a user, and none is named.
    #[error("a key is pushed for a user, and no user is named")]
    NoUser,
}

impl SshConnection {
    /// The arguments of `ssh`, the host last. None of them is secret.
    ///
    /// # Errors
    /// When a value cannot be quoted.
    pub fn arguments(&self, dialect: Dialect) -> Result<Vec<OsString>, SshRefused> {
        let user = match &self.user {
            Some(user) if !is_user(user) => return Err(SshRefused::Value("the user", user.clone())),
            user => user.clone(),
        };
        let mut arguments = vec![
            "-o".to_owned(),
            format!("ProxyCommand={}", self.proxy_command(dialect)?),
            "-o".to_owned(),
            format!("HostKeyAlias={}", self.node),
        ];
        if self.port != 22 {
            arguments.extend(["-p".to_owned(), self.port.to_string()]);
        }
        if let Some(user) = user {
            arguments.extend(["-l".to_owned(), user]);
        }
        if let Some(key_file) = &self.key_file {
            if key_file.starts_with('-') || key_file.contains(char::is_control) {
                return Err(SshRefused::Value("the key file", key_file.clone()));
            }
            // Percent signs begin tokens here as well.
            arguments.extend(["-i".to_owned(), key_file.replace('%', "%%")]);
        }
        arguments.extend(["--".to_owned(), self.node.to_string()]);
        Ok(arguments.into_iter().map(OsString::from).collect())
    }

    /// The `ProxyCommand`, in which `%p` is the port.
    fn proxy_command(&self, dialect: Dialect) -> Result<String, SshRefused> {
        let word = |what, text: &str| {
            quoted_word(text, dialect).ok_or_else(|| SshRefused::Value(what, text.to_owned()))
        };
        let mut command = format!(
            "{} ssh-proxy {} %p --source {} --region {}",
            word("the program", &self.proxy)?,
            word("the node", self.node.as_str())?,
            word("the source", &self.source)?,
            word("the Region", &self.region)?,
        );
        if self.push_key {
            let user = self.user.as_deref().ok_or(SshRefused::NoUser)?;
            command.push_str(&format!(" --push-key --user {}", word("the user", user)?));
            if let Some(key_file) = &self.key_file {
                command.push_str(&format!(" --key-file {}", word("the key file", key_file)?));
            }
        }
        Ok(command)
    }
}

/// A user name that no shell and no `ssh` takes for anything else.
fn is_user(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || "._-@\\".contains(c);
    (1..=64).contains(&text.len()) && !text.starts_with('-') && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> SshConnection {
        SshConnection {
            proxy: "/opt/it's 100%/fleetline".into(),
            node: Alias::new("i-0123456789abcdef0").unwrap(),
            source: "payments prod".into(),
            region: "eu-central-1".into(),
            port: 2222,
            user: Some("ec2-user".into()),
            key_file: Some("/keys/a%b".into()),
            push_key: false,
        }
    }

    #[test]
    fn every_value_is_one_word_for_ssh_and_for_its_shell() {
        let arguments = connection().arguments(Dialect::Sh).unwrap();
        let texts: Vec<&str> = arguments.iter().map(|one| one.to_str().unwrap()).collect();
        assert_eq!(
            texts,
            [
                "-o",
                "ProxyCommand='/opt/it'\\''s 100%%/fleetline' ssh-proxy 'i-0123456789abcdef0' %p --source \
                 'payments prod' --region 'eu-central-1'",
                "-o",
                "HostKeyAlias=i-0123456789abcdef0",
                "-p",
                "2222",
                "-l",
                "ec2-user",
                "-i",
                "/keys/a%%b",
                "--",
                "i-0123456789abcdef0",
            ]
        );
    }

    #[test]
    fn a_key_is_pushed_by_the_proxy_for_a_user_who_is_named() {
        let proxy = |connection: SshConnection| {
            connection.arguments(Dialect::Sh).map(|arguments| arguments[1].to_str().unwrap().to_owned())
        };
        let pushing = SshConnection { push_key: true, ..connection() };
        assert!(
            proxy(pushing.clone())
                .unwrap()
                .ends_with(" --region 'eu-central-1' --push-key --user 'ec2-user' --key-file '/keys/a%%b'")
        );
        let usual = SshConnection { key_file: None, ..pushing.clone() };
        assert!(proxy(usual).unwrap().ends_with(" --push-key --user 'ec2-user'"));
        assert_eq!(proxy(SshConnection { user: None, ..pushing }), Err(SshRefused::NoUser));
    }

    #[test]
    fn what_could_be_an_option_or_end_a_quote_is_refused() {
        for user in ["-oProxyCommand=x", "a b", "a;b", "$(x)", ""] {
            assert!(
                SshConnection { user: Some(user.into()), ..connection() }.arguments(Dialect::Sh).is_err()
            );
        }
        for source in ["", "-x", "a\nb"] {
            assert!(SshConnection { source: source.into(), ..connection() }.arguments(Dialect::Sh).is_err());
        }
        let windows = SshConnection { proxy: "C:\\x%y".into(), ..connection() };
        assert!(windows.arguments(Dialect::Windows).is_err());
        assert!(
            SshConnection { key_file: Some("-x".into()), ..connection() }.arguments(Dialect::Sh).is_err()
        );
    }
}
