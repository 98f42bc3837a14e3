//! A session that is started, opened and ended again, to find out whether a node takes one.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::ports::{ApiError, ApiErrorKind, ControlPlane, StartSession};
use fleetline_engine::{
    CloseError, EndReason, SessionOptions, SessionState, ShellOptions, StartError, open_shell,
};
use fleetline_inventory::ChannelProof;
use tokio::time::{Instant, sleep};

/// Pauses between tries while the node is online and AWS takes no session to it yet: about a minute in all, as it lasts
/// after a boot (aws-security-reliability.md A.11).
pub const PAUSES: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(30),
];

/// What became of a trial.
#[derive(Debug)]
pub enum TrialEnd {
    /// The node opened its channel.
    Opened,
    /// AWS says that the node is not connected, to the last try.
    NotConnectable(ApiError),
    /// The session could not be started, or not be opened once it was.
    Failed(StartError),
    /// The session ended before it opened.
    Ended(EndReason),
    /// It was given up.
    Stopped,
}

/// A trial with its times.
#[derive(Debug)]
pub struct Trial {
    /// How often a session was asked for.
    pub tries: u32,
    /// Whether AWS granted a session.
    pub is_allowed: bool,
    /// From the last asking until the node opened the channel.
    pub opened_after: Option<Duration>,
    /// The outcome.
    pub end: TrialEnd,
    /// Set when AWS did not confirm that the session is over.
    pub left_open: Option<CloseError>,
}

impl Trial {
    /// What the trial proves about the session channel.
    pub fn channel(&self) -> ChannelProof {
        let millis = |after: Duration| u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        match &self.end {
            TrialEnd::Opened => ChannelProof::Opened { after_ms: self.opened_after.map_or(0, millis) },
            TrialEnd::NotConnectable(_) => ChannelProof::NotConnectable { tries: self.tries },
            TrialEnd::Failed(_) | TrialEnd::Ended(_) if self.is_allowed => ChannelProof::NotOpened,
            TrialEnd::Failed(_) | TrialEnd::Ended(_) | TrialEnd::Stopped => ChannelProof::NotAsked,
        }
    }
}

/// Starts a session, waits until the node opened it, and ends it. While AWS says that the node is not connected, it is
/// tried again after each of `pauses`; `waiting` is told of each pause with the number of the try before it. When `stop`
/// is ready the trial is given up; a session that was granted is ended all the same.
pub async fn try_session(
    control: Arc<dyn ControlPlane>,
    request: StartSession,
    options: SessionOptions,
    pauses: &[Duration],
    mut waiting: impl FnMut(u32, Duration),
    stop: impl Future<Output = ()>,
) -> Trial {
    let mut stop = pin!(stop);
    let mut pauses = pauses.iter();
    let mut tries = 0;
    loop {
        tries += 1;
        let trial = once(Arc::clone(&control), request.clone(), options.clone(), tries, stop.as_mut()).await;
        let TrialEnd::NotConnectable(_) = &trial.end else { return trial };
        let Some(pause) = pauses.next() else { return trial };
        waiting(tries, *pause);
        tokio::select! {
            () = sleep(*pause) => {}
            () = stop.as_mut() => return Trial { end: TrialEnd::Stopped, ..trial },
        }
    }
}

async fn once(
    control: Arc<dyn ControlPlane>,
    request: StartSession,
    options: SessionOptions,
    tries: u32,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> Trial {
    let began = Instant::now();
    let shell = open_shell(control, request, ShellOptions { session: options, ..ShellOptions::default() });
    let mut states = shell.state();
    let mut opened_after = None;
    let end = loop {
        let state = states.borrow_and_update().clone();
        match state {
            SessionState::Open { .. } => {
                opened_after = Some(began.elapsed());
                break TrialEnd::Opened;
            }
            SessionState::Ended(reason) => break TrialEnd::Ended(reason),
            SessionState::Failed(StartError::Api(error))
                if error.kind == ApiErrorKind::TargetNotConnected =>
            {
                break TrialEnd::NotConnectable(error);
            }
            SessionState::Failed(error) => break TrialEnd::Failed(error),
            SessionState::Starting { .. } | SessionState::Reconnecting { .. } => {}
        }
        tokio::select! {
            changed = states.changed() => {
                if changed.is_err() {
                    break TrialEnd::Ended(EndReason::ClosedByUser);
                }
            }
            () = stop.as_mut() => break TrialEnd::Stopped,
        }
    };
    let is_allowed = shell.session_id().is_some();
    let left_open = shell.close().await.err();
    Trial { tries, is_allowed, opened_after, end, left_open }
}
