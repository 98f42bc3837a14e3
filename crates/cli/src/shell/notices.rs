//! What the user is told about the session while it runs.

use std::sync::Mutex;
use std::time::Duration;

use fleetline_engine::{SessionState, ShellSession};
use tokio::time::Instant;

use super::modes::Modes;
use super::say;

/// An interruption shorter than this is not worth a line; the hourly renewal is such a one.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// How often a session that waits for credentials or permissions is tried again.
const SIGN_IN_AGAIN: Duration = Duration::from_secs(5);

const HELP: &str = "~.  close the session    ~~  send a tilde    ~?  this help    (each after Enter)";

/// Lines on standard error that leave a full-screen program's picture alone.
pub(crate) struct Notices<'a> {
    /// Say nothing about reconnecting.
    pub(crate) quiet: bool,
    /// Whether the terminal is raw.
    pub(crate) raw: bool,
    /// What the programs on the node switched on.
    pub(crate) modes: &'a Mutex<Modes>,
}

impl Notices<'_> {
    /// The escapes.
    pub(crate) fn help(&self) {
        say(self.raw, HELP);
    }

    /// Tells of interruptions that last, until the session is over.
    pub(crate) async fn watch(&self, session: &ShellSession) {
        let mut state = session.state();
        let mut away: Option<Away> = None;
        let mut is_silent = false;
        loop {
            let current = state.borrow_and_update().clone();
            match current {
                SessionState::Reconnecting { cause, awaits_retry, .. } => {
                    let away = away.get_or_insert_with(Away::now);
                    if awaits_retry {
                        if !std::mem::replace(&mut away.told, true) {
                            self.tell(&format!(
                                "Reconnecting waits for other credentials or permissions: {cause}."
                            ));
                        }
                        // A sign-in elsewhere rewrites files that every attempt reads anew, and a policy may be changed.
                        let renewed = tokio::time::timeout(SIGN_IN_AGAIN, state.changed()).await;
                        match renewed {
                            Err(_) => session.retry_now(),
                            Ok(Ok(())) => continue,
                            Ok(Err(_)) => std::future::pending().await,
                        }
                    } else if !away.told && away.since.elapsed() >= WORTH_TELLING {
                        away.told = true;
                        self.tell(&format!("Reconnecting: {cause}. Press Enter ~ . to give up."));
                    }
                }
                SessionState::Open { resumed_after, unanswered_since, .. } => {
                    if away.take().is_some_and(|away| away.told) {
                        let lasted = resumed_after.unwrap_or_default().as_secs_f32();
                        self.tell(&format!("Resumed after {lasted:.1} s, nothing was lost."));
                    }
                    if std::mem::replace(&mut is_silent, unanswered_since.is_some()) != is_silent {
                        self.tell(if is_silent {
                            "The node does not answer. What you type is kept; press Enter ~ . to give up."
                        } else {
                            "The node answers again."
                        });
                    }
                }
                SessionState::Starting { .. } => {}
                SessionState::Ended(_) | SessionState::Failed(_) => std::future::pending().await,
            }
            let wait = away.as_ref().filter(|away| !away.told).map(|away| away.since + WORTH_TELLING);
            let changed = match wait {
                Some(until) => tokio::time::timeout_at(until, state.changed()).await.unwrap_or(Ok(())),
                None => state.changed().await,
            };
            if changed.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn tell(&self, line: &str) {
        let hidden = self.modes.lock().is_ok_and(|modes| modes.alternate_screen());
        if !self.quiet && !hidden {
            say(self.raw, &format!("fleetline: {}", crate::console::harmless(line)));
        }
    }
}

struct Away {
    since: Instant,
    told: bool,
}

impl Away {
    fn now() -> Self {
        Self { since: Instant::now(), told: false }
    }
}
