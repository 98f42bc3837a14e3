//! API calls that are throttled, failing, slow or left without an answer.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::Duration;

use fleetline_simulator::{ApiError, Calls, Condition, DenyReason, DenyRule, Simulator};
use serde_json::{Value, json};
use support::{Signer, account, host, query, simulator, ssm, ssm_error, ssm_ok};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn signer(simulator: &Simulator, service: &str) -> Signer {
    Signer::new(&account(simulator, "payments-prod"), "eu-central-1", service)
}

const INSTANCES: &str = "Action=DescribeInstances&Version=2016-11-15&MaxResults=5";
const IDENTITY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

#[tokio::test]
async fn every_service_words_throttling_in_its_own_way() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    for operation in ["DescribeSessions", "DescribeInstances", "GetCallerIdentity"] {
        control.impose(Calls::of(operation).times(1), Condition::Throttled);
    }
    let ssm_signer = signer(&simulator, "ssm");
    let body = json!({ "State": "Active" });
    let (code, text) = ssm_error(&simulator, &ssm_signer, "DescribeSessions", &body).await;
    assert_eq!((code.as_str(), text.as_str()), ("ThrottlingException", "Rate exceeded"));
    ssm_ok(&simulator, &ssm_signer, "DescribeSessions", &body).await;
    let refused = query(&simulator, &signer(&simulator, "ec2"), INSTANCES).await;
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("<Code>RequestLimitExceeded</Code>"), "{}", refused.body);
    assert_eq!(query(&simulator, &signer(&simulator, "ec2"), INSTANCES).await.status, 200);
    let refused = query(&simulator, &signer(&simulator, "sts"), IDENTITY).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("<Code>Throttling</Code>"), "{}", refused.body);
    simulator.shutdown().await;
}

#[tokio::test]
async fn any_error_can_be_imposed_on_any_operation() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let signer = signer(&simulator, "ssm");
    let error = ApiError::new(500, "InternalServerError", "An error occurred on the server side.");
    control.impose(Calls::of("*Session").times(2), Condition::Failing(error));
    for _ in 0..2 {
        let answer = ssm(&simulator, &signer, "TerminateSession", &json!({ "SessionId": "nobody-1" })).await;
        assert_eq!(answer.status, 500);
        assert_eq!(answer.json()["__type"], "InternalServerError");
    }
    ssm_ok(&simulator, &signer, "TerminateSession", &json!({ "SessionId": "nobody-1" })).await;
    control.impose(Calls::of("ResumeSession"), Condition::Failing(ApiError::server_authentication()));
    let answer = ssm(&simulator, &signer, "ResumeSession", &json!({ "SessionId": "nobody-1" })).await;
    assert_eq!((answer.status, &answer.json()["__type"]), (403, &json!("403")));
    control.clear_conditions();
    let (code, _) =
        ssm_error(&simulator, &signer, "ResumeSession", &json!({ "SessionId": "nobody-1" })).await;
    assert_eq!(code, "DoesNotExistException");
    simulator.shutdown().await;
}

/// The bytes of a signed StartSession request.
fn start_request(simulator: &Simulator, nonce: &str) -> Vec<u8> {
    let target = simulator.control().node("pay-api-03").unwrap().id;
    let body = json!({ "Target": target, "Reason": nonce }).to_string();
    let mut headers = signer(simulator, "ssm").sign("POST", &host(simulator), "/", "", body.as_bytes());
    headers.push(("x-amz-target".into(), "AmazonSSM.StartSession".into()));
    headers.push(("content-length".into(), body.len().to_string()));
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("POST / HTTP/1.1\r\n{headers}\r\n{body}").into_bytes()
}

/// The live sessions with this reason that a look-up by owner, target and time finds.
async fn find(simulator: &Simulator, nonce: &str, after: &str) -> Vec<Value> {
    let owner = account(simulator, "payments-prod").caller_arn;
    let target = simulator.control().node("pay-api-03").unwrap().id;
    let filter = |key: &str, value: &str| json!({ "key": key, "value": value });
    let filters = [filter("Owner", &owner), filter("Target", &target), filter("InvokedAfter", after)];
    let body = json!({ "State": "Active", "Filters": filters });
    let answer = ssm_ok(simulator, &signer(simulator, "ssm"), "DescribeSessions", &body).await;
    let sessions = answer["Sessions"].as_array().unwrap().clone();
    sessions.into_iter().filter(|session| session["Reason"] == nonce).collect()
}

