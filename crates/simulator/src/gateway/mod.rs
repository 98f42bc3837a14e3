//! The message gateway: data channels over WebSocket, and the relay between client and agent (protocol.md 2).

mod faults;
#[cfg(test)]
mod faults_tests;
pub(crate) mod messages;
pub(crate) mod outside;
pub(crate) mod pipe;
pub(crate) mod relay;
mod socket;
mod upgrade;

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::agent;
use crate::documents::Plan;
use crate::registry::{NewSession, SessionView};
use crate::session_failure::{self, FailingSession};
use crate::shared::Shared;
use crate::world::node::Node;
use relay::{Limits, Relay};

pub(crate) use upgrade::{Channel, upgrade};

/// Path of a data channel, before the session id.
pub(crate) const DATA_CHANNEL_PATH: &str = "/v1/data-channel/";

/// Commands a relay may be behind with.
const COMMANDS: usize = 32;

/// Begins a session: its agent starts at once, as the real one does when told by the gateway, and its relay waits
/// for the client.
pub(crate) fn begin(shared: &Arc<Shared>, account: usize, node: &Node, view: SessionView, plan: Plan) {
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let (link, agent_end) = agent::link::link();
    let stop = shared.stop.child_token();
    let limits =
        Limits { idle: plan.inputs.idle.unwrap_or(shared.config.idle_timeout), longest: plan.inputs.longest };
    let agent = match shared.live.session_failure(&node.id) {
        Some(failure) => {
            let (session_id, account_id) = (view.session_id.clone(), view.account_id.clone());
            let failing = FailingSession { failure, session_id, node_id: node.id.to_string(), account_id };
            shared.tasks.spawn(session_failure::run(Arc::clone(shared), failing, agent_end, stop.clone()))
        }
        None if let Some(control) = shared.outside.channel(&node.id) => {
            let content = plan.told(&view.session_id, &view.document, &view.owner);
            let message = messages::interactive_shell(&view.session_id, &content);
            let start = outside::session::Start { session_id: view.session_id.clone(), control, message };
            shared.tasks.spawn(outside::session::run(Arc::clone(shared), start, agent_end, stop.clone()))
        }
        None => {
            let job = agent::Job::new(shared, account, node, &view, plan);
            shared.tasks.spawn(agent::run(Arc::clone(shared), job, agent_end, stop.clone()))
        }
    };
    let (session_id, target) = (view.session_id.clone(), view.target.clone());
    let relay = Relay::new(Arc::clone(shared), session_id, target, limits, link, agent, stop);
    shared.registry.add(NewSession { view, account, relay: commands });
    shared.tasks.spawn(relay.run(inbox));
}
