//! Two clocks of the operating system, one of which stands still while the computer sleeps.

use std::time::Duration;

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "os/linux.rs"]
mod system;
#[cfg(target_vendor = "apple")]
#[path = "os/apple.rs"]
mod system;
#[cfg(windows)]
#[path = "os/windows.rs"]
mod system;
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple", windows)))]
#[path = "os/other.rs"]
mod system;

pub(super) use system::sample;

/// Both clocks at about the same moment, since any fixed start each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// Without sleep.
    pub(super) awake: Duration,
    /// With sleep.
    pub(super) total: Duration,
}
