//! The sessions the service knows: what DescribeSessions shows, and the tokens that open data channels.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fleetline_protocol::StreamToken;
use tokio::sync::mpsc;

use crate::gateway::relay::RelayCommand;

/// Where a session stands (aws-security-reliability.md A.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionStatus {
    /// Started, and the client has not attached yet.
    Connecting,
    /// The client's socket is attached.
    Connected,
    /// The client's socket is gone; the session can be resumed.
    Disconnected,
    /// Being ended.
    Terminating,
    /// Ended.
    Terminated,
    /// Ended because the agent could not run it.
    Failed,
}

impl SessionStatus {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "Connecting",
            Self::Connected => "Connected",
            Self::Disconnected => "Disconnected",
            Self::Terminating => "Terminating",
            Self::Terminated => "Terminated",
            Self::Failed => "Failed",
        }
    }

    /// Whether the session is over.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Terminated | Self::Failed)
    }
}

/// A session as the service sees it at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Session id.
    pub session_id: String,
    /// Account id.
    pub account_id: String,
    /// Region.
    pub region: String,
    /// Node id.
    pub target: String,
    /// Where it stands.
    pub status: SessionStatus,
    /// ARN of the caller that started it.
    pub owner: String,
    /// Document name.
    pub document: String,
    /// Reason given at the start.
    pub reason: Option<String>,
    /// Start, milliseconds of the Unix epoch.
    pub start_ms: i64,
    /// End, milliseconds of the Unix epoch.
    pub end_ms: Option<i64>,
    /// Why it ended, as `channel_closed` told the client; empty after an ordinary end.
    pub details: String,
    /// Sockets the client has opened so far: one more than its resumes.
    pub client_sockets: u64,
    /// Frames dropped because the other side was not attached.
    pub dropped_frames: u64,
    /// Address of its log in S3; empty where there is none.
    pub s3_url: String,
    /// Address of its log in CloudWatch Logs; empty where there is none.
    pub cloudwatch_url: String,
}

/// Ended sessions that are remembered; older ones are forgotten.
const HISTORY: usize = 2000;

/// Tokens of a session that are good at once; the oldest is dropped.
const TOKENS: usize = 8;

#[derive(Debug)]
struct Entry {
    view: SessionView,
    account: usize,
    tokens: Vec<(StreamToken, Instant)>,
    relay: mpsc::Sender<RelayCommand>,
}

#[derive(Debug, Default)]
struct Table {
    /// By the order of their start.
    entries: BTreeMap<u64, Entry>,
    by_id: HashMap<String, u64>,
    next: u64,
}

/// The table of sessions. Locks are short: no await happens under them.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    table: Mutex<Table>,
}

/// A new session, before it has an order.
#[derive(Debug)]
pub(crate) struct NewSession {
    pub(crate) view: SessionView,
    pub(crate) account: usize,
    pub(crate) relay: mpsc::Sender<RelayCommand>,
}

