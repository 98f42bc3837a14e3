//! A record of granted sessions that outlives a crash of the program.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use fleetline_protocol::SessionId;

/// A session AWS granted, in words that hold no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedSession {
    /// The session.
    pub session_id: SessionId,
    /// Node id or other target.
    pub target: String,
    /// Name of the source whose credentials it was started with.
    pub source: String,
    /// Region.
    pub region: String,
    /// When AWS granted it.
    pub granted_at: SystemTime,
}

/// Remembers which sessions are open, so that the next run of the program can end those that a crash left behind. They
/// cannot be resumed: the state of a data channel dies with its program (protocol.md 2.4).
///
/// Called from the sessions' tasks; the methods must return within moments and tell of failures themselves.
pub trait SessionJournal: fmt::Debug + Send + Sync + 'static {
    /// AWS granted a session. Called before its data channel is opened.
    fn granted(&self, session: &GrantedSession);

    /// The session is over at AWS, whoever ended it.
    fn ended(&self, session: &SessionId);
}

/// A journal, and what it is told about a session besides what AWS says.
#[derive(Clone, Debug)]
pub struct JournalScope {
    /// The journal.
    pub journal: Arc<dyn SessionJournal>,
    /// Name of the source.
    pub source: String,
    /// Region.
    pub region: String,
}

impl JournalScope {
    pub(crate) fn granted(&self, session_id: &SessionId, target: &str) {
        self.journal.granted(&GrantedSession {
            session_id: session_id.clone(),
            target: target.to_owned(),
            source: self.source.clone(),
            region: self.region.clone(),
            granted_at: SystemTime::now(),
        });
    }
}
