use std::collections::HashSet;

use fleetline_history::{HistorySources, SessionFilter, SessionState, SessionStatus};
use fleetline_simulator::SimulatorConfig;

use crate::Lab;

#[tokio::test]
async fn every_session_of_the_past_comes_on_one_page_and_filters_are_those_of_the_service() {
    let lab =
        Lab::new(SimulatorConfig { demo_denials: false, past_sessions: 3_000, ..SimulatorConfig::default() })
            .await;
    let calls = lab.sources.history("payments-prod", "eu-central-1").unwrap();
    let (mut ids, mut pages, mut next) = (HashSet::new(), 0, None);
    let mut last = i64::MAX;
    loop {
        let page = calls.sessions(SessionState::History, SessionFilter::default(), next).await.unwrap();
        pages += 1;
        for session in &page.sessions {
            assert!(ids.insert(session.session_id.clone()), "{} twice", session.session_id);
            let start = session.start_ms.unwrap();
            assert!(start <= last && session.status.is_over(), "newest first");
            last = start;
        }
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert!(ids.len() > 150 && pages == ids.len().div_ceil(200), "{} on {pages} pages", ids.len());
    let filter = SessionFilter { status: Some(SessionStatus::Failed), ..SessionFilter::default() };
    let failed = calls.sessions(SessionState::History, filter, None).await.unwrap().sessions;
    assert!(!failed.is_empty() && failed.iter().all(|session| session.status == SessionStatus::Failed));
    let filter = SessionFilter { after_ms: Some(last + 1), ..SessionFilter::default() };
    let first = calls.sessions(SessionState::History, filter, None).await.unwrap().sessions;
    assert!(!first.is_empty() && first.iter().all(|session| session.start_ms > Some(last)));
    assert!(
        calls
            .sessions(SessionState::Active, SessionFilter::default(), None)
            .await
            .unwrap()
            .sessions
            .is_empty()
    );
    assert_eq!(
        calls.caller_arn().await.unwrap(),
        "arn:aws:sts::111122223333:assumed-role/FleetOperator/mika.sato"
    );
    lab.end().await;
}
