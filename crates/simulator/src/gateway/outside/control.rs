//! The control channel of an agent (protocol.md 9.4 to 9.6): sessions are begun through it, and their ends are told.

use std::sync::Arc;

use bytes::Bytes;
use fleetline_protocol::{AgentMessage, MessageType, StreamToken};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::Door;
use super::session::Event;
use crate::gateway::messages;
use crate::live::NodeState;
use crate::shared::Shared;

/// The first message.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Open {
    token_value: String,
    #[serde(default)]
    agent_version: String,
}

/// What an agent says at the end of a session.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TaskComplete {
    task_id: String,
    final_task_status: String,
    #[serde(default)]
    output: String,
}

/// What an open control channel needs of its first message.
pub(in crate::gateway) fn admit(shared: &Shared, node_id: &str, text: &str) -> Result<(), &'static str> {
    let open: Open = serde_json::from_str(text).map_err(|_| "The open message cannot be read.")?;
    if !shared.outside.redeem(&Door::Control(node_id.to_owned()), &StreamToken::new(open.token_value)) {
        return Err("The token is not valid.");
    }
    if !open.agent_version.is_empty() {
        shared.live.set_agent_version(node_id, &open.agent_version);
    }
    Ok(())
}

/// Serves a control channel whose token was good until it ends. While it is open, the node is online.
pub(in crate::gateway) async fn serve<S>(
    shared: Arc<Shared>,
    mut web_socket: WebSocketStream<S>,
    node_id: String,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (order, mut outgoing) = shared.outside.connect(&node_id);
    shared.live.set_node_state(&node_id, NodeState::Online);
    shared.changed();
    loop {
        let frame = tokio::select! {
            () = shared.stop.cancelled() => break,
            frame = outgoing.recv() => match frame {
                Some(frame) => frame,
                // Another channel of this node has taken its place.
                None => break,
            },
            message = web_socket.next() => match message {
                Some(Ok(Message::Binary(frame))) => match told(&shared, &frame).await {
                    Some(answer) => answer,
                    None => continue,
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                // Pings are answered by the library; text after the open message means nothing.
                Some(Ok(_)) => continue,
            },
        };
        if web_socket.send(Message::Binary(frame)).await.is_err() {
            break;
        }
    }
    web_socket.close(None).await.ok();
    if shared.outside.disconnect(&node_id, order) {
        let since_ms = shared.now_ms();
        shared.live.set_node_state(&node_id, NodeState::Lost { since_ms });
    }
    shared.changed();
}

/// Takes a message of the agent. Only the end of a session has an answer, and each copy of it has the same.
async fn told(shared: &Shared, frame: &Bytes) -> Option<Bytes> {
    let message = AgentMessage::decode(frame.clone()).ok()?;
    if message.message_type != MessageType::AgentTaskComplete {
        return None;
    }
    let complete: TaskComplete = serde_json::from_slice(&message.payload).ok()?;
    if let Some(session) = shared.outside.session(&complete.task_id) {
        let failed = complete.final_task_status != "Success";
        // A session that has ended meanwhile need not be told.
        session.send(Event::Complete { output: complete.output, failed }).await.ok();
    }
    Some(messages::task_acknowledge(&message.id.to_string(), &complete.task_id))
}
