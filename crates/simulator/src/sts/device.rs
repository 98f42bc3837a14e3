//! The MFA devices of the simulated users: time-based one-time passwords (RFC 6238: HMAC-SHA-1, 30 seconds, six digits).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Seconds of one code.
const STEP_S: u64 = 30;
/// Steps before and after the clock's whose codes are taken as well: devices' clocks drift.
const DRIFT: u64 = 1;

/// One device per account, with the steps whose codes were taken: each is good once.
#[derive(Debug, Default)]
pub(crate) struct MfaDevices(Mutex<HashMap<usize, Vec<u64>>>);

impl MfaDevices {
    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Vec<u64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a code of the account's device at this time; `false` if it is wrong or was taken before.
    pub(crate) fn take(&self, account: usize, secret: &[u8], code: &str, unix_s: u64) -> bool {
        let now = unix_s / STEP_S;
        let mut taken = self.lock();
        let taken = taken.entry(account).or_default();
        let step = (now.saturating_sub(DRIFT)..=now + DRIFT).find(|step| digits(secret, *step) == code);
        match step.filter(|step| !taken.contains(step)) {
            Some(step) => {
                taken.retain(|old| *old + 2 * DRIFT >= now);
                taken.push(step);
                true
            }
            None => false,
        }
    }

    /// The code the device shows, or the next one if that was taken; `None` while all that would be taken are.
    pub(crate) fn next_code(&self, account: usize, secret: &[u8], unix_s: u64) -> Option<String> {
        let now = unix_s / STEP_S;
        let taken = self.lock();
        let free = |step: &u64| taken.get(&account).is_none_or(|taken| !taken.contains(step));
        (now..=now + DRIFT).find(free).map(|step| digits(secret, step))
    }
}

/// The code of a step (RFC 4226, 5.3).
fn digits(secret: &[u8], step: u64) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash[hash.len() - 1] & 15);
    let word = hash[offset..offset + 4].iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, SHA-1, the last six of eight digits.
        let secret = b"12345678901234567890";
        for (unix_s, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(digits(secret, unix_s / STEP_S), code);
        }
    }

    #[test]
    fn a_code_is_good_once_and_only_around_its_time() {
        let (devices, secret) = (MfaDevices::default(), b"secret");
        let first = devices.next_code(0, secret, 6_000).unwrap();
        assert!(devices.take(0, secret, &first, 6_000));
        assert!(!devices.take(0, secret, &first, 6_001), "it was taken");
        let next = devices.next_code(0, secret, 6_000).unwrap();
        assert_ne!(first, next);
        assert!(!devices.take(0, secret, &next, 6_000 + 10 * STEP_S), "too late");
        assert!(devices.take(0, secret, &next, 6_000));
        assert_eq!(devices.next_code(0, secret, 6_000), None);
        assert!(devices.take(1, secret, &next, 6_000), "another account has a device of its own");
    }
}
