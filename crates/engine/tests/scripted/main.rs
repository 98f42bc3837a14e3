//! Sessions against a scripted control plane and gateway: every way a session begins, is interrupted and ends.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub, reason = "tests")]

mod aws;
mod ends;
mod gateway;
mod resumes;
mod sealed;
// The verifiers of macOS and Windows have rules of their own for how long a certificate may be valid.
#[cfg(target_os = "linux")]
mod proxied;
#[cfg(target_os = "linux")]
mod secure;
mod starts;
mod traffic;
mod wakes;

use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::ports::StartSession;
use fleetline_engine::{ResumePolicy, SessionOptions, SessionState, ShellOptions, ShellSession, open_shell};

use aws::ScriptedAws;

fn request() -> StartSession {
    StartSession { target: "i-0123456789abcdef0".to_owned(), ..StartSession::default() }
}

fn options() -> ShellOptions {
    let resume = ResumePolicy {
        first_delay: Duration::from_millis(5),
        max_delay: Duration::from_millis(20),
        budget: Duration::from_secs(30),
        open_budget: Duration::from_secs(30),
        awaits_user: true,
    };
    ShellOptions {
        session: SessionOptions { resume, ..SessionOptions::default() },
        ..ShellOptions::default()
    }
}

fn open(aws: &Arc<ScriptedAws>) -> ShellSession {
    open_shell(aws.clone(), request(), options())
}

/// Waits for a state and returns it.
async fn reach(shell: &ShellSession, wanted: impl FnMut(&SessionState) -> bool) -> SessionState {
    let mut state = shell.state();
    state.wait_for(wanted).await.expect("the session lives").clone()
}

fn is_open(state: &SessionState) -> bool {
    matches!(state, SessionState::Open { .. })
}

/// Reads exactly that many bytes.
async fn read(shell: &ShellSession, length: usize) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < length {
        let chunk = shell.recv().await.expect("output");
        read.extend_from_slice(&chunk.bytes);
    }
    assert_eq!(read.len(), length, "more than expected");
    read
}
