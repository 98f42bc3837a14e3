//! The administrator's password of an EC2 Windows node.
//!
//! `GetPasswordData` gives it encrypted with the launch key pair: RSA PKCS#1 v1.5 in Base64, empty until Windows has set
//! it. It is decrypted here with the user's key file. Key and password are wiped after use and never shown by `Debug`.

mod pem;

use std::fmt;

use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Largest key file read, in bytes.
const KEY_LIMIT: usize = 64 * 1024;

/// A password in the clear. Shown by nothing but [`Self::expose`].
pub struct WindowsPassword(Zeroizing<String>);

impl WindowsPassword {
    /// A password from elsewhere, as one the user has typed.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The password, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WindowsPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WindowsPassword(..)")
    }
}

/// Why there is no password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// EC2 has none yet: Windows sets it within 15 minutes of the first start, and not at all from some images.
    #[error("EC2 has no password for this node yet; Windows sets it within 15 minutes after launch")]
    NotReady,
    /// What EC2 sent is not Base64.
    #[error("EC2's answer is no encrypted password")]
    Answer,
    /// The file holds no private key in a known format.
    #[error("the file holds no private key; choose the .pem file of the node's key pair")]
    NoKey,
    /// A certificate or a public key.
    #[error("the file holds {0}, not a private key; choose the .pem file of the node's key pair")]
    NotPrivate(String),
    /// The key is protected by a passphrase.
    #[error(
        "the key file is protected by a passphrase; make a copy without one: openssl rsa -in KEY -out COPY"
    )]
    Protected,
    /// OpenSSH's own format.
    #[error("the key file has OpenSSH's own format; convert a copy of it: ssh-keygen -p -m PEM -f COPY")]
    OpenSsh,
    /// PuTTY's own format.
    #[error("the key file has PuTTY's format; export it as an OpenSSH key in PEM format with PuTTYgen")]
    Putty,
    /// A key of a kind that cannot decrypt.
    #[error("{0} keys cannot decrypt a password; only nodes launched with an RSA key pair have one")]
    Kind(&'static str),
    /// The key is damaged, or smaller than 2048 bits.
    #[error("the key in the file cannot be used: {0}")]
    Key(String),
    /// The key is another one's.
    #[error("the key does not fit: it is not the one this node was launched with")]
    WrongKey,
}

/// Decrypts what `GetPasswordData` has returned with the content of a key file: `RSA PRIVATE KEY` (PKCS#1) or
/// `PRIVATE KEY` (PKCS#8), without a passphrase.
pub fn decrypt(password_data: &str, key_file: &[u8]) -> Result<WindowsPassword, PasswordError> {
    let data: String = password_data.split_ascii_whitespace().collect();
    if data.is_empty() {
        return Err(PasswordError::NotReady);
    }
    let sealed = STANDARD.decode(data).map_err(|_| PasswordError::Answer)?;
    if key_file.len() > KEY_LIMIT {
        return Err(PasswordError::NoKey);
    }
    let key = pem::pkcs8(key_file)?;
    let key = PrivateDecryptingKey::from_pkcs8(&key).map_err(|e| PasswordError::Key(e.to_string()))?;
    let key = Pkcs1PrivateDecryptingKey::new(key).map_err(|e| PasswordError::Key(e.to_string()))?;
    let mut plain = Zeroizing::new(vec![0_u8; key.min_output_size()]);
    let opened = key.decrypt(&sealed, &mut plain).map_err(|_| PasswordError::WrongKey)?;
    // A wrong key may open to noise instead of failing.
    let text = std::str::from_utf8(opened).map_err(|_| PasswordError::WrongKey)?;
    if text.is_empty() || text.contains(char::is_control) {
        return Err(PasswordError::WrongKey);
    }
    Ok(WindowsPassword::new(text.to_owned()))
}