/// What ResumeSession finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// No such session.
    Unknown,
    /// Known and over.
    Over,
    /// Live.
    Live,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sessions that are not over.
    pub(crate) fn live_count(&self) -> usize {
        self.lock().entries.values().filter(|e| !e.view.status.is_over()).count()
    }

    /// Sessions started so far.
    pub(crate) fn started(&self) -> u64 {
        self.lock().next
    }

    pub(crate) fn add(&self, session: NewSession) {
        let mut table = self.lock();
        let order = table.next;
        table.next += 1;
        table.by_id.insert(session.view.session_id.clone(), order);
        let NewSession { view, account, relay } = session;
        table.entries.insert(order, Entry { view, account, tokens: Vec::new(), relay });
        let over: Vec<u64> =
            table.entries.iter().filter(|(_, e)| e.view.status.is_over()).map(|(order, _)| *order).collect();
        for order in over.iter().take(over.len().saturating_sub(HISTORY)) {
            if let Some(entry) = table.entries.remove(order) {
                table.by_id.remove(&entry.view.session_id);
            }
        }
    }

    pub(crate) fn presence(&self, account: usize, region: &str, session_id: &str) -> Presence {
        self.lock().entry(session_id).map_or(Presence::Unknown, |entry| {
            match entry.account == account && entry.view.region == region {
                false => Presence::Unknown,
                true if entry.view.status.is_over() => Presence::Over,
                true => Presence::Live,
            }
        })
    }

    /// Account of a session, whatever its state.
    pub(crate) fn account_of(&self, session_id: &str) -> Option<(usize, String)> {
        self.lock().entry(session_id).map(|e| (e.account, e.view.region.clone()))
    }

    /// Lets `token` open the session until `ttl` has passed.
    pub(crate) fn grant(&self, session_id: &str, token: StreamToken, ttl: Duration) {
        if let Some(entry) = self.lock().entry_mut(session_id) {
            entry.tokens.retain(|(_, until)| *until > Instant::now());
            if entry.tokens.len() == TOKENS {
                entry.tokens.remove(0);
            }
            entry.tokens.push((token, Instant::now() + ttl));
        }
    }

    /// Uses a token up. Gives the way to the session's relay if it was good.
    pub(crate) fn redeem(&self, session_id: &str, token: &StreamToken) -> Option<mpsc::Sender<RelayCommand>> {
        let mut table = self.lock();
        let entry = table.entry_mut(session_id)?;
        if entry.view.status.is_over() || token.expose().is_empty() {
            return None;
        }
        let place = entry.tokens.iter().position(|(known, _)| known.expose() == token.expose())?;
        let (_, until) = entry.tokens.remove(place);
        (until > Instant::now()).then(|| entry.relay.clone())
    }

    /// Makes every token granted so far useless.
    pub(crate) fn expire_tokens(&self) {
        for entry in self.lock().entries.values_mut() {
            entry.tokens.clear();
        }
    }

    pub(crate) fn update(&self, session_id: &str, change: impl FnOnce(&mut SessionView)) {
        if let Some(entry) = self.lock().entry_mut(session_id) {
            let before = entry.view.status;
            change(&mut entry.view);
            // What a relay does until it learns of the end revives nothing.
            if before.is_over() {
                entry.view.status = before;
            }
            if entry.view.status.is_over() {
                entry.tokens.clear();
            }
        }
    }

    /// The relay of a live session.
    pub(crate) fn relay(&self, session_id: &str) -> Option<mpsc::Sender<RelayCommand>> {
        self.lock().entry(session_id).filter(|e| !e.view.status.is_over()).map(|e| e.relay.clone())
    }

    /// Relays of the live sessions `wanted` accepts.
    pub(crate) fn relays(&self, wanted: impl Fn(&SessionView) -> bool) -> Vec<mpsc::Sender<RelayCommand>> {
        let table = self.lock();
        let live = table.entries.values().filter(|e| !e.view.status.is_over() && wanted(&e.view));
        live.map(|e| e.relay.clone()).collect()
    }

    /// Declares the live sessions of a node over and gives the ways to their relays, which do not know it yet.
    pub(crate) fn lose_node(&self, node_id: &str, now_ms: i64) -> Vec<mpsc::Sender<RelayCommand>> {
        let mut table = self.lock();
        let live =
            table.entries.values_mut().filter(|e| !e.view.status.is_over() && e.view.target == node_id);
        live.map(|entry| {
            entry.view.status = SessionStatus::Terminated;
            entry.view.end_ms = Some(now_ms);
            entry.tokens.clear();
            entry.relay.clone()
        })
        .collect()
    }

    /// All sessions, oldest first.
    pub(crate) fn views(&self) -> Vec<SessionView> {
        self.lock().entries.values().map(|e| e.view.clone()).collect()
    }

    /// Sessions of an account and Region started before the one of order `before`, newest first, with their order.
    pub(crate) fn page(
        &self,
        account: usize,
        region: &str,
        before: u64,
        wanted: impl Fn(&SessionView) -> bool,
        most: usize,
    ) -> Vec<(u64, SessionView)> {
        let table = self.lock();
        let newest_first = table.entries.range(..before).rev();
        newest_first
            .filter(|(_, e)| e.account == account && e.view.region == region && wanted(&e.view))
            .take(most)
            .map(|(order, e)| (*order, e.view.clone()))
            .collect()
    }
}

impl Table {
    fn entry(&self, session_id: &str) -> Option<&Entry> {
        self.entries.get(self.by_id.get(session_id)?)
    }

    fn entry_mut(&mut self, session_id: &str) -> Option<&mut Entry> {
        self.entries.get_mut(self.by_id.get(session_id)?)
    }
}
