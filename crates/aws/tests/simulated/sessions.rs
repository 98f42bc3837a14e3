use fleetline_engine::ports::{ApiErrorKind, ResumeOutcome};
use fleetline_engine::{SessionId, SessionState, ShellOptions, open_shell};
use fleetline_simulator::{SimulatorConfig, Tier, UpgradeSigning};

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
