//! The certificate of a node's desktop, remembered by its digest (SEC-63).
//!
//! The name in it never fits a loopback address, so the certificate itself is what is trusted: shown at first use,
//! and asked about when it changes. To see it before a client does, one connects, sends [`NEGOTIATION_REQUEST`], reads
//! the answer with [`read_negotiation`] and begins TLS ([MS-RDPBCGR] 2.2.1.1 and 2.2.1.2).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};

/// The SHA-256 digest of a certificate in DER form. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CertificatePin(pub [u8; 32]);

impl CertificatePin {
    /// The digest of a certificate.
    pub fn of(certificate: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, certificate).as_ref());
        Self(bytes)
    }

    /// The digits in pairs, as clients show them: `ab:cd:…`.
    pub fn pairs(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(":")
    }
}

impl fmt::Display for CertificatePin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CertificatePin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificatePin({self})")
    }
}

/// A text is no pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits")]
pub struct NoPin;

impl FromStr for CertificatePin {
    type Err = NoPin;

    fn from_str(text: &str) -> Result<Self, NoPin> {
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NoPin);
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).map_err(|_| NoPin)?;
        }
        Ok(Self(bytes))
    }
}

/// What a certificate means for a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It is the one that was trusted.
    Known,
    /// There was none before: show it, then remember it.
    First,
    /// It is another one than before: stop and ask. The node was rebuilt, or something is in between.
    Changed,
}

impl Trust {
    /// Judges the certificate seen by the one remembered.
    pub fn judge(remembered: Option<CertificatePin>, seen: CertificatePin) -> Self {
        match remembered {
            None => Self::First,
            Some(remembered) if remembered == seen => Self::Known,
            Some(_) => Self::Changed,
        }
    }
}

/// Asks a desktop to continue with TLS, with or without its own sign-in inside.
pub const NEGOTIATION_REQUEST: [u8; 19] = [
    // TPKT: version 3, 19 bytes.
    0x03, 0x00, 0x00, 0x13, // X.224 connection request of 14 bytes.
    0x0e, 0xe0, 0x00, 0x00, 0x00, 0x00, 0x00, // RDP_NEG_REQ: no flags, 8 bytes, TLS or CredSSP.
    0x01, 0x00, 0x08, 0x00, 0x03, 0x00, 0x00, 0x00,
];

/// What a desktop has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Negotiation {
    /// More bytes are needed.
    Open,
    /// TLS begins with the next byte we send.
    Tls,
    /// It only speaks RDP's own old security, which has no certificate to trust.
    OldSecurity,
    /// It refuses, with the code of its failure.
    Refused(u32),
    /// It is no remote desktop.
    Other,
}

/// Reads the answer to [`NEGOTIATION_REQUEST`] from all bytes received so far.
pub fn read_negotiation(bytes: &[u8]) -> Negotiation {
    /// Longest answer that makes sense.
    const LIMIT: usize = 512;
    if bytes.first().is_some_and(|first| *first != 3) {
        return Negotiation::Other;
    }
    let Some(&[_, _, high, low]) = bytes.first_chunk() else { return Negotiation::Open };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if !(11..=LIMIT).contains(&length) {
        return Negotiation::Other;
    }
    let Some(answer) = bytes.get(..length) else { return Negotiation::Open };
    // Connection confirm.
    if answer[5] & 0xf0 != 0xd0 {
        return Negotiation::Other;
    }
    let Some(&[kind, _, _, _, a, b, c, d]) = answer.get(11..19).and_then(|n| n.first_chunk()) else {
        return Negotiation::OldSecurity;
    };
    let value = u32::from_le_bytes([a, b, c, d]);
    match (kind, value) {
        (2, 0) => Negotiation::OldSecurity,
        (2, _) => Negotiation::Tls,
        (3, code) => Negotiation::Refused(code),
        _ => Negotiation::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pins_are_written_and_read() {
        let pin = CertificatePin::of(b"certificate");
        assert_eq!(pin.to_string().parse(), Ok(pin));
        assert_eq!(pin.pairs().split(':').count(), 32);
        // From `printf abc | sha256sum`.
        assert!(CertificatePin::of(b"abc").to_string().starts_with("ba7816bf8f01cfea"));
        for bad in ["", "ab", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(bad.parse::<CertificatePin>(), Err(NoPin));
        }
    }

    #[test]
    fn only_the_certificate_that_was_trusted_is_known() {
        let (old, new) = (CertificatePin([1; 32]), CertificatePin([2; 32]));
        assert_eq!(Trust::judge(None, new), Trust::First);
        assert_eq!(Trust::judge(Some(old), old), Trust::Known);
        assert_eq!(Trust::judge(Some(old), new), Trust::Changed);
    }

    fn answer(kind: u8, value: u32) -> Vec<u8> {
        let mut bytes = vec![3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, kind, 0, 8, 0];
        bytes.extend(value.to_le_bytes());
        bytes
    }

    #[test]
    fn answers_of_desktops_are_told_apart() {
        for protocol in [1, 2, 8] {
            assert_eq!(read_negotiation(&answer(2, protocol)), Negotiation::Tls);
        }
        assert_eq!(read_negotiation(&answer(2, 0)), Negotiation::OldSecurity);
        assert_eq!(read_negotiation(&answer(3, 5)), Negotiation::Refused(5));
        assert_eq!(read_negotiation(&[3, 0, 0, 11, 6, 0xd0, 0, 0, 0, 0, 0]), Negotiation::OldSecurity);
        let whole = answer(2, 1);
        for cut in 0..whole.len() {
            assert_eq!(read_negotiation(&whole[..cut]), Negotiation::Open, "{cut}");
        }
        for other in [
            &b"SSH-2.0-x\r\n"[..],
            &[3, 0, 0, 4],
            &[3, 0, 0xff, 0xff],
            &[3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(read_negotiation(other), Negotiation::Other, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40), kind: u8) {
            read_negotiation(&bytes);
            read_negotiation(&[&[3, 0, 0, kind][..], &bytes].concat());
        }
    }
}
