//! Trials against the simulator, through the SDK's ordinary code.

use std::sync::Arc;
use std::time::Duration;

use fleetline_app::trial::{Trial, TrialEnd, try_session};
use fleetline_app::{ApiErrorKind, ControlPlane, ControlPlanes};
use fleetline_aws::AwsSources;
use fleetline_engine::ports::StartSession;
use fleetline_engine::{SessionOptions, StartError};
use fleetline_inventory::ChannelProof;
use fleetline_simulator::{DenyReason, DenyRule, Simulator, SimulatorConfig};

const PAUSES: [Duration; 2] = [Duration::from_millis(1); 2];

async fn tried(control: &Arc<dyn ControlPlane>, target: &str) -> (Trial, Vec<u32>) {
    let request = StartSession { target: target.to_owned(), ..StartSession::default() };
    let mut waits = Vec::new();
    let waiting = |tries, _| waits.push(tries);
    let stop = std::future::pending();
    let options = SessionOptions::default();
    let trial = try_session(Arc::clone(control), request, options, &PAUSES, waiting, stop).await;
    (trial, waits)
}

#[tokio::test]
async fn a_node_that_is_not_connectable_is_tried_a_few_times_and_one_that_is_opens_once() {
    let config = SimulatorConfig { demo_denials: false, ..SimulatorConfig::default() };
    let simulator = Simulator::start(config).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (config, credentials) = simulator.write_aws_config(directory.path()).unwrap();
    let sources = AwsSources::from_files(config, Some(credentials));
    let sim = simulator.control();
    let node = sim.node("pay-api-03").unwrap();
    let control = sources.control_plane(&node.account, &node.region).unwrap();

    sim.disconnect_node(&node.id).await.unwrap();
    let (trial, waits) = tried(&control, &node.id).await;
    assert!(matches!(trial.end, TrialEnd::NotConnectable(_)) && !trial.is_allowed, "{trial:?}");
    assert_eq!((trial.channel(), waits), (ChannelProof::NotConnectable { tries: 3 }, vec![1, 2]));

    sim.connect_node(&node.id).await.unwrap();
    let (trial, waits) = tried(&control, &node.id).await;
    assert!(matches!(trial.channel(), ChannelProof::Opened { .. }) && trial.left_open.is_none(), "{trial:?}");
    assert!(trial.is_allowed && waits.is_empty());
    let over = sim.wait_for(|sessions| sessions.iter().all(|session| session.status.is_over()));
    tokio::time::timeout(Duration::from_secs(20), over).await.unwrap().unwrap();

    let reason = DenyReason::NoIdentityPolicy;
    sim.deny(DenyRule { action: "ssm:StartSession".into(), resource: "*".into(), reason });
    let (trial, waits) = tried(&control, &node.id).await;
    let denied = matches!(&trial.end, TrialEnd::Failed(StartError::Api(error)) if error.kind == ApiErrorKind::AccessDenied);
    assert!(denied && trial.tries == 1 && waits.is_empty(), "{trial:?}");
    assert_eq!(trial.channel(), ChannelProof::NotAsked);

    sim.allow_everything();
    let request = StartSession { target: node.id.clone(), ..StartSession::default() };
    let options = SessionOptions::default();
    let trial = try_session(control, request, options, &PAUSES, |_, _| (), std::future::ready(())).await;
    assert!(matches!(trial.end, TrialEnd::Stopped), "{trial:?}");
    let over = sim.wait_for(|sessions| sessions.iter().all(|session| session.status.is_over()));
    tokio::time::timeout(Duration::from_secs(20), over).await.expect("nothing is left behind").unwrap();
    simulator.shutdown().await;
}
