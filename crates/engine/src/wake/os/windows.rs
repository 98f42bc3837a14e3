//! The unbiased interrupt time stands still in sleep and hibernation, the tick count does not.
#![expect(unsafe_code, reason = "two calls of the system that only read clocks")]

use std::time::Duration;

use windows_sys::Win32::System::SystemInformation::GetTickCount64;
use windows_sys::Win32::System::WindowsProgramming::QueryUnbiasedInterruptTime;

use super::Sample;

pub(in crate::wake) fn sample() -> Sample {
    let mut unbiased = 0;
    // SAFETY: the pointer is to a local that outlives the call; the other call takes nothing.
    let total = unsafe {
        // Fails only for a null pointer.
        QueryUnbiasedInterruptTime(&raw mut unbiased);
        GetTickCount64()
    };
    // In units of 100 ns.
    Sample { awake: Duration::from_micros(unbiased / 10), total: Duration::from_millis(total) }
}
