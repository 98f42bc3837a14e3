//! Orders people expect: digits in names as numbers, addresses as addresses.

use std::net::IpAddr;

/// A byte key whose order is the order of the text without regard to case, with runs of digits as numbers: `pay-9`
/// stands before `pay-10`.
pub(crate) fn name_key(text: &str) -> Box<[u8]> {
    let mut key = Vec::with_capacity(text.len() + 4);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_ascii_digit() {
            let end = rest.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
            let digits = rest[..end].trim_start_matches('0').as_bytes();
            // A number is a digit byte, its length, its digits: longer numbers are larger. Runs of more than 255
            // digits are cut into several.
            for run in digits.chunks(255).chain(digits.is_empty().then_some(&[][..])) {
                key.push(b'0');
                key.push(u8::try_from(run.len()).unwrap_or(u8::MAX));
                key.extend_from_slice(run);
            }
            rest = &rest[end..];
        } else {
            for lower in c.to_lowercase() {
                key.extend_from_slice(lower.encode_utf8(&mut [0; 4]).as_bytes());
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    key.into_boxed_slice()
}

/// The first 16 bytes as a number, so that numbers that differ are in the order of the bytes.
pub(crate) fn prefix(bytes: &[u8]) -> u128 {
    let mut first = [0; 16];
    let len = bytes.len().min(16);
    first[..len].copy_from_slice(&bytes[..len]);
    u128::from_be_bytes(first)
}

/// Class (0 for IPv4, 1 for IPv6) and number of an address; `None` for text that is none.
pub(crate) fn address_key(text: &str) -> Option<(u8, u128)> {
    match text.parse().ok()? {
        IpAddr::V4(ip) => Some((0, u128::from(u32::from(ip)))),
        IpAddr::V6(ip) => Some((1, u128::from(ip))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_sort_as_numbers_and_case_is_ignored() {
        let mut names = ["web-10", "Web-9", "web", "web-1a", "web-1", "api", "web-010x", "ä", "web-2"];
        names.sort_by_key(|n| name_key(n));
        assert_eq!(names, ["api", "web", "web-1", "web-1a", "web-2", "Web-9", "web-10", "web-010x", "ä"]);
    }

    #[test]
    fn zero_and_endless_digits_have_keys() {
        assert!(name_key("n0") < name_key("n1"));
        assert!(name_key(&"9".repeat(300)) < name_key(&"9".repeat(301)));
    }

    #[test]
    fn addresses_sort_as_numbers() {
        assert!(address_key("10.9.0.1") < address_key("10.10.0.1"));
        assert!(address_key("255.255.255.255") < address_key("::1"));
        assert_eq!(address_key("10.0.0"), None);
    }
}
