use fleetline_engine::ports::{ApiErrorKind, ResumeOutcome};
use fleetline_engine::{SessionId, SessionState, ShellOptions, ShellSession, StartStep, open_shell};
use fleetline_simulator::{ApiError, Calls, Condition, SimulatorConfig, Tier, UpgradeSigning};

use crate::{Lab, to};

#[tokio::test]
async fn a_session_is_started_resumed_and_terminated() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let control = lab.control(&node);
    let grant = control.start_session(to(&node)).await.unwrap();
    assert!(!grant.token.expose().is_empty());
    assert!(grant.url.expose().starts_with("ws://127.0.0.1:"), "the simulator serves plain HTTP");
    let seen = lab.simulator.control().session(grant.session_id.as_str()).unwrap();
    assert_eq!((seen.target, seen.region), (node.id.clone(), node.region.clone()));

    let ResumeOutcome::Granted(again) = control.resume_session(grant.session_id.clone()).await.unwrap()
    else {
        panic!("the session is there");
    };
    assert_eq!(again.session_id, grant.session_id);
    assert_ne!(again.token.expose(), grant.token.expose());

    control.terminate_session(grant.session_id.clone()).await.unwrap();
    let simulated = lab.simulator.control();
    simulated.wait_for(|sessions| sessions.iter().all(|session| session.status.is_over())).await.unwrap();
    control.terminate_session(grant.session_id.clone()).await.unwrap();
    let gone = control.resume_session(grant.session_id).await.unwrap();
    assert!(matches!(gone, ResumeOutcome::Gone), "{gone:?}");
    lab.end().await;
}

#[tokio::test]
async fn a_session_nobody_knows_is_gone_when_resumed() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let unknown = SessionId::new("nobody-0123456789abcdef0");
    let outcome = lab.control(&node).resume_session(unknown).await.unwrap();
    assert!(matches!(outcome, ResumeOutcome::Gone), "{outcome:?}");
    lab.end().await;
}

#[tokio::test]
async fn the_gateway_accepts_the_signature_where_it_requires_one() {
    let config = SimulatorConfig {
        upgrade_signing: UpgradeSigning::Required,
        demo_denials: false,
        ..SimulatorConfig::default()
    };
    let lab = Lab::new(config).await;
    let node = lab.linux();
    let session = open_shell(lab.control(&node), to(&node), ShellOptions::default());
    let mut state = session.state();
    let reached =
        state.wait_for(|state| !matches!(state, SessionState::Starting { .. })).await.unwrap().clone();
    assert!(matches!(reached, SessionState::Open { .. }), "{reached:?}");
    session.close().await.unwrap();
    lab.end().await;
}

#[tokio::test]
async fn a_hybrid_node_on_the_standard_tier_says_so() {
    let lab = Lab::open().await;
    let node = lab.node(|node| node.hybrid && node.online);
    lab.simulator.control().set_tier(&node.account, &node.region, Tier::Standard).unwrap();
    let refused = lab.control(&node).start_session(to(&node)).await.unwrap_err();
    assert_eq!(refused.kind, ApiErrorKind::TierRequired, "{refused}");
    lab.simulator.control().set_tier(&node.account, &node.region, Tier::Advanced).unwrap();
    let grant = lab.control(&node).start_session(to(&node)).await.unwrap();
    lab.control(&node).terminate_session(grant.session_id).await.unwrap();
    lab.end().await;
}

#[tokio::test]
async fn a_lost_or_unknown_node_is_not_connected() {
    let lab = Lab::open().await;
    let node = lab.linux();
    lab.simulator.control().disconnect_node(&node.id).await.unwrap();
    let refused = lab.control(&node).start_session(to(&node)).await.unwrap_err();
    assert_eq!(refused.kind, ApiErrorKind::TargetNotConnected, "{refused}");
    assert!(lab.simulator.control().sessions().is_empty());
    lab.end().await;
}

async fn opened(session: &ShellSession) {
    let mut state = session.state();
    let reached = state.wait_for(|s| !matches!(s, SessionState::Starting { .. })).await.unwrap().clone();
    assert!(matches!(reached, SessionState::Open { .. }), "{reached:?} {:#?}", session.history());
}

