//! Checks of session channels that run or ran, by node.

use std::collections::HashMap;
use std::time::Duration;

use fleetline_ipc::access::CheckRow;
use fleetline_ipc::{CommandError, ErrorCode};
use tokio::sync::oneshot;

use crate::checkup::Checkup;
use crate::clock::now_ms;
use crate::rows::millis;

/// Checks that run at a time: each starts a session, of which an account-Region takes three a second.
const AT_ONCE: usize = 8;
/// Checks kept; beyond it those that are over are forgotten.
const KEPT: usize = 1_000;

/// A check with its number, so that what an earlier one of the same node says is not taken for it.
struct Check {
    number: u64,
    row: CheckRow,
    /// Dropped or sent to, it stops the check.
    stop: Option<oneshot::Sender<()>>,
}

/// What the controller does to begin one.
pub(crate) struct Begun {
    pub(crate) number: u64,
    pub(crate) stop: oneshot::Receiver<()>,
    pub(crate) row: CheckRow,
}

/// All checks.
#[derive(Default)]
pub(crate) struct Checks {
    checks: HashMap<String, Check>,
    begun: u64,
}

impl Checks {
    /// A check of a node begins.
    ///
    /// # Errors
    /// If one of this node runs, or too many run.
    pub(crate) fn begin(&mut self, node_key: &str) -> Result<Begun, CommandError> {
        let refuse = |message: String| Err(CommandError::new(ErrorCode::InvalidInput, message));
        if self.row(node_key).is_some_and(|row| row.running) {
            return refuse("The session channel of this node is being checked.".to_owned());
        }
        if self.checks.values().filter(|check| check.row.running).count() >= AT_ONCE {
            return refuse(format!("{AT_ONCE} session channels are being checked; wait for one of them."));
        }
        if self.checks.len() >= KEPT {
            self.checks.retain(|_, check| check.row.running);
        }
        self.begun += 1;
        let (sender, stop) = oneshot::channel();
        let row = CheckRow {
            node_key: node_key.to_owned(),
            running: true,
            since_ms: millis(now_ms()),
            tries: 0,
            next_try_ms: None,
            problem: None,
            denied: None,
            asides: Vec::new(),
        };
        let check = Check { number: self.begun, row: row.clone(), stop: Some(sender) };
        self.checks.insert(node_key.to_owned(), check);
        Ok(Begun { number: self.begun, stop, row })
    }

    /// A try ended, and the next one begins after a pause.
    pub(crate) fn waiting(
        &mut self,
        node_key: &str,
        number: u64,
        tries: u32,
        pause: Duration,
    ) -> Option<CheckRow> {
        let check = self.checks.get_mut(node_key).filter(|check| check.number == number)?;
        check.row.tries = tries;
        check.row.next_try_ms = Some(millis(now_ms()) + pause.as_secs_f64() * 1000.0);
        Some(check.row.clone())
    }

    /// A check is over.
    pub(crate) fn done(&mut self, node_key: &str, number: u64, found: &Checkup) -> Option<CheckRow> {
        let check = self.checks.get_mut(node_key).filter(|check| check.number == number)?;
        check.stop = None;
        check.row.running = false;
        check.row.next_try_ms = None;
        check.row.problem.clone_from(&found.problem);
        check.row.denied = found.denied.clone().map(Box::new);
        check.row.asides.clone_from(&found.asides);
        Some(check.row.clone())
    }

    /// Stops a check; its end is told like any other.
    pub(crate) fn stop(&mut self, node_key: &str) {
        if let Some(check) = self.checks.get_mut(node_key) {
            check.stop = None;
        }
    }

    /// Stops all and forgets them. What they say from now on is not heard.
    pub(crate) fn leave(&mut self) {
        self.checks.clear();
    }

    pub(crate) fn row(&self, node_key: &str) -> Option<&CheckRow> {
        self.checks.get(node_key).map(|check| &check.row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_checked_once_at_a_time_and_late_words_of_an_earlier_check_are_not_heard() {
        let mut checks = Checks::default();
        let mut first = checks.begin("a").unwrap();
        assert!(checks.begin("a").is_err(), "one runs");
        checks.stop("a");
        assert!(first.stop.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Closed));
        assert!(checks.row("a").is_some_and(|row| row.running), "until it says so itself");
        let done = checks.done("a", first.number, &Checkup { stopped: true, ..Checkup::default() });
        assert!(done.is_some_and(|row| !row.running));
        let second = checks.begin("a").unwrap();
        assert!(checks.waiting("a", first.number, 3, Duration::ZERO).is_none());
        assert!(checks.waiting("a", second.number, 1, Duration::ZERO).is_some_and(|row| row.tries == 1));
    }

    #[test]
    fn only_a_few_are_checked_at_a_time() {
        let mut checks = Checks::default();
        let begun: Vec<Begun> = (0..AT_ONCE).map(|n| checks.begin(&n.to_string()).unwrap()).collect();
        assert!(checks.begin("one more").is_err());
        checks.done("0", begun[0].number, &Checkup::default());
        assert!(checks.begin("one more").is_ok());
        checks.leave();
        assert!(checks.row("1").is_none());
    }
}
