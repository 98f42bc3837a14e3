//! The file that is ours: how `ssh` reaches nodes and saved names.

use std::fmt;
use std::fmt::Write;

/// A name for `ssh`: `^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$` (SEC-73).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias(String);

impl Alias {
    /// `None` when the text is no alias.
    pub fn new(text: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let good = (1..=63).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(fits);
        good.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has the form of a node's id, which means the node.
    fn is_node(&self) -> bool {
        self.0.starts_with("i-") || self.0.starts_with("mi-")
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who reads the `ProxyCommand`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A POSIX shell.
    Sh,
    /// Windows' command line.
    Windows,
}

impl Dialect {
    /// This system's.
    pub const HERE: Self = if cfg!(windows) { Self::Windows } else { Self::Sh };
}

/// A saved name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostEntry {
    /// What is typed after `ssh`.
    pub alias: Alias,
    /// The node's id when it is fixed: the proxy is asked for it, and host keys are kept under it. Otherwise both
    /// use the alias.
    pub node: Option<Alias>,
    /// User on the node.
    pub user: Option<String>,
    /// Port of the SSH server, when it is not 22.
    pub port: Option<u16>,
    /// Private key file.
    pub key_file: Option<String>,
    /// Whether the proxy pushes the key's public half for `user` by EC2 Instance Connect before it connects.
    pub push_key: bool,
}

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// Absolute path of the `fleetline` program.
    pub program: String,
    /// Saved names.
    pub hosts: Vec<HostEntry>,
}

/// Why the file cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnFileError {
    /// A path with characters that cannot be quoted, or a relative one.
    #[error("the program's path cannot be written into an SSH configuration: {0:?}")]
    Program(String),
    /// A user name or key file that cannot be written.
    #[error("{what} of {alias} cannot be written into an SSH configuration")]
    Value {
        /// Whose.
        alias: Alias,
        /// Which.
        what: &'static str,
    },
    /// A key is pushed for a user, and none is named.
    #[error("{0} is to have a key pushed, which needs the name of a user")]
    NoUser(Alias),
    /// An alias that is a node's id, or is there twice.
    #[error("the name {0} cannot be used twice or stand for another node")]
    Alias(Alias),
}

impl OwnFile {
    /// The file's text. Node ids are handed to the proxy quoted, and only names without a quote match, so that no name
    /// ends the quotes; the proxy checks what it gets once more.
    pub fn text(&self, dialect: Dialect) -> Result<String, OwnFileError> {
        let program = quoted_program(&self.program, dialect)
            .ok_or_else(|| OwnFileError::Program(self.program.clone()))?;
        let mut text = String::from(
            "# Written by Fleetline, and again with every change of the saved names: edits here are lost.\n\
             # `fleetline ssh-config remove` takes this file and its Include line away.\n",
        );
        // Writing to a String cannot fail.
        for (at, host) in self.hosts.iter().enumerate() {
            if host.alias.is_node() || self.hosts[..at].iter().any(|other| other.alias == host.alias) {
                return Err(OwnFileError::Alias(host.alias.clone()));
            }
            let alias = &host.alias;
            let value = |text: &str, what| {
                quoted_value(text).ok_or_else(|| OwnFileError::Value { alias: alias.clone(), what })
            };
            let _ = writeln!(text, "\nHost {alias}");
            let _ = writeln!(text, "    HostName {alias}");
            let target = host.node.as_ref().unwrap_or(alias);
            let _ = writeln!(text, "    HostKeyAlias {target}");
            if let Some(user) = &host.user {
                let user_fits =
                    !user.starts_with('-') && !user.contains(['\'', '`', '$', ';', '&', '|', '<', '>']);
                let user = user_fits.then(|| value(user, "the user name"));
                let user = user.unwrap_or_else(|| {
                    Err(OwnFileError::Value { alias: alias.clone(), what: "the user name" })
                })?;
                let _ = writeln!(text, "    User {user}");
            }
            if let Some(port) = host.port {
                let _ = writeln!(text, "    Port {port}");
            }
            if let Some(key) = &host.key_file {
                // Percent signs begin tokens here.
                let key = value(&key.replace('%', "%%"), "the key file")?;
                let _ = writeln!(text, "    IdentityFile {key}");
            }
            let push = match (host.push_key, &host.user) {
                (false, _) => String::new(),
                (true, None) => return Err(OwnFileError::NoUser(alias.clone())),
                (true, Some(user)) => {
                    let word = |text: &str, what| {
                        quoted_word(text, dialect)
                            .ok_or_else(|| OwnFileError::Value { alias: alias.clone(), what })
                    };
                    let key = match &host.key_file {
                        Some(key) => format!(" --key-file {}", word(key, "the key file")?),
                        None => String::new(),
                    };
                    format!(" --push-key --user {}{key}", word(user, "the user name")?)
                }
            };
            let _ = writeln!(text, "    ProxyCommand {program} ssh-proxy {target} %p{push}");
        }
        let nodes = match dialect {
            Dialect::Sh => "Host i-* mi-* \"!*'*\"\n    ProxyCommand {program} ssh-proxy '%h' %p\n",
            Dialect::Windows => {
                "Host i-* mi-* !*\\\"* !*%*\n    ProxyCommand {program} ssh-proxy \"%h\" %p\n"
            }
        };
        text.push('\n');
        text.push_str(&nodes.replace("{program}", &program));
        Ok(text)
    }
}

