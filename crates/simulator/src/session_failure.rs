//! Sessions that a node's agent cannot run, or runs without a word (aws-security-reliability.md A.11, the rows of
//! texts in a session's output).

use std::sync::Arc;

use fleetline_protocol::{AgentChannel, AgentConfig, AgentEvent, AgentOutput, SessionId, StreamToken};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::agent::link::{AgentEnd, FromAgent, ToAgent};
use crate::shared::Shared;

/// What is wrong with a node on which sessions fail. The names in requests and scenarios are those of the variants in
/// lower case, with underscores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionFailure {
    /// Its role may not open data channels: "Setting up data channel … AccessDeniedException".
    ChannelDenied,
    /// Its signature is not accepted: "Request is not authenticated."
    ChannelUnauthenticated,
    /// Its credentials are stale: "shared credentials are already expired".
    ChannelCredentialsExpired,
    /// It cannot start another worker: "document worker timed out".
    WorkerTimeout,
    /// Its disk is full or its log group is gone: input is acknowledged, and nothing ever appears.
    BlankScreen,
}

impl SessionFailure {
    /// What `channel_closed` says; `None` if the session does not end.
    fn text(self, session_id: &str, node_id: &str, account_id: &str) -> Option<String> {
        let channel = |why: &str| format!("Setting up data channel with id {session_id} failed: {why}");
        Some(match self {
            Self::ChannelDenied => channel(&format!(
                "failed to create websocket for datachannel with error: CreateDataChannel failed with no output or \
                 error: createDataChannel request failed: unexpected response from the service \
                 <AccessDeniedException>\n<Message>User: arn:aws:sts::{account_id}:assumed-role/NodeRole/{node_id} is \
                 not authorized to perform: ssmmessages:CreateDataChannel because no identity-based policy allows the \
                 ssmmessages:CreateDataChannel action</Message>\n</AccessDeniedException>"
            )),
            Self::ChannelUnauthenticated => channel("Request is not authenticated."),
            Self::ChannelCredentialsExpired => channel(
                "failed to create websocket for datachannel with error: CreateDataChannel failed with error: \
                 shared credentials are already expired",
            ),
            Self::WorkerTimeout => "document process failed unexpectedly: document worker timed out, check \
                 [ssm-document-worker]/[ssm-session-worker] log for crash reason"
                .to_owned(),
            Self::BlankScreen => return None,
        })
    }
}

/// A session that fails.
#[derive(Debug)]
pub(crate) struct FailingSession {
    pub(crate) failure: SessionFailure,
    pub(crate) session_id: String,
    pub(crate) node_id: String,
    pub(crate) account_id: String,
}

/// Runs in place of the agent until it has failed or `stop` says so.
pub(crate) async fn run(
    shared: Arc<Shared>,
    session: FailingSession,
    mut end: AgentEnd,
    stop: CancellationToken,
) {
    let failing = async {
        let FailingSession { failure, session_id, node_id, account_id } = session;
        match failure.text(&session_id, &node_id, &account_id) {
            Some(output) => {
                // The first frame says that the client is there to read it.
                while !matches!(end.receiver.take().await, Some(ToAgent::Frame(_)) | None) {}
                if let Ok(room) = end.sender.reserve(1).await {
                    end.sender.put(room, FromAgent::Done { output, failed: true }).ok();
                }
            }
            None => stay_blank(&shared, &session_id, node_id, &mut end).await,
        }
        // The relay ends the session, which a closed link would not.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = failing => {}
        () = stop.cancelled() => {}
    }
}

/// Acknowledges and swallows what comes, and says nothing.
async fn stay_blank(shared: &Shared, session_id: &str, node_id: String, end: &mut AgentEnd) {
    let config = AgentConfig::new(node_id, SessionId::new(session_id), rand::random());
    let mut channel = AgentChannel::new(config);
    channel.socket_opened(shared.moment(), &StreamToken::new("in-memory"));
    loop {
        while let Some(output) = channel.poll_output() {
            match output {
                AgentOutput::Binary(frame) => {
                    let Ok(room) = end.sender.reserve(frame.len()).await else { return };
                    if end.sender.put(room, FromAgent::Frame(frame)).is_err() {
                        return;
                    }
                }
                AgentOutput::Event(AgentEvent::Data(bytes)) => channel.consumed(shared.moment(), bytes.len()),
                AgentOutput::Event(AgentEvent::Cancelled) => return,
                AgentOutput::Text(_) | AgentOutput::Event(_) => {}
            }
        }
        let timer = channel.poll_timeout().map(|at| shared.began + at);
        let timer = async {
            match timer {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            item = end.receiver.take() => match item {
                Some(ToAgent::Frame(frame)) => channel.handle_binary(shared.moment(), frame),
                Some(ToAgent::LinkDown) => channel.socket_closed(shared.moment()),
                // It takes none in any case.
                Some(ToAgent::IgnoreInput(_)) => {}
                Some(ToAgent::LinkUp) => {
                    channel.socket_opened(shared.moment(), &StreamToken::new("in-memory"));
                }
                None => return,
            },
            () = timer => channel.handle_timeout(shared.moment()),
        }
    }
}
