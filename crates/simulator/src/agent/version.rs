//! What an agent can do by its version (protocol.md 5.8 and 8.6).

/// The last agents that do not know the flag that terminates a session.
const NO_TERMINATE_FLAG: [u64; 4] = [2, 3, 722, 0];
/// The first agents that know the property `host`; older ones connect to themselves whatever it says.
const KNOWS_HOST: [u64; 4] = [3, 1, 1374, 0];
/// The first agents that refuse more addresses than those of the metadata services.
const LONG_DENY_LIST: [u64; 4] = [3, 3, 4851, 0];

/// Whether the flag TerminateSession means something to an agent of this version.
pub(super) fn knows_terminate_flag(version: &str) -> bool {
    numbers(version) > NO_TERMINATE_FLAG
}

/// Whether an agent of this version forwards to other hosts.
pub(super) fn knows_host(version: &str) -> bool {
    numbers(version) >= KNOWS_HOST
}

/// Whether an agent of this version refuses loopback addresses and the credential endpoints of containers too.
pub(super) fn has_long_deny_list(version: &str) -> bool {
    numbers(version) >= LONG_DENY_LIST
}

/// Four numbers; what is missing or no number is 0.
fn numbers(version: &str) -> [u64; 4] {
    let mut numbers = [0; 4];
    for (number, part) in numbers.iter_mut().zip(version.split('.')) {
        *number = part.parse().unwrap_or(0);
    }
    numbers
}

/// Whether `version` is four numbers, as agents have.
pub(crate) fn is_version(version: &str) -> bool {
    let parts: Vec<&str> = version.split('.').collect();
    parts.len() == 4 && parts.iter().all(|part| part.parse::<u64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::{has_long_deny_list, is_version, knows_host, knows_terminate_flag};

    #[test]
    fn features_begin_at_their_versions() {
        let cases = [
            ("2.3.722.0", false, false, false),
            ("2.3.723.0", true, false, false),
            ("3.0.197.0", true, false, false),
            ("3.1.1374.0", true, true, false),
            ("3.3.4850.9", true, true, false),
            ("3.3.4851.0", true, true, true),
        ];
        for (version, flag, host, denies) in cases {
            let found = (knows_terminate_flag(version), knows_host(version), has_long_deny_list(version));
            assert_eq!(found, (flag, host, denies), "{version}");
        }
    }

    #[test]
    fn versions_have_four_numbers() {
        assert!(is_version("3.3.987.0"));
        for text in ["", "3.3.987", "3.3.987.0.1", "3.3.x.0", "3.3.-1.0"] {
            assert!(!is_version(text), "{text}");
        }
    }
}
