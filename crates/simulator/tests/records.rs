//! What sessions leave behind: logs in S3 and CloudWatch Logs as their document says, and events in CloudTrail.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![cfg(unix)]

mod support;

use std::time::Duration;

use fleetline_protocol::TerminalSize;
use fleetline_simulator::{DenyReason, DenyRule, Simulator, TrailState};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::channel::Client;
use support::{Answer, Signer, account, host, send, simulator, ssm, ssm_ok};

const ACCOUNT: &str = "payments-prod";
const REGION: &str = "eu-central-1";
const PREFERENCES: &str = "SSM-SessionManagerRunShell";

fn signer(simulator: &Simulator, service: &str) -> Signer {
    Signer::new(&account(simulator, ACCOUNT), REGION, service)
}

fn prefer(simulator: &Simulator, inputs: &Value) {
    let text =
        json!({ "schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs }).to_string();
    simulator.control().put_document(ACCOUNT, REGION, PREFERENCES, &text).unwrap();
}

fn node(simulator: &Simulator) -> String {
    let nodes = simulator.control().nodes(ACCOUNT, REGION);
    nodes.into_iter().find(|n| n.online && !n.hybrid && n.platform == "Linux").unwrap().id
}

/// Runs a shell that ends by itself, and gives its id with all the client saw.
async fn shell(simulator: &Simulator, typed: &[&str]) -> (String, Vec<u8>) {
    let ask = json!({ "Target": node(simulator) });
    let answer = ssm_ok(simulator, &signer(simulator, "ssm"), "StartSession", &ask).await;
    let mut client = Client::new(Some(TerminalSize { cols: 80, rows: 24 }));
    client.open(&answer).await;
    client.until_output("$ ").await;
    for line in typed {
        client.send(line.as_bytes()).await;
        client.send(b"\r").await;
    }
    client.send(b"exit\r").await;
    client.until("end", |client| client.closed.is_some()).await;
    let id = answer["SessionId"].as_str().unwrap().to_owned();
    simulator
        .control()
        .wait_for(|all| all.iter().any(|s| s.session_id == id && s.status.is_over()))
        .await
        .unwrap();
    (id, client.output)
}

async fn s3(simulator: &Simulator, method: &str, path: &str, query: &str, range: Option<&str>) -> Answer {
    let host = host(simulator);
    let mut headers = signer(simulator, "s3").sign(method, &host, path, query, b"");
    headers.push(("x-amz-content-sha256".into(), hex::encode(Sha256::digest(b""))));
    headers.extend(range.map(|range| ("range".to_owned(), range.to_owned())));
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    send(&host, method, &target, &headers, b"").await
}

async fn json_call(simulator: &Simulator, service: &str, target: &str, body: &Value) -> Answer {
    let (host, body) = (host(simulator), body.to_string());
    let mut headers = signer(simulator, service).sign("POST", &host, "/", "", body.as_bytes());
    headers.push(("content-type".into(), "application/x-amz-json-1.1".into()));
    headers.push(("x-amz-target".into(), target.to_owned()));
    send(&host, "POST", "/", &headers, body.as_bytes()).await
}

async fn logs(simulator: &Simulator, operation: &str, body: Value) -> Answer {
    json_call(simulator, "logs", &format!("Logs_20140328.{operation}"), &body).await
}

async fn trail(simulator: &Simulator, operation: &str, body: Value) -> Answer {
    let target = format!("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{operation}");
    json_call(simulator, "cloudtrail", &target, &body).await
}

#[tokio::test]
async fn a_log_in_s3_is_what_the_client_saw_and_is_there_when_the_session_is_over() {
    let simulator = simulator(|_| {}).await;
    prefer(&simulator, &json!({ "s3BucketName": "corp-logs", "s3KeyPrefix": "/ssm/shells/" }));
    let (id, seen) = shell(&simulator, &["printf '\\033[31mr\\303\\251d\\033[0m\\n'"]).await;
    let key = format!("/corp-logs/ssm/shells/{id}.log");
    let got = s3(&simulator, "GET", &key, "", None).await;
    assert_eq!((got.status, got.body.as_bytes()), (200, seen.as_slice()));
    let head = s3(&simulator, "HEAD", &key, "", None).await;
    assert_eq!(head.header("content-length").unwrap(), seen.len().to_string());
    let part = s3(&simulator, "GET", &key, "", Some("bytes=2-5")).await;
    assert_eq!((part.status, part.body.as_bytes()), (206, &seen[2..6]));
    assert_eq!(part.header("content-range").unwrap(), format!("bytes 2-5/{}", seen.len()));
    let listed = s3(&simulator, "GET", "/corp-logs", "list-type=2&prefix=ssm%2F", None).await;
    assert!(listed.body.contains(&format!("<Key>ssm/shells/{id}.log</Key>")), "{}", listed.body);
    let view = simulator.control().session(&id).unwrap();
    assert!(view.s3_url.ends_with(&format!("/corp-logs/ssm/shells/{id}.log")), "{}", view.s3_url);

    let missing = s3(&simulator, "GET", "/corp-logs/ssm/other.log", "", None).await;
    assert_eq!((missing.status, missing.body.contains("<Code>NoSuchKey</Code>")), (404, true));
    let missing = s3(&simulator, "GET", "/no-bucket/x", "", None).await;
    assert_eq!((missing.status, missing.body.contains("<Code>NoSuchBucket</Code>")), (404, true));
    let control = simulator.control();
    control.deny(DenyRule {
        action: "s3:ListBucket".into(),
        resource: "*".into(),
        reason: DenyReason::NoIdentityPolicy,
    });
    let hidden = s3(&simulator, "GET", "/corp-logs/ssm/other.log", "", None).await;
    assert_eq!((hidden.status, hidden.body.contains("<Code>AccessDenied</Code>")), (403, true));
    control.deny(DenyRule {
        action: "s3:GetObject".into(),
        resource: "arn:aws:s3:::corp-logs/*".into(),
        reason: DenyReason::NoIdentityPolicy,
    });
    let denied = s3(&simulator, "GET", &key, "", None).await;
    assert!(
        denied
            .body
            .contains("is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::corp-logs")
    );
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_streamed_log_arrives_while_the_session_runs_and_holds_its_lines() {
    let simulator = simulator(|_| {}).await;
    prefer(
        &simulator,
        &json!({ "cloudWatchLogGroupName": "/corp/sessions", "cloudWatchStreamingEnabled": true }),
    );
    let ask = json!({ "Target": node(&simulator) });
    let answer = ssm_ok(&simulator, &signer(&simulator, "ssm"), "StartSession", &ask).await;
    let id = answer["SessionId"].as_str().unwrap().to_owned();
    let mut client = Client::new(Some(TerminalSize { cols: 80, rows: 24 }));
    client.open(&answer).await;
    client.until_output("$ ").await;
    client.send(b"printf 'one\\ttwo\\n'; echo 'thr'ee\r").await;
    client.until_output("three\r\n").await;
    let control = simulator.control();
    control
        .wait_for(|all| all.iter().any(|s| s.session_id == id && !s.cloudwatch_url.is_empty()))
        .await
        .unwrap();
    let read = json!({ "logGroupName": "/corp/sessions", "logStreamName": id, "startFromHead": true });
    let early = logs(&simulator, "GetLogEvents", read.clone()).await.json();
    assert!(early["events"][0]["message"].as_str().unwrap().contains("one two"), "{early}");
    client.send(b"exit\r").await;
    client.until("end", |client| client.closed.is_some()).await;
    control.wait_for(|all| all.iter().all(|s| s.status.is_over())).await.unwrap();

    let all = logs(&simulator, "GetLogEvents", read.clone()).await.json();
    let mut lines = Vec::new();
    for event in all["events"].as_array().unwrap() {
        let message: Value = serde_json::from_str(event["message"].as_str().unwrap()).unwrap();
        assert_eq!((&message["sessionId"], &message["awsRegion"]), (&json!(id), &json!(REGION)));
        assert_eq!(message["runAsUser"], "ssm-user");
        lines.extend(
            message["sessionData"].as_array().unwrap().iter().map(|l| l.as_str().unwrap().to_owned()),
        );
    }
    let position = |line: &str| lines.iter().position(|l| l == line);
    assert!(position("one two") < position("three"), "{lines:?}");
    // A page at the end gives its own token back.
    let end = all["nextForwardToken"].as_str().unwrap();
    let mut again = read.clone();
    again["nextToken"] = json!(end);
    let again = logs(&simulator, "GetLogEvents", again).await.json();
    assert_eq!((again["events"].as_array().unwrap().len(), &again["nextForwardToken"]), (0, &json!(end)));
    let named = json!({ "logGroupName": "/corp/sessions", "logStreamNamePrefix": &id[..4] });
    let streams = logs(&simulator, "DescribeLogStreams", named).await.json();
    assert_eq!(streams["logStreams"][0]["logStreamName"], json!(id));
    let word = json!({ "logGroupName": "/corp/sessions", "filterPattern": "three" });
    let found = logs(&simulator, "FilterLogEvents", word).await.json();
    assert_eq!(found["events"][0]["logStreamName"], json!(id));
    for (group, stream, what) in [("/corp/sessions", "nobody-1", "stream"), ("/none", &*id, "group")] {
        let ask = json!({ "logGroupName": group, "logStreamName": stream });
        let body = logs(&simulator, "GetLogEvents", ask).await.json();
        assert_eq!(body["__type"], "ResourceNotFoundException");
        assert!(body["message"].as_str().unwrap().contains(what));
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn without_streaming_the_log_is_written_at_the_end_as_text_and_ports_leave_none() {
    let simulator = simulator(|_| {}).await;
    prefer(&simulator, &json!({ "cloudWatchLogGroupName": "/corp/sessions" }));
    let (id, seen) = shell(&simulator, &["echo te''xt"]).await;
    let read = json!({ "logGroupName": "/corp/sessions", "logStreamName": id });
    let all = logs(&simulator, "GetLogEvents", read).await.json();
    let message = all["events"][0]["message"].as_str().unwrap();
    let seen = String::from_utf8(seen).unwrap().replace("\r\n", "\n");
    assert_eq!(message, seen.trim_end_matches('\n'));

    let port = json!({
        "schemaVersion": "1.0", "sessionType": "Port", "inputs": { "cloudWatchLogGroupName": "/corp/ports" },
        "properties": { "portNumber": "9" },
    });
    simulator.control().put_document(ACCOUNT, REGION, "Corp-Port", &port.to_string()).unwrap();
    let ask = json!({ "Target": node(&simulator), "DocumentName": "Corp-Port" });
    let answer = ssm_ok(&simulator, &signer(&simulator, "ssm"), "StartSession", &ask).await;
    let id = answer["SessionId"].as_str().unwrap();
    simulator.control().terminate(id, "").await.unwrap();
    simulator.control().wait_for(|all| all.iter().all(|s| s.status.is_over())).await.unwrap();
    let groups = logs(&simulator, "DescribeLogGroups", json!({ "logGroupNamePrefix": "/corp" })).await.json();
    let names: Vec<&Value> =
        groups["logGroups"].as_array().unwrap().iter().map(|g| &g["logGroupName"]).collect();
    assert_eq!(names, ["/corp/sessions"]);
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_node_whose_role_may_not_write_or_that_is_gone_leaves_no_log() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    prefer(&simulator, &json!({ "s3BucketName": "corp-logs" }));
    control.deny(DenyRule {
        action: "s3:PutObject".into(),
        resource: "arn:aws:s3:::corp-logs/*".into(),
        reason: DenyReason::NoIdentityPolicy,
    });
    let (id, _) = shell(&simulator, &[]).await;
    assert_eq!(control.session(&id).unwrap().s3_url, "");
    control.allow_everything();

    let node = node(&simulator);
    let ask = json!({ "Target": node });
    let answer = ssm_ok(&simulator, &signer(&simulator, "ssm"), "StartSession", &ask).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("$ ").await;
    control.reboot_node(&node, Duration::from_secs(60)).await.unwrap();
    let id = answer["SessionId"].as_str().unwrap();
    control.wait_for(|all| all.iter().all(|s| s.status.is_over())).await.unwrap();
    let got = s3(&simulator, "GET", &format!("/corp-logs/{id}.log"), "", None).await;
    assert_eq!(got.status, 404, "{}", got.body);
    simulator.shutdown().await;
}

#[tokio::test]
async fn cloudtrail_tells_who_began_ended_and_changed_what() {
    let simulator = simulator(|_| {}).await;
    prefer(&simulator, &json!({}));
    let (id, _) = shell(&simulator, &[]).await;
    let signer_ssm = signer(&simulator, "ssm");
    ssm_ok(&simulator, &signer_ssm, "TerminateSession", &json!({ "SessionId": id })).await;
    let content = json!({ "schemaVersion": "1.0", "sessionType": "Standard_Stream" }).to_string();
    let create = json!({ "Name": "Corp-Shell", "Content": content, "DocumentType": "Session" });
    ssm_ok(&simulator, &signer_ssm, "CreateDocument", &create).await;
    let control = simulator.control();
    control.deny(DenyRule {
        action: "ssm:DeleteDocument".into(),
        resource: "*".into(),
        reason: DenyReason::NoIdentityPolicy,
    });
    ssm(&simulator, &signer_ssm, "DeleteDocument", &json!({ "Name": "Corp-Shell" })).await;
    let look = |key: &str, value: &str| json!({ "LookupAttributes": [{ "AttributeKey": key, "AttributeValue": value }] });
    let found = trail(&simulator, "LookupEvents", look("ResourceName", &id)).await.json();
    let names: Vec<&str> =
        found["Events"].as_array().unwrap().iter().map(|e| e["EventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["TerminateSession", "StartSession"]);
    let record: Value =
        serde_json::from_str(found["Events"][1]["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(record["responseElements"]["sessionId"], json!(id));
    assert!(record["responseElements"]["tokenValue"].as_str().unwrap().contains("hidden"));
    let deleted = trail(&simulator, "LookupEvents", look("EventName", "DeleteDocument")).await.json();
    let record: Value =
        serde_json::from_str(deleted["Events"][0]["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(record["errorCode"], "AccessDenied");
    let page = trail(&simulator, "LookupEvents", json!({ "MaxResults": 1 })).await.json();
    assert_eq!(page["Events"][0]["EventName"], "DeleteDocument");
    let next = json!({ "MaxResults": 1, "NextToken": page["NextToken"] });
    let page = trail(&simulator, "LookupEvents", next).await.json();
    assert_eq!(page["Events"][0]["EventName"], "CreateDocument");

    let trails = trail(&simulator, "DescribeTrails", json!({})).await.json();
    let arn = trails["trailList"][0]["TrailARN"].clone();
    for (state, status) in [(TrailState::Logging, json!(true)), (TrailState::Stopped, json!(false))] {
        control.set_trail(ACCOUNT, state).unwrap();
        let told = trail(&simulator, "GetTrailStatus", json!({ "Name": arn })).await.json();
        assert_eq!(told["IsLogging"], status);
    }
    control.set_trail(ACCOUNT, TrailState::Missing).unwrap();
    let trails = trail(&simulator, "DescribeTrails", json!({})).await.json();
    assert_eq!(trails["trailList"], json!([]));
    simulator.shutdown().await;
}

#[tokio::test]
async fn events_are_there_after_the_delay_that_was_set() {
    let simulator = simulator(|config| config.trail_delay = Duration::from_secs(900)).await;
    shell(&simulator, &[]).await;
    let found = trail(&simulator, "LookupEvents", json!({})).await.json();
    assert_eq!(found["Events"], json!([]));
    simulator.shutdown().await;
}
