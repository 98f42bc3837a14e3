//! What can be found out about a node's way to a session beyond its listing: AWS is asked, and a session is tried. The
//! window's check of the session channel and `fleetline doctor` are this.

use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::SessionOptions;
use fleetline_engine::ports::{ApiError, ControlPlane, StartSession};
use fleetline_inventory::probe::NodeProbe;
use fleetline_inventory::{ChannelProof, SessionProof};
use fleetline_ipc::access::Denied;
use fleetline_ipc::{CommandError, ErrorCode};

use crate::clock::now_ms;
use crate::problem::{Context, denied, describe, describe_close, describe_start};
use crate::trial::{PAUSES, Trial, TrialEnd, try_session};

/// What a check-up found out.
#[derive(Clone, Debug, Default)]
pub struct Checkup {
    /// For the ladder.
    pub proof: SessionProof,
    /// Why the node took no session.
    pub problem: Option<CommandError>,
    /// Its parts, where a policy refused.
    pub denied: Option<Denied>,
    /// What went wrong without stopping anything: AWS did not say whether the node is connected, or a session may still
    /// be open.
    pub asides: Vec<CommandError>,
    /// Whether it was given up before its end.
    pub stopped: bool,
}

/// A session to be tried.
pub struct TrialWish {
    /// Its calls.
    pub control: Arc<dyn ControlPlane>,
    /// What to ask for.
    pub request: StartSession,
    /// How it is run.
    pub options: SessionOptions,
}

/// Asks AWS whether the node is connected, and tries a session if one is wished for. While AWS says that the node is not
/// connected, the session is tried again for about a minute; `waiting` is told of each pause with the number of the try
/// before it. `stop`, once ready, gives the session up.
pub async fn check_up(
    probe: Result<Arc<dyn NodeProbe<ApiError>>, ApiError>,
    node_id: &str,
    trial: Option<TrialWish>,
    context: &Context,
    waiting: impl FnMut(u32, Duration),
    stop: impl Future<Output = ()>,
) -> Checkup {
    let mut found = Checkup::default();
    // The answer is advisory, so its absence stops nothing (aws-security-reliability.md A.2).
    let connected = match probe {
        Ok(probe) => probe.is_connected(node_id.to_owned()).await,
        Err(error) => Err(error),
    };
    match connected {
        Ok(true) => found.learn(ChannelProof::Connected),
        Ok(false) => found.learn(ChannelProof::NotConnected),
        Err(error) => found.asides.push(describe(&error, context)),
    }
    if let Some(TrialWish { control, request, options }) = trial {
        let trial = try_session(control, request, options, &PAUSES, waiting, stop).await;
        found.take(&trial, context);
    }
    found
}

impl Checkup {
    fn learn(&mut self, channel: ChannelProof) {
        self.proof.channel = channel;
        self.proof.channel_ms = Some(now_ms());
    }

    fn take(&mut self, trial: &Trial, context: &Context) {
        let channel = trial.channel();
        // A trial that says nothing of the channel leaves what AWS said.
        if channel != ChannelProof::NotAsked {
            self.learn(channel);
        }
        self.proof.allowed_ms = trial.is_allowed.then(now_ms);
        self.problem = match &trial.end {
            TrialEnd::Opened | TrialEnd::Stopped => None,
            TrialEnd::NotConnectable(error) => Some(describe(error, context)),
            TrialEnd::Failed(error) => {
                self.denied = denied(error, context);
                Some(describe_start(error, context))
            }
            TrialEnd::Ended(reason) => Some(CommandError::new(
                ErrorCode::SessionEnded,
                format!("The session ended before it opened: {reason}"),
            )),
        };
        self.proof.denied = self.denied.is_some();
        self.proof.denied_ms = self.proof.denied.then(now_ms);
        self.stopped = matches!(trial.end, TrialEnd::Stopped);
        self.asides.extend(trial.left_open.as_ref().map(|error| describe_close(error, context)));
    }
}
