//! One session by its id.

use fleetline_aws::AwsSources;
use fleetline_history::{SessionFilter, SessionRecord, SessionState};

use super::listed;
use crate::failure::Failure;
use crate::scope::Scope;

/// A session with where it is.
pub(super) struct One {
    pub(super) scope: Scope,
    pub(super) record: SessionRecord,
}

/// Looks in every account-Region of the scope.
///
/// # Errors
/// If it is in none of them; what could not be looked into is told first.
pub(super) async fn one(sources: &AwsSources, scopes: &[Scope], id: &str) -> Result<One, Failure> {
    let filter = SessionFilter { session_id: Some(id.to_owned()), ..SessionFilter::default() };
    let states = [SessionState::Active, SessionState::History];
    let found = listed(sources, scopes, &states, &filter, |_, _| None).await;
    let hit = found.places.iter().find_map(|(place, scope)| {
        let (record, _) = found.book.get(*place, id)?;
        Some(One { scope: scope.clone(), record: record.clone() })
    });
    if let Some(hit) = hit {
        return Ok(hit);
    }
    match found.failures.split_last() {
        Some((last, others)) => {
            others.iter().for_each(Failure::tell);
            Err(last.clone())
        }
        None => {
            Err(Failure::usage(format!("There is no session {id} in scope; AWS keeps them for 30 days."))
                .with_hint("Look with `fleetline sessions list --since 30d`."))
        }
    }
}
