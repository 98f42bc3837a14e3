//! Agents that come through the network, as the real one does (protocol.md 9). A node with such a control channel runs
//! its sessions itself; the agents inside this program stand in for all others.

pub(super) mod control;
pub(crate) mod session;
pub(crate) mod tokens;

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fleetline_protocol::StreamToken;
use tokio::sync::mpsc;

use session::Event;

/// Path of a control channel, before the node id.
pub(crate) const CONTROL_CHANNEL_PATH: &str = "/v1/control-channel/";

/// Tokens that are good at once; the oldest is dropped.
const TOKENS: usize = 1024;

/// Messages a control channel may be behind with.
const CONTROL_MESSAGES: usize = 64;

/// Events a session may be behind with.
const EVENTS: usize = 8;

/// What a token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The control channel of a node.
    Control(String),
    /// The agent's side of a session.
    Data(String),
}

/// What is known of them. Locks are short: no await happens under them.
#[derive(Debug, Default)]
pub(crate) struct OutsideAgents {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    tokens: VecDeque<(Door, StreamToken, Instant)>,
    /// Control channels by node id, with their order.
    channels: HashMap<String, (u64, mpsc::Sender<Bytes>)>,
    /// Channels opened so far.
    opened: u64,
    /// Sessions that run at such an agent.
    sessions: HashMap<String, mpsc::Sender<Event>>,
}

impl OutsideAgents {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token that opens the door once, until `ttl` has passed.
    pub(crate) fn grant(&self, door: Door, ttl: Duration) -> StreamToken {
        let token = hex::encode(rand::random::<[u8; 32]>());
        let mut table = self.lock();
        if table.tokens.len() == TOKENS {
            table.tokens.pop_front();
        }
        table.tokens.push_back((door, StreamToken::new(token.clone()), Instant::now() + ttl));
        StreamToken::new(token)
    }

    /// Uses a token up; whether it opens the door.
    pub(crate) fn redeem(&self, door: &Door, token: &StreamToken) -> bool {
        let mut table = self.lock();
        let place = table
            .tokens
            .iter()
            .position(|(opens, known, _)| opens == door && known.expose() == token.expose());
        place.and_then(|place| table.tokens.remove(place)).is_some_and(|(.., until)| until > Instant::now())
    }

    /// A node's control channel is open; it takes the place of one before. Gives its order and what is to be sent.
    fn connect(&self, node_id: &str) -> (u64, mpsc::Receiver<Bytes>) {
        let (sender, receiver) = mpsc::channel(CONTROL_MESSAGES);
        let mut table = self.lock();
        table.opened += 1;
        let order = table.opened;
        table.channels.insert(node_id.to_owned(), (order, sender));
        (order, receiver)
    }

    /// The control channel of this order has ended; whether no other has taken its place.
    fn disconnect(&self, node_id: &str, order: u64) -> bool {
        let mut table = self.lock();
        let is_last = table.channels.get(node_id).is_some_and(|(last, _)| *last == order);
        if is_last {
            table.channels.remove(node_id);
        }
        is_last
    }

    /// The way to a node's agent, if it comes through the network.
    pub(crate) fn channel(&self, node_id: &str) -> Option<mpsc::Sender<Bytes>> {
        self.lock().channels.get(node_id).map(|(_, sender)| sender.clone())
    }

    fn begin(&self, session_id: &str) -> mpsc::Receiver<Event> {
        let (sender, receiver) = mpsc::channel(EVENTS);
        self.lock().sessions.insert(session_id.to_owned(), sender);
        receiver
    }

    fn end(&self, session_id: &str) {
        self.lock().sessions.remove(session_id);
    }

    /// The way to a session that runs at such an agent.
    pub(super) fn session(&self, session_id: &str) -> Option<mpsc::Sender<Event>> {
        self.lock().sessions.get(session_id).cloned()
    }
}
