//! One-time codes of MFA devices: what asks for one, and the code itself.

use std::fmt;

use zeroize::Zeroizing;

/// Stands where AWS has a code, in failures for want of the code of an MFA device.
pub const CODE_NEEDED: &str = "MfaCodeNeeded";

/// A source that waits for the code of its MFA device. However many calls wait, there is one question per source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeAsk {
    /// The source.
    pub source: String,
    /// Serial number or ARN of the device.
    pub serial: String,
    /// Name of the role the code opens; `None` for a session of the user itself.
    pub role: Option<String>,
    /// Life of what the code gives, in seconds.
    pub duration_s: u32,
    /// Calls that wait for it now.
    pub waiting: usize,
    /// Whether a code is being tried at the moment.
    pub trying: bool,
    /// Why the last code did not do.
    pub refused: Option<CodeRefused>,
}

/// A code that AWS did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRefused {
    /// When, in epoch milliseconds. A device shows another code from the next half minute of the clock on.
    pub at_ms: i64,
    /// Whether this very code was given before: each is good once.
    pub used_before: bool,
    /// What AWS said.
    pub text: String,
}

/// Six digits. Wiped when dropped; `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(Zeroizing<String>);

/// The text is not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code has six digits")]
pub struct NotACode;

impl Code {
    /// Reads a code as people type it: six digits, with spaces or a hyphen where they like.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn parse(text: &str) -> Result<Self, NotACode> {
        let mut digits = Zeroizing::new(String::with_capacity(6));
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            if !c.is_ascii_digit() || digits.len() == 6 {
                return Err(NotACode);
            }
            digits.push(c);
        }
        if digits.len() == 6 { Ok(Self(digits)) } else { Err(NotACode) }
    }

    /// The digits, for the call only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_six_digits_however_they_are_grouped() {
        for text in ["407123", "407 123", " 407-123\n", "4 0 7 1 2 3"] {
            assert_eq!(Code::parse(text).map(|code| code.expose().to_owned()).as_deref(), Ok("407123"));
        }
        for text in ["", "40712", "4071234", "40712a", "٤٠٧١٢٣", "407_123"] {
            assert_eq!(Code::parse(text), Err(NotACode), "{text}");
        }
        assert!(!format!("{:?}", Code::parse("407123")).contains("407"));
    }
}
