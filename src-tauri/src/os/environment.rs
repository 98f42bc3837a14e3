//! Changes to this process's environment. They are unsafe because another thread might be reading it, so all of them
//! happen at the very start of `run`, before anything is spawned.

use std::env;

/// Removes a variable.
#[expect(unsafe_code, reason = "changing the environment is unsafe in this edition")]
pub(super) fn remove(name: &str) {
    // SAFETY: called from `os::prepare`, when the process has one thread.
    unsafe { env::remove_var(name) }
}

/// Sets a variable that the user has not set.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "changing the environment is unsafe in this edition")]
pub(super) fn set_default(name: &str, value: &str) {
    if env::var_os(name).is_none() {
        // SAFETY: called from `os::prepare`, when the process has one thread.
        unsafe { env::set_var(name, value) }
    }
}
