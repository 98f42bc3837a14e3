//! The entry of Windows' credential store by which its own client gets a password (SEC-62).
//!
//! mstsc looks for an entry named `TERMSRV/HOST` when it connects. Ours is kept for this session of the user only, is made
//! right before the start and goes a minute after it. An entry that is there already is never touched: it is the user's own,
//! or that of another start, whose node is another one.

use std::io;

use super::{Desktop, UserName};
use crate::password::WindowsPassword;

#[cfg(windows)]
mod windows;

/// An entry of ours; dropping it takes it away.
#[derive(Debug)]
pub struct Credential {
    #[cfg(windows)]
    _entry: windows::Entry,
}

impl Credential {
    /// Makes the entry for a start. `None`: there is one already, so that the user types the password.
    ///
    /// # Errors
    /// When the store refuses.
    pub(super) fn place(target: &str, user: &str, password: &WindowsPassword) -> io::Result<Option<Self>> {
        #[cfg(windows)]
        return Ok(windows::Entry::place(target, user, password)?.map(|_entry| Self { _entry }));
        #[cfg(not(windows))]
        {
            let _ = (target, user, password);
            Ok(None)
        }
    }
}

/// The user as the store names one: with the domain in front, where there is one.
pub(super) fn account(desktop: &Desktop) -> Option<String> {
    let user: &UserName = desktop.user.as_ref()?;
    Some(match &desktop.domain {
        Some(domain) if !user.as_str().contains(['\\', '@']) => format!("{domain}\\{user}"),
        _ => user.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_named_once() {
        let mut desktop = Desktop::new(([127, 0, 0, 1], 13389).into(), "win-1");
        assert_eq!(account(&desktop), None);
        desktop.user = UserName::new("ann");
        assert_eq!(account(&desktop).as_deref(), Some("ann"));
        desktop.domain = UserName::new("CORP");
        assert_eq!(account(&desktop).as_deref(), Some("CORP\\ann"));
        for whole in ["OTHER\\ann", "ann@corp.example"] {
            desktop.user = UserName::new(whole);
            assert_eq!(account(&desktop).as_deref(), Some(whole));
        }
    }
}
