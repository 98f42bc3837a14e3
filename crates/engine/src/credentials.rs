//! One wait for credentials for all sessions of a source.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// Where the sessions of one source wait when resuming needs other credentials, so that one sign-in is asked for and
/// all of them go on when it has succeeded. Sessions with an open data channel do not come here. Clones are one.
#[derive(Clone)]
pub struct CredentialsGate(Arc<Inner>);

struct Inner {
    waiting: watch::Sender<usize>,
    renewals: watch::Sender<u64>,
}

impl Default for CredentialsGate {
    fn default() -> Self {
        Self::new()
    }
}

impl CredentialsGate {
    /// One at which nobody waits.
    pub fn new() -> Self {
        let (waiting, _) = watch::channel(0);
        let (renewals, _) = watch::channel(0);
        Self(Arc::new(Inner { waiting, renewals }))
    }

    /// How many sessions wait. While it is not 0, the user should be asked to sign in, once.
    pub fn waiting(&self) -> watch::Receiver<usize> {
        self.0.waiting.subscribe()
    }

    /// The source has new credentials: everybody who waits tries again.
    pub fn renewed(&self) {
        self.0.renewals.send_modify(|count| *count += 1);
    }

    /// Waits for the next renewal. Dropping the future leaves.
    pub(crate) async fn wait(&self) {
        let mut renewals = self.0.renewals.subscribe();
        let _place = Place::take(&self.0);
        // Fails only without a sender, which is here.
        let _ = renewals.changed().await;
    }
}

impl fmt::Debug for CredentialsGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsGate").field("waiting", &*self.0.waiting.borrow()).finish_non_exhaustive()
    }
}

struct Place<'a>(&'a Inner);

impl<'a> Place<'a> {
    fn take(inner: &'a Inner) -> Self {
        inner.waiting.send_modify(|waiting| *waiting += 1);
        Self(inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|waiting| *waiting = waiting.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_renewal_lets_everybody_through_and_who_left_is_not_counted() {
        let gate = CredentialsGate::new();
        gate.renewed();
        let mut waiting = gate.waiting();
        let (mut one, mut two, mut three) =
            (Box::pin(gate.wait()), Box::pin(gate.wait()), Box::pin(gate.wait()));
        for wait in [&mut one, &mut two, &mut three] {
            assert!(futures_util::poll!(wait).is_pending(), "an earlier renewal does not count");
        }
        assert_eq!(*waiting.borrow_and_update(), 3);
        drop(three);
        assert_eq!(*waiting.borrow_and_update(), 2);
        gate.renewed();
        one.await;
        two.await;
        assert_eq!(*waiting.borrow_and_update(), 0);
    }
}
