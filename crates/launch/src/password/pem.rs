//! Key files, as far as they hold RSA keys in the clear.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::PasswordError;

/// The key of a file as PKCS#8.
pub(super) fn pkcs8(file: &[u8]) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let text = std::str::from_utf8(file).map_err(|_| PasswordError::NoKey)?;
    let text = text.trim_start_matches('\u{feff}');
    if text.starts_with("PuTTY-User-Key-File-") {
        return Err(PasswordError::Putty);
    }
    let mut other = PasswordError::NoKey;
    let mut rest = text;
    // A file may hold parameters or certificates before the key.
    while let Some((label, body, after)) = section(rest) {
        match label {
            "RSA PRIVATE KEY" if body.contains("ENCRYPTED") => return Err(PasswordError::Protected),
            "ENCRYPTED PRIVATE KEY" => return Err(PasswordError::Protected),
            "RSA PRIVATE KEY" => return wrap(&decode(body)?),
            "PRIVATE KEY" => return check(decode(body)?),
            "OPENSSH PRIVATE KEY" => return Err(PasswordError::OpenSsh),
            "EC PRIVATE KEY" => return Err(PasswordError::Kind("elliptic curve")),
            "DSA PRIVATE KEY" => return Err(PasswordError::Kind("DSA")),
            label => other = PasswordError::NotPrivate(format!("a {}", label.to_lowercase())),
        }
        rest = after;
    }
    Err(other)
}

/// The next section: its label, what is in it, and what follows.
fn section(text: &str) -> Option<(&str, &str, &str)> {
    let (_, text) = text.split_once("-----BEGIN ")?;
    let (label, text) = text.split_once("-----")?;
    let (body, after) = text.split_once("-----END ")?;
    Some((label, body, after))
}

fn decode(body: &str) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let mut digits = Zeroizing::new(Vec::with_capacity(body.len()));
    digits.extend(body.bytes().filter(|b| !b.is_ascii_whitespace()));
    let mut key = Zeroizing::new(vec![0; base64::decoded_len_estimate(digits.len())]);
    let length = STANDARD
        .decode_slice(&digits, &mut key)
        .map_err(|_| PasswordError::Key("it is not in Base64".to_owned()))?;
    key.truncate(length);
    Ok(key)
}

/// `SEQUENCE { INTEGER 0, SEQUENCE { rsaEncryption, NULL }, OCTET STRING key }`, RFC 5208.
fn wrap(key: &[u8]) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    const START: &[u8] = &[
        0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
        0x00,
    ];
    let octets = header(0x04, key.len())?;
    let mut whole = Zeroizing::new(Vec::with_capacity(key.len() + START.len() + 10));
    whole.extend_from_slice(&header(0x30, START.len() + octets.len() + key.len())?);
    whole.extend_from_slice(START);
    whole.extend_from_slice(&octets);
    whole.extend_from_slice(key);
    Ok(whole)
}

/// Tag and length of a DER value.
fn header(tag: u8, length: usize) -> Result<Vec<u8>, PasswordError> {
    let too_long = || PasswordError::Key("it is too long".to_owned());
    let length = u16::try_from(length).map_err(|_| too_long())?;
    Ok(match length.to_be_bytes() {
        [0, low] if low < 0x80 => vec![tag, low],
        [0, low] => vec![tag, 0x81, low],
        [high, low] => vec![tag, 0x82, high, low],
    })
}

/// Names the kinds of keys that PKCS#8 may hold besides RSA by their object identifiers.
fn check(key: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    const KINDS: [(&[u8], &str); 4] = [
        (&[0x06, 0x03, 0x2b, 0x65, 0x70], "Ed25519"),
        (&[0x06, 0x03, 0x2b, 0x65, 0x71], "Ed448"),
        (&[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01], "elliptic curve"),
        (&[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01], "DSA"),
    ];
    let start = &key[..key.len().min(40)];
    for (identifier, kind) in KINDS {
        if start.windows(identifier.len()).any(|window| window == identifier) {
            return Err(PasswordError::Kind(kind));
        }
    }
    Ok(key)
}