#[tokio::test]
async fn a_start_without_an_answer_is_found_adopted_and_never_made_twice() {
    let lab = Lab::open().await;
    let (node, simulated) = (lab.linux(), lab.simulator.control());
    // Another session to the same node must not be mistaken for it.
    let other = lab.control(&node).start_session(to(&node)).await.unwrap();
    simulated.impose(Calls::of("StartSession").times(1), Condition::AnswerLost);
    let session = open_shell(lab.control(&node), to(&node), ShellOptions::default());
    opened(&session).await;
    assert_ne!(session.session_id(), Some(other.session_id));
    assert_eq!(simulated.calls().get("StartSession"), Some(&2));
    assert_eq!(simulated.sessions().len(), 2);
    session.close().await.unwrap();
    lab.end().await;
}

#[tokio::test]
async fn a_start_that_aws_failed_is_looked_for_and_not_repeated() {
    let lab = Lab::open().await;
    let (node, simulated) = (lab.linux(), lab.simulator.control());
    let error = ApiError::new(500, "InternalServerError", "An error occurred on the server side.");
    simulated.impose(Calls::of("StartSession").times(1), Condition::Failing(error));
    let session = open_shell(lab.control(&node), to(&node), ShellOptions::default());
    let mut state = session.state();
    let looking =
        |s: &SessionState| matches!(s, SessionState::Starting { step: StartStep::LookingForSession { .. } });
    state.wait_for(looking).await.unwrap();
    // It is looked for in vain for a while; closing need not wait for that.
    assert!(simulated.sessions().is_empty());
    drop(session);
    assert_eq!(simulated.calls().get("StartSession"), Some(&1));
    lab.end().await;
}

#[tokio::test]
async fn many_sessions_start_and_resume_within_the_quotas_without_one_refusal() {
    let config = SimulatorConfig { demo_denials: false, enforce_quotas: true, ..SimulatorConfig::default() };
    let lab = Lab::new(config).await;
    let (node, simulated) = (lab.linux(), lab.simulator.control());
    let control = lab.control(&node);
    let sessions: Vec<_> =
        (0..12).map(|_| open_shell(control.clone(), to(&node), ShellOptions::default())).collect();
    for session in &sessions {
        opened(session).await;
    }
    assert_eq!(simulated.calls().get("StartSession"), Some(&12));
    assert_eq!(simulated.cut_all_client_sockets().await, 12);
    for session in &sessions {
        let mut state = session.state();
        let resumed = |s: &SessionState| matches!(s, SessionState::Open { resumed_after: Some(_), .. });
        state.wait_for(resumed).await.unwrap();
    }
    assert_eq!(simulated.calls().get("ResumeSession"), Some(&12));
    for session in sessions {
        session.close().await.unwrap();
    }
    assert_eq!(simulated.calls().get("TerminateSession"), Some(&12));
    lab.end().await;
}

#[tokio::test]
async fn sessions_wait_for_one_sign_in_and_go_on_with_the_new_credentials() {
    let lab = Lab::open().await;
    let (node, simulated) = (lab.linux(), lab.simulator.control());
    let sessions: Vec<_> =
        (0..2).map(|_| open_shell(lab.control(&node), to(&node), ShellOptions::default())).collect();
    for session in &sessions {
        opened(session).await;
    }
    simulated.set_credentials_expired(&node.account, true).unwrap();
    simulated.cut_all_client_sockets().await;
    let gate = lab.sources.credentials_gate(&node.account);
    gate.waiting().wait_for(|waiting| *waiting == 2).await.unwrap();
    simulated.set_credentials_expired(&node.account, false).unwrap();
    gate.renewed();
    for session in &sessions {
        let mut state = session.state();
        let resumed = |s: &SessionState| matches!(s, SessionState::Open { resumed_after: Some(_), .. });
        state.wait_for(resumed).await.unwrap();
        session.close().await.unwrap();
    }
    lab.end().await;
}
