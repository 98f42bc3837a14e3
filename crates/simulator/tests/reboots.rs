//! Nodes that boot again, and agents that start again: what the service says, and what is left of the sessions.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::Duration;

use fleetline_simulator::{SessionStatus, Simulator};
use serde_json::{Value, json};
use support::channel::{Client, Ended};
use support::{Signer, account, simulator, ssm_error, ssm_ok};

const NODE: &str = "pay-api-03";

fn signer(simulator: &Simulator) -> Signer {
    Signer::new(&account(simulator, "payments-prod"), "eu-central-1", "ssm")
}

async fn call(simulator: &Simulator, operation: &str, body: Value) -> Value {
    ssm_ok(simulator, &signer(simulator), operation, &body).await
}

async fn status(simulator: &Simulator) -> Value {
    let target = simulator.control().node(NODE).unwrap().id;
    call(simulator, "GetConnectionStatus", json!({ "Target": target })).await["Status"].clone()
}

async fn ping(simulator: &Simulator) -> Value {
    let target = simulator.control().node(NODE).unwrap().id;
    let filters = json!([{ "Key": "InstanceIds", "Values": [target] }]);
    let answer = call(simulator, "DescribeInstanceInformation", json!({ "Filters": filters })).await;
    answer["InstanceInformationList"][0]["PingStatus"].clone()
}

async fn attached(simulator: &Simulator) -> (Value, Client) {
    let target = simulator.control().node(NODE).unwrap().id;
    let answer = call(simulator, "StartSession", json!({ "Target": target })).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    (answer, client)
}

#[tokio::test]
async fn a_reboot_ends_sessions_without_a_word_and_their_resume_with_an_empty_token() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let (answer, mut client) = attached(&simulator).await;
    let elsewhere = control.nodes("payments-prod", "eu-central-1");
    let elsewhere = elsewhere.iter().find(|n| n.online && !n.hybrid && n.name != NODE).unwrap();
    call(&simulator, "StartSession", json!({ "Target": elsewhere.id })).await;

    control.reboot_node(NODE, Duration::from_secs(3600)).await.unwrap();
    let resume = json!({ "SessionId": answer["SessionId"] });
    assert_eq!(call(&simulator, "ResumeSession", resume).await["TokenValue"], "");
    client.until("end of the socket", |c| c.ended.is_some()).await;
    assert_eq!((client.ended, client.closed), (Some(Ended::Dropped), None), "nobody says that it is over");
    let sessions = control.sessions();
    assert_eq!(sessions[0].status, SessionStatus::Terminated);
    assert!(!sessions[1].status.is_over(), "the other node did not boot");

    assert_eq!(
        (status(&simulator).await, ping(&simulator).await),
        (json!("notconnected"), json!("ConnectionLost"))
    );
    let target = json!({ "Target": control.node(NODE).unwrap().id });
    let (code, _) = ssm_error(&simulator, &signer(&simulator), "StartSession", &target).await;
    assert_eq!(code, "TargetNotConnected");
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_node_is_back_after_its_reboot_and_runs_new_sessions() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let (_, mut client) = attached(&simulator).await;
    control.reboot_node(NODE, Duration::ZERO).await.unwrap();
    client.until("end of the socket", |c| c.ended.is_some()).await;
    assert_eq!((status(&simulator).await, ping(&simulator).await), (json!("connected"), json!("Online")));
    attached(&simulator).await;
    // A later word counts more than the end of the reboot.
    control.reboot_node(NODE, Duration::ZERO).await.unwrap();
    control.disconnect_node(NODE).await.unwrap();
    assert_eq!(status(&simulator).await, "notconnected");
    simulator.shutdown().await;
}

#[tokio::test]
async fn an_agent_that_starts_again_has_lost_its_sessions() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let (answer, mut client) = attached(&simulator).await;
    control.restart_agent(NODE).await.unwrap();
    client.until("end of the socket", |c| c.ended.is_some()).await;
    let resume = json!({ "SessionId": answer["SessionId"] });
    assert_eq!(call(&simulator, "ResumeSession", resume).await["TokenValue"], "");
    while status(&simulator).await != "connected" {}
    attached(&simulator).await;
    assert!(control.restart_agent("nowhere").await.is_err());
    simulator.shutdown().await;
}
