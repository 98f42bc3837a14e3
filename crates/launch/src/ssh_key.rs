//! Public keys for EC2 Instance Connect.
//!
//! The service takes RSA and Ed25519 keys in the form of OpenSSH's `.pub` files, 80 to 4,096 characters, for a user of 1
//! to 32 characters (API reference of SendSSHPublicKey). Private keys never get here: only files that hold a public one
//! are read, at most [`KEY_FILE_LIMIT`] bytes.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Largest file read, in bytes: more than any public key has.
pub const KEY_FILE_LIMIT: u64 = 16 * 1024;

/// Longest key the service takes, in characters.
const LONGEST: usize = 4096;

/// Kinds of keys the service takes.
const KINDS: [&str; 2] = ["ssh-ed25519", "ssh-rsa"];

/// Files below `.ssh` that are looked for when none is named, in this order.
pub const USUAL_KEYS: [&str; 2] = ["id_ed25519.pub", "id_rsa.pub"];

/// A public key that the service would take: its kind and its data, without the comment, which may name a person.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(String);

impl PublicKey {
    /// Reads the content of a `.pub` file: one line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, KeyRefused> {
        if text.contains("PRIVATE KEY") {
            return Err(KeyRefused::Private);
        }
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (Some(line), None) = (lines.next(), lines.next()) else { return Err(KeyRefused::Form) };
        let mut words = line.split_ascii_whitespace();
        let (Some(kind), Some(data)) = (words.next(), words.next()) else { return Err(KeyRefused::Form) };
        let bytes = STANDARD.decode(data).map_err(|_| KeyRefused::Form)?;
        // The data begins with the kind once more, after its length (RFC 4253, 6.6).
        let named = bytes.split_at_checked(4).and_then(|(length, rest)| {
            let length = u32::from_be_bytes(length.try_into().ok()?);
            rest.get(..usize::try_from(length).ok()?)
        });
        if named != Some(kind.as_bytes()) {
            return Err(KeyRefused::Form);
        }
        if !KINDS.contains(&kind) {
            return Err(KeyRefused::Kind(kind.to_owned()));
        }
        let key = format!("{kind} {data}");
        if key.len() > LONGEST { Err(KeyRefused::Form) } else { Ok(Self(key)) }
    }

    /// Kind and data, with a space between them.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.0)
    }
}

/// Why a key is not sent. `Display` goes on after the file's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    /// It holds a private key.
    #[error("holds a private key")]
    Private,
    /// It is not one public key as OpenSSH writes them.
    #[error("is no public key of OpenSSH")]
    Form,
    /// A kind the service does not take. Keys in hardware and on the P curves are such.
    #[error("holds a key of the kind {0:?}, and EC2 Instance Connect takes Ed25519 and RSA only")]
    Kind(String),
}

/// The file with the public half of the key that `ssh` is given with `-i`: the file itself when it is named like one.
pub fn public_file(key_file: &Path) -> PathBuf {
    if key_file.extension().is_some_and(|extension| extension == "pub") {
        return key_file.to_owned();
    }
    let mut name = key_file.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

/// Whether the service takes this as the name of a user:
/// `^[A-Za-z_][A-Za-z0-9@._-]{0,30}[A-Za-z0-9$_-]?$`.
pub fn is_os_user(text: &str) -> bool {
    let middle = |b: u8| b.is_ascii_alphanumeric() || b"@._-".contains(&b);
    let last = |b: u8| b.is_ascii_alphanumeric() || b"$_-".contains(&b);
    let bytes = text.as_bytes();
    let Some((first, rest)) = bytes.split_first() else { return false };
    let begins = first.is_ascii_alphabetic() || *first == b'_';
    let goes_on = match rest.split_last() {
        None => true,
        Some((end, between)) => {
            between.iter().all(|b| middle(*b)) && (last(*end) || (middle(*end) && rest.len() <= 30))
        }
    };
    begins && goes_on && bytes.len() <= 32
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGECjpCgIi5Agl9dVqE6eYVu/iZTwF6RkYtBYIDk5oI5";

    fn of_kind(kind: &str) -> String {
        let mut bytes = u32::try_from(kind.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend(kind.as_bytes());
        bytes.extend([7; 60]);
        format!("{kind} {}", STANDARD.encode(bytes))
    }

    #[test]
    fn a_key_is_sent_without_its_comment() {
        for text in [format!("{ED25519} ann@laptop\n"), format!("# mine\n\n  {ED25519}\r\n"), ED25519.into()]
        {
            assert_eq!(PublicKey::read(&text).unwrap().as_str(), ED25519);
        }
        assert!(PublicKey::read(&of_kind("ssh-rsa")).is_ok());
    }

    #[test]
    fn what_the_service_would_not_take_is_refused_by_name() {
        let refused = |text: &str| PublicKey::read(text).unwrap_err();
        assert_eq!(refused("-----BEGIN OPENSSH PRIVATE KEY-----\n"), KeyRefused::Private);
        for kind in ["ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com", "ssh-dss"] {
            assert_eq!(refused(&of_kind(kind)), KeyRefused::Kind(kind.to_owned()));
        }
        let other_kind = of_kind("ssh-rsa").replace("ssh-rsa", "ssh-ed25519");
        let two = format!("{ED25519}\n{ED25519}\n");
        let long = format!("ssh-rsa {}", STANDARD.encode([&b"\0\0\0\x07ssh-rsa"[..], &[0; 4096]].concat()));
        for text in ["", "ssh-ed25519", "ssh-ed25519 %%%", "ssh-ed25519 AAAA", &other_kind, &two, &long] {
            assert_eq!(refused(text), KeyRefused::Form, "{text}");
        }
    }

    #[test]
    fn the_public_half_stands_beside_the_private_one() {
        assert_eq!(public_file(Path::new("/k/a b")), Path::new("/k/a b.pub"));
        assert_eq!(public_file(Path::new("/k/node.pem")), Path::new("/k/node.pem.pub"));
        assert_eq!(public_file(Path::new("/k/id.pub")), Path::new("/k/id.pub"));
    }

    #[test]
    fn users_are_those_of_the_service() {
        let long = "a".repeat(32);
        for user in ["ec2-user", "_x", "a", "ann@corp", "svc$", &long, "a.b"] {
            assert!(is_os_user(user), "{user}");
        }
        let longer = "a".repeat(33);
        for user in ["", "-x", "1a", "a b", "a$b", "a;b", "é", &longer] {
            assert!(!is_os_user(user), "{user}");
        }
    }
}
