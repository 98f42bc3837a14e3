//! Session documents that are put into an account.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use fleetline_protocol::TerminalSize;
use fleetline_simulator::{ControlError, Simulator};
use serde_json::{Value, json};
use support::channel::Client;
use support::{Signer, account, simulator, ssm_error, ssm_ok};

const ACCOUNT: &str = "payments-prod";
const REGION: &str = "eu-central-1";

fn put(simulator: &Simulator, name: &str, document: &Value) {
    simulator.control().put_document(ACCOUNT, REGION, name, &document.to_string()).unwrap();
}

fn ask(simulator: &Simulator, request: &Value) -> (Signer, Value) {
    let nodes = simulator.control().nodes(ACCOUNT, REGION);
    let node = nodes.iter().find(|n| n.online && !n.hybrid && n.platform == "Linux").unwrap();
    let mut body = json!({ "Target": node.id });
    body.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
    (Signer::new(&account(simulator, ACCOUNT), REGION, "ssm"), body)
}

async fn open(simulator: &Simulator, request: Value) -> Client {
    let (signer, body) = ask(simulator, &request);
    let answer = ssm_ok(simulator, &signer, "StartSession", &body).await;
    let mut client = Client::new(Some(TerminalSize { cols: 80, rows: 24 }));
    client.open(&answer).await;
    client
}

#[tokio::test]
async fn a_document_runs_its_command_with_parameters_and_their_defaults() {
    let simulator = simulator(|_| {}).await;
    let document = json!({
        "schemaVersion": "1.0", "sessionType": "InteractiveCommands",
        "parameters": {
            "who": { "type": "String", "allowedPattern": "^[a-z]+$" },
            "word": { "type": "String", "default": "hello" },
        },
        "properties": { "linux": { "commands": "echo \"<{{ word }}, {{ who }}>\"; tty" } },
    });
    put(&simulator, "Corp-Greet", &document);
    let greet = |who: &str| json!({ "DocumentName": "Corp-Greet", "Parameters": { "who": [who] } });
    let mut client = open(&simulator, greet("world")).await;
    client.until("end", |client| client.closed.is_some()).await;
    let text = client.text();
    assert!(text.contains("<hello, world>\r\n/dev/"), "{text}");
    let (signer, body) = ask(&simulator, &greet("a;b"));
    let (code, text) = ssm_error(&simulator, &signer, "StartSession", &body).await;
    assert_eq!(code, "InvalidParameters");
    assert!(text.contains("'a;b' of parameter who"), "{text}");
    simulator.shutdown().await;
}

#[tokio::test]
async fn preferences_type_their_profile_and_refuse_users_that_do_not_exist() {
    let simulator = simulator(|_| {}).await;
    let preferences = |user: &str| {
        json!({
            "schemaVersion": "1.0", "sessionType": "Standard_Stream",
            "inputs": {
                "runAsEnabled": true, "runAsDefaultUser": user,
                "shellProfile": { "linux": "echo pro''file", "windows": "" },
            },
        })
    };
    put(&simulator, "SSM-SessionManagerRunShell", &preferences("ssm-user"));
    let mut client = open(&simulator, json!({})).await;
    client.until_output("profile\r\n").await;
    client.send(b"exit\r").await;
    client.until("end", |client| client.closed.is_some()).await;

    put(&simulator, "SSM-SessionManagerRunShell", &preferences("deploy"));
    let mut client = open(&simulator, json!({})).await;
    client.until("end", |client| client.closed.is_some()).await;
    let sessions = simulator.control().wait_for(|sessions| sessions[1].status.is_over()).await.unwrap();
    assert!(sessions[1].details.contains("RunAs user deploy does not exist"), "{sessions:?}");
    simulator.shutdown().await;
}

#[tokio::test]
async fn what_is_no_document_is_not_put() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let good = r#"{ "schemaVersion": "1.0", "sessionType": "Standard_Stream" }"#;
    for (name, json) in [("AWS-Mine", good), ("x", good), ("Corp-X", "{}"), ("Corp-X", "text")] {
        let put = control.put_document(ACCOUNT, REGION, name, json);
        assert!(matches!(put, Err(ControlError::Invalid(_))), "{name} {json}");
    }
    simulator.shutdown().await;
}
