//! The journal on disk as the engine sees it, and the end of sessions that a crash left behind.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use fleetline_engine::ports::{ApiError, ControlPlanes};
use fleetline_engine::{GrantedSession, JournalScope, SessionId, SessionJournal, terminate_session};
use fleetline_store::{Journal, JournalEntry, StoreError};

/// A journal whose failures are logged: a session must not end because it cannot be noted.
#[derive(Debug)]
struct OnDisk(Journal);

impl SessionJournal for OnDisk {
    fn granted(&self, session: &GrantedSession) {
        let since = session.granted_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        told(self.0.granted(&JournalEntry {
            session: session.session_id.as_str().to_owned(),
            target: session.target.clone(),
            source: session.source.clone(),
            region: session.region.clone(),
            granted_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        }));
    }

    fn ended(&self, session: &SessionId) {
        told(self.0.ended(session.as_str()));
    }
}

fn told(written: Result<(), StoreError>) {
    if let Err(error) = written {
        tracing::warn!(%error, "the session journal was not written");
    }
}

/// Where the sessions of a source in a Region are noted.
pub fn journal_scope(journal: &Journal, source: &str, region: &str) -> JournalScope {
    JournalScope {
        journal: Arc::new(OnDisk(journal.clone())),
        source: source.to_owned(),
        region: region.to_owned(),
    }
}

/// Ends one session that a crash left behind, and notes that it is over.
///
/// # Errors
/// When it may still be open; it stays in the journal.
pub async fn end_orphan(
    journal: &Journal,
    control: &dyn ControlPlanes,
    orphan: &JournalEntry,
) -> Result<(), ApiError> {
    let control = control.control_plane(&orphan.source, &orphan.region)?;
    terminate_session(&*control, &SessionId::new(&*orphan.session)).await?;
    told(journal.ended(&orphan.session));
    Ok(())
}