/// The program for the start of a `ProxyCommand`, where `%` begins a token.
fn quoted_program(path: &str, dialect: Dialect) -> Option<String> {
    if path.contains(char::is_control) {
        return None;
    }
    let tokens = path.replace('%', "%%");
    match dialect {
        Dialect::Sh => path.starts_with('/').then(|| format!("'{}'", tokens.replace('\'', "'\\''"))),
        // Between quotes nothing but the quote and variables is special to Windows, and no path has a quote.
        Dialect::Windows => {
            let absolute = path.get(1..3).is_some_and(|sep| sep == ":\\") || path.starts_with("\\\\");
            (absolute && !path.contains(['"', '%'])).then(|| format!("\"{path}\""))
        }
    }
}

/// One word for the shell that runs a `ProxyCommand`, after `ssh` has read its `%` tokens.
pub(crate) fn quoted_word(text: &str, dialect: Dialect) -> Option<String> {
    if text.is_empty() || text.starts_with('-') || text.contains(char::is_control) {
        return None;
    }
    match dialect {
        Dialect::Sh => Some(format!("'{}'", text.replace('%', "%%").replace('\'', "'\\''"))),
        Dialect::Windows => (!text.contains(['"', '%'])).then(|| format!("\"{text}\"")),
    }
}

/// A value in double quotes, as every version of OpenSSH reads it in the same way.
fn quoted_value(text: &str) -> Option<String> {
    let hard = |c: char| c.is_control() || c == '"' || c == '\\' && !cfg!(windows);
    (!text.is_empty() && !text.contains(hard)).then(|| format!("\"{text}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(alias: &str) -> HostEntry {
        HostEntry {
            alias: Alias::new(alias).unwrap(),
            node: None,
            user: None,
            port: None,
            key_file: None,
            push_key: false,
        }
    }

    #[test]
    fn the_whole_file_for_sh_and_windows() {
        let ledger = HostEntry {
            node: Alias::new("i-0123456789abcdef0"),
            user: Some("ec2-user".into()),
            port: Some(2222),
            key_file: Some("~/.ssh/my key 100%".into()),
            ..host("ledger")
        };
        let pushed = HostEntry {
            user: Some("ubuntu".into()),
            key_file: Some("~/my key 1%".into()),
            push_key: true,
            ..host("pushed")
        };
        let hosts = vec![ledger, host("web.1"), pushed];
        let file = OwnFile { program: "/opt/it's here/fleetline".into(), hosts };
        let text = file.text(Dialect::Sh).unwrap();
        let (_, rest) = text.split_once("\n\n").unwrap();
        assert_eq!(
            rest,
            "Host ledger
    HostName ledger
    HostKeyAlias i-0123456789abcdef0
    User \"ec2-user\"
    Port 2222
    IdentityFile \"~/.ssh/my key 100%%\"
    ProxyCommand '/opt/it'\\''s here/fleetline' ssh-proxy i-0123456789abcdef0 %p

Host web.1
    HostName web.1
    HostKeyAlias web.1
    ProxyCommand '/opt/it'\\''s here/fleetline' ssh-proxy web.1 %p

Host pushed
    HostName pushed
    HostKeyAlias pushed
    User \"ubuntu\"
    IdentityFile \"~/my key 1%%\"
    ProxyCommand '/opt/it'\\''s here/fleetline' ssh-proxy pushed %p --push-key --user 'ubuntu' --key-file '~/my key 1%%'

Host i-* mi-* \"!*'*\"
    ProxyCommand '/opt/it'\\''s here/fleetline' ssh-proxy '%h' %p
"
        );
        let file = OwnFile { program: "C:\\Program Files\\Fleetline\\fleetline.exe".into(), hosts: vec![] };
        let text = file.text(Dialect::Windows).unwrap();
        assert!(text.ends_with(
            "Host i-* mi-* !*\\\"* !*%*\n    ProxyCommand \"C:\\Program Files\\Fleetline\\fleetline.exe\" ssh-proxy \"%h\" %p\n"
        ));
    }

    #[test]
    fn what_cannot_be_written_safely_is_refused() {
        for (path, dialect) in [
            ("fleetline", Dialect::Sh),
            ("/a\nb", Dialect::Sh),
            ("fleetline.exe", Dialect::Windows),
            ("C:\\a\"b", Dialect::Windows),
            ("C:\\%TEMP%\\x", Dialect::Windows),
        ] {
            let file = OwnFile { program: path.into(), hosts: vec![] };
            assert!(matches!(file.text(dialect), Err(OwnFileError::Program(_))), "{path}");
        }
        let text = |host: HostEntry| OwnFile { program: "/f".into(), hosts: vec![host] }.text(Dialect::Sh);
        for user in ["-oProxyCommand=x", "a\nb", "a\"b", "$(x)", ""] {
            assert!(text(HostEntry { user: Some(user.into()), ..host("a") }).is_err(), "{user}");
        }
        assert!(text(HostEntry { key_file: Some("a\nProxyCommand x".into()), ..host("a") }).is_err());
        let no_user = text(HostEntry { push_key: true, ..host("a") });
        assert_eq!(no_user, Err(OwnFileError::NoUser(Alias::new("a").unwrap())));
        assert!(matches!(text(host("i-1")), Err(OwnFileError::Alias(_))));
        let twice = OwnFile { program: "/f".into(), hosts: vec![host("a"), host("a")] };
        assert!(matches!(twice.text(Dialect::Sh), Err(OwnFileError::Alias(_))));
        for bad in ["", "-a", ".a", "a b", "a*", "a\n", &"a".repeat(64)] {
            assert_eq!(Alias::new(bad), None, "{bad}");
        }
    }
}
