//! Sessions that a node cannot run.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::Duration;

use fleetline_access::Known;
use fleetline_protocol::CloseReason;
use fleetline_simulator::{Scenario, SessionFailure, SessionStatus, Simulator, SimulatorConfig};
use serde_json::{Value, json};
use support::channel::Client;
use support::{Signer, account, send, simulator, ssm_error, ssm_ok};

const NODE: &str = "pay-api-03";

async fn started(simulator: &Simulator) -> (Value, Client) {
    let signer = Signer::new(&account(simulator, "payments-prod"), "eu-central-1", "ssm");
    let target = simulator.control().node(NODE).unwrap().id;
    let answer = ssm_ok(simulator, &signer, "StartSession", &json!({ "Target": target })).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    (answer, client)
}

#[tokio::test]
async fn failures_of_the_node_reach_the_client_as_text() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    for (failure, known) in [
        (SessionFailure::ChannelDenied, Known::NodeRoleChannel),
        (SessionFailure::ChannelUnauthenticated, Known::NodeCredentials),
        (SessionFailure::ChannelCredentialsExpired, Known::NodeCredentials),
        (SessionFailure::WorkerTimeout, Known::NodeLimits),
    ] {
        control.fail_sessions(NODE, Some(failure)).unwrap();
        let (answer, mut client) = started(&simulator).await;
        client.until("end of the session", |c| c.closed.is_some()).await;
        let Some(CloseReason::ByService { output }) = &client.closed else { panic!("{:?}", client.closed) };
        assert_eq!(Known::find(output), Some(known), "{output}");
        assert_eq!(output.contains(answer["SessionId"].as_str().unwrap()), output.starts_with("Setting up"));
        let over = |s: &[_]| s.last().is_some_and(|s: &fleetline_simulator::SessionView| s.status.is_over());
        assert_eq!(control.wait_for(over).await.unwrap().last().unwrap().status, SessionStatus::Failed);
    }
    control.fail_sessions(NODE, None).unwrap();
    started(&simulator).await.1.until_output("~$ ").await;
    assert!(control.fail_sessions("nowhere", None).is_err());
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_blank_screen_shows_nothing_until_the_session_is_ended() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    control.fail_sessions(NODE, Some(SessionFailure::BlankScreen)).unwrap();
    let (answer, mut client) = started(&simulator).await;
    control.wait_for(|s| s[0].status == SessionStatus::Connected).await.unwrap();
    control.terminate(answer["SessionId"].as_str().unwrap(), "").await.unwrap();
    client.until("end of the session", |c| c.closed.is_some()).await;
    assert!(!client.started && client.text().is_empty(), "{}", client.text());
    simulator.shutdown().await;
}

#[tokio::test]
async fn credentials_expire_for_a_time() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let signer = Signer::new(&account(&simulator, "payments-prod"), "eu-central-1", "ssm");
    let body = json!({ "State": "Active" });
    control.expire_credentials_for("payments-prod", Duration::from_secs(3600)).unwrap();
    let (code, _) = ssm_error(&simulator, &signer, "DescribeSessions", &body).await;
    assert_eq!(code, "ExpiredTokenException");
    control.expire_credentials_for("payments-prod", Duration::ZERO).unwrap();
    ssm_ok(&simulator, &signer, "DescribeSessions", &body).await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn the_control_page_makes_nodes_fail_and_boot() {
    let simulator = simulator(|config| config.enable_control_http = true).await;
    let control = simulator.control();
    let host = support::host(&simulator);
    let json_type = vec![("content-type".to_owned(), "application/json".to_owned())];
    let ask = async |body: Value| {
        send(&host, "POST", "/_sim/control", &json_type, body.to_string().as_bytes()).await.status
    };
    let (_, mut client) = started(&simulator).await;
    client.until_output("~$ ").await;
    assert_eq!(ask(json!({ "action": "stall", "for": "1ms" })).await, 200);
    assert_eq!(ask(json!({ "action": "reboot", "node": NODE, "down": "1h" })).await, 200);
    client.until("end of the socket", |c| c.ended.is_some()).await;
    assert!(!control.node(NODE).unwrap().online);
    assert_eq!(ask(json!({ "action": "connect", "node": NODE })).await, 200);
    assert_eq!(ask(json!({ "action": "fail_sessions", "node": NODE, "how": "worker_timeout" })).await, 200);
    let (_, mut client) = started(&simulator).await;
    client.until("end of the session", |c| c.closed.is_some()).await;
    assert_eq!(ask(json!({ "action": "reboot", "node": "nowhere", "down": "1s" })).await, 404);
    assert_eq!(ask(json!({ "action": "reboot", "node": NODE, "down": "soon" })).await, 400);
    assert_eq!(ask(json!({ "action": "reboot", "node": NODE, "down": "1s", "up": 1 })).await, 400);
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_scenario_happens_by_itself() {
    let text = "[[step]]\nevery = \"100ms\"\njitter = \"20ms\"\nwhat = \"cut\"\nhow = \"reset\"\n";
    let scenario = Scenario::parse(text).unwrap();
    let simulator = simulator(|config| config.scenario = Some(scenario)).await;
    let (answer, mut client) = started(&simulator).await;
    let signer = Signer::new(&account(&simulator, "payments-prod"), "eu-central-1", "ssm");
    for _ in 0..3 {
        client.until("end of the socket", |c| c.ended.is_some()).await;
        let body = json!({ "SessionId": answer["SessionId"] });
        client.open(&ssm_ok(&simulator, &signer, "ResumeSession", &body).await).await;
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_scenario_with_names_that_nothing_has_is_refused_at_the_start() {
    let scenario =
        Scenario::parse("[[step]]\nat = \"1s\"\nwhat = \"renew_credentials\"\naccount = \"nobody\"\n")
            .unwrap();
    let config = SimulatorConfig { scenario: Some(scenario), ..SimulatorConfig::default() };
    let error = Simulator::start(config).await.expect_err("no such account");
    assert!(error.to_string().contains("scenario, line 1: no account nobody"), "{error}");
}
