//! Three calls of Windows' credential store.
#![allow(unsafe_code, reason = "the credential store has no safe interface")]

use std::io;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};

use windows_sys::Win32::Foundation::ERROR_NOT_FOUND;
use windows_sys::Win32::Security::Credentials::{
    CRED_PERSIST_SESSION, CRED_TYPE_GENERIC, CREDENTIALW, CredDeleteW, CredFree, CredReadW, CredWriteW,
};
use zeroize::Zeroizing;

use crate::password::WindowsPassword;

/// An entry of ours. It says whose it is by its comment, so that no other is taken away.
#[derive(Debug)]
pub(super) struct Entry {
    target: Vec<u16>,
    comment: Vec<u16>,
}

impl Entry {
    /// Makes it, unless there is one of this name.
    pub(super) fn place(target: &str, user: &str, password: &WindowsPassword) -> io::Result<Option<Self>> {
        static STARTS: AtomicU32 = AtomicU32::new(0);
        let number = STARTS.fetch_add(1, Ordering::Relaxed);
        let comment = wide(&format!("Fleetline {} {number}", std::process::id()));
        let entry = Self { target: wide(target), comment };
        if entry.comment_there()?.is_some() {
            return Ok(None);
        }
        let mut user = wide(user);
        // The store takes a password as UTF-16 without an end. Room for all of it, so that no copy stays behind.
        let mut blob = Zeroizing::new(Vec::with_capacity(password.expose().len() * 2));
        for unit in password.expose().encode_utf16() {
            blob.extend_from_slice(&unit.to_le_bytes());
        }
        let size = u32::try_from(blob.len()).map_err(io::Error::other)?;
        let (mut target, mut comment) = (entry.target.clone(), entry.comment.clone());
        let credential = CREDENTIALW {
            Flags: 0,
            Type: CRED_TYPE_GENERIC,
            TargetName: target.as_mut_ptr(),
            Comment: comment.as_mut_ptr(),
            LastWritten: windows_sys::Win32::Foundation::FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 },
            CredentialBlobSize: size,
            CredentialBlob: blob.as_mut_ptr(),
            Persist: CRED_PERSIST_SESSION,
            AttributeCount: 0,
            Attributes: null_mut(),
            TargetAlias: null_mut(),
            UserName: user.as_mut_ptr(),
        };
        // SAFETY: every pointer leads to a buffer that lives until after the call, texts end with 0, and the blob is as
        // long as it says.
        if unsafe { CredWriteW(&raw const credential, 0) } == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Some(entry))
    }

    /// The comment of the entry of this name; `None` when there is no entry.
    fn comment_there(&self) -> io::Result<Option<Vec<u16>>> {
        let mut found: *mut CREDENTIALW = null_mut();
        // SAFETY: the name ends with 0, and `found` has room for the pointer that is written.
        if unsafe { CredReadW(self.target.as_ptr(), CRED_TYPE_GENERIC, 0, &raw mut found) } == 0 {
            let error = io::Error::last_os_error();
            let is_absent = error.raw_os_error() == i32::try_from(ERROR_NOT_FOUND).ok();
            return if is_absent { Ok(None) } else { Err(error) };
        }
        let mut comment = Vec::new();
        // SAFETY: the call gave an entry that stays until it is freed; its comment is null or ends with 0.
        unsafe {
            let mut at = (*found).Comment.cast_const();
            while at != null() && *at != 0 {
                comment.push(*at);
                at = at.add(1);
            }
            CredFree(found.cast_const().cast());
        }
        comment.push(0);
        Ok(Some(comment))
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if matches!(self.comment_there(), Ok(Some(comment)) if comment == self.comment) {
            // SAFETY: the name ends with 0. What cannot be deleted goes with the session of the user.
            unsafe { CredDeleteW(self.target.as_ptr(), CRED_TYPE_GENERIC, 0) };
        }
    }
}

/// UTF-16 with a 0 at the end.
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}