#[tokio::test]
async fn a_session_whose_answer_was_lost_can_be_found_by_its_reason() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    control.impose(Calls::of("StartSession").times(1), Condition::AnswerLost);
    let before = (jiff::Timestamp::now() - jiff::SignedDuration::from_secs(5)).to_string();
    let mut stream = TcpStream::connect(host(&simulator)).await.unwrap();
    stream.write_all(&start_request(&simulator, "nonce-1")).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    let found = find(&simulator, "nonce-1", &before).await;
    let [session] = &found[..] else { panic!("{found:?}") };
    let body = json!({ "SessionId": session["SessionId"] });
    let adopted = ssm_ok(&simulator, &signer(&simulator, "ssm"), "ResumeSession", &body).await;
    assert!(!adopted["TokenValue"].as_str().unwrap().is_empty());
    ssm_ok(&simulator, &signer(&simulator, "ssm"), "TerminateSession", &body).await;
    control.wait_for(|sessions| sessions[0].status.is_over()).await.unwrap();
    assert!(find(&simulator, "nonce-1", &before).await.is_empty());
    let ended =
        json!({ "State": "History", "Filters": [{ "key": "SessionId", "value": session["SessionId"] }] });
    let answer = ssm_ok(&simulator, &signer(&simulator, "ssm"), "DescribeSessions", &ended).await;
    assert_eq!(answer["Sessions"][0]["Reason"], "nonce-1", "history keeps it");
    assert_eq!(answer["Sessions"][0]["Status"], "Terminated");
    assert!(answer["Sessions"][0]["EndDate"].is_number());
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_late_answer_has_done_its_work_and_a_late_start_has_not() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let hour = Duration::from_secs(3600);
    let slow = |before, after| Condition::Slow { before, after };
    control.impose(Calls::of("StartSession").times(1), slow(hour, Duration::ZERO));
    let mut gives_up = TcpStream::connect(host(&simulator)).await.unwrap();
    gives_up.write_all(&start_request(&simulator, "never")).await.unwrap();
    while control.calls().get("StartSession") != Some(&1) {
        tokio::task::yield_now().await;
    }
    drop(gives_up);
    control.impose(Calls::of("StartSession").times(1), slow(Duration::ZERO, hour));
    let mut gives_up = TcpStream::connect(host(&simulator)).await.unwrap();
    gives_up.write_all(&start_request(&simulator, "done")).await.unwrap();
    let sessions = control.wait_for(|sessions| !sessions.is_empty()).await.unwrap();
    drop(gives_up);
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].reason.as_deref(), Some("done"));
    simulator.shutdown().await;
}

#[tokio::test]
async fn quotas_stop_a_client_that_does_not_pace_itself() {
    let simulator = simulator(|config| config.enforce_quotas = true).await;
    let signer = signer(&simulator, "ssm");
    let body = json!({ "MaxResults": 50 });
    // Ten a second are let through; a client would have to be slower than that to be let through for ever.
    let mut calls = 0;
    let refused = loop {
        let answer = ssm(&simulator, &signer, "DescribeInstanceInformation", &body).await;
        calls += 1;
        if answer.status != 200 || calls == 1000 {
            break answer;
        }
    };
    assert_eq!((refused.status, &refused.json()["__type"]), (400, &json!("ThrottlingException")));
    assert!(calls > 10, "a burst of ten is let through, not {calls}");
    simulator.shutdown().await;
}

#[tokio::test]
async fn ec2_encodes_its_denials_when_asked_to() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    control.deny(DenyRule {
        action: "ec2:DescribeInstances".into(),
        resource: "*".into(),
        reason: DenyReason::VpcEndpointPolicy,
    });
    let plain = query(&simulator, &signer(&simulator, "ec2"), INSTANCES).await;
    assert_eq!(plain.status, 403);
    assert!(plain.body.contains("because no VPC endpoint policy allows the ec2:DescribeInstances action"));
    assert!(!plain.body.contains("Encoded authorization failure message"));
    control.set_encoded_denials(true);
    let encoded = query(&simulator, &signer(&simulator, "ec2"), INSTANCES).await;
    let (_, message) = encoded.body.split_once(" Encoded authorization failure message: ").unwrap();
    assert!(message.split('<').next().unwrap().len() > 200, "{message}");
    simulator.shutdown().await;
}
