//! The gateway's side of the data channel: tokens, signatures, replacement, closing, fragments.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{AgentMessage, ChannelClosed, MessageType, OpenMessage, Opener, StreamToken};
use fleetline_simulator::{DenyReason, DenyRule, SessionStatus, Simulator, SimulatorConfig, UpgradeSigning};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use support::channel::{Client, Ended, binary, dial, ended, grant, speak};
use support::{Signer, account, host, send, simulator, ssm_ok};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

async fn start(simulator: &Simulator) -> (Signer, Value) {
    let signer = Signer::new(&account(simulator, "payments-prod"), "eu-central-1", "ssm");
    let target = simulator.control().node("pay-api-03").unwrap().id;
    let answer = ssm_ok(simulator, &signer, "StartSession", &json!({ "Target": target })).await;
    (signer, answer)
}

fn open_message(token: &StreamToken) -> Message {
    let opener = Opener::Client { client_id: "c".into(), client_version: Some("1.2.764.0".into()) };
    let open = OpenMessage { request_id: "r".into(), token: token.clone(), opener };
    Message::text(open.encode().as_str())
}

const POLICY: u16 = 1008;

#[tokio::test]
async fn a_token_opens_once_and_only_its_own_session() {
    let simulator = simulator(|_| {}).await;
    let (_, one) = start(&simulator).await;
    let (_, two) = start(&simulator).await;
    let ((url_one, token_one), (url_two, _)) = (grant(&one), grant(&two));
    let refused = Ended::Closed(POLICY, "The token is not valid.".into());
    let socket = dial(&url_two, &[]).await.unwrap();
    assert_eq!(speak(socket, vec![open_message(&token_one)]).await, refused, "another session's token");
    let mut socket = dial(&url_one, &[]).await.unwrap();
    socket.send(open_message(&token_one)).await.unwrap();
    binary(&mut socket).await;
    let again = dial(&url_one, &[]).await.unwrap();
    assert_eq!(speak(again, vec![open_message(&token_one)]).await, refused, "used twice");
    let nowhere = url_one.replace("mika.sato", "nobody");
    let socket = dial(&nowhere, &[]).await.unwrap();
    assert_eq!(speak(socket, vec![open_message(&StreamToken::new("x"))]).await, refused, "no such session");
    simulator.shutdown().await;
}

#[tokio::test]
async fn nonsense_instead_of_the_open_message_ends_the_socket() {
    let simulator = simulator(|_| {}).await;
    let (_, answer) = start(&simulator).await;
    let (url, _) = grant(&answer);
    for first in
        [Message::text("{}"), Message::text("nonsense"), Message::binary(vec![0; 200]), Message::text("")]
    {
        let socket = dial(&url, &[]).await.unwrap();
        assert!(matches!(speak(socket, vec![first]).await, Ended::Closed(POLICY, _)));
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn an_expired_token_is_refused_and_its_session_ends_by_itself() {
    let simulator = simulator(|config| config.token_ttl = Duration::from_millis(150)).await;
    let (_, answer) = start(&simulator).await;
    let control = simulator.control();
    let sessions = control.wait_for(|s| s[0].status.is_over()).await.unwrap();
    assert_eq!(sessions[0].details, "The data channel was not opened in time.");
    let (url, token) = grant(&answer);
    let socket = dial(&url, &[]).await.unwrap();
    assert!(matches!(speak(socket, vec![open_message(&token)]).await, Ended::Closed(POLICY, _)));
    simulator.shutdown().await;
}

#[tokio::test]
async fn tokens_can_be_made_useless_and_renewed() {
    let simulator = simulator(|_| {}).await;
    let (signer, answer) = start(&simulator).await;
    simulator.control().expire_tokens();
    let (url, token) = grant(&answer);
    let socket = dial(&url, &[]).await.unwrap();
    assert!(matches!(speak(socket, vec![open_message(&token)]).await, Ended::Closed(POLICY, _)));
    let again =
        ssm_ok(&simulator, &signer, "ResumeSession", &json!({ "SessionId": answer["SessionId"] })).await;
    let mut client = Client::new(None);
    client.open(&again).await;
    client.until("first output", |c| c.started).await;
    simulator.shutdown().await;
}

fn status(error: Error) -> (u16, String) {
    match error {
        Error::Http(response) => {
            let body = response.body().clone().unwrap_or_default();
            (response.status().as_u16(), String::from_utf8_lossy(&body).into_owned())
        }
        other => panic!("{other}"),
    }
}

fn upgrade_headers(simulator: &Simulator, signer: &Signer, url: &str) -> Vec<(String, String)> {
    let path_and_query = url.split_once("/v1/").unwrap().1;
    let (path, query) = path_and_query.split_once('?').unwrap();
    signer.sign("GET", &host(simulator), &format!("/v1/{path}"), query, b"")
}

#[tokio::test]
async fn the_signature_of_the_upgrade_is_verified_and_can_be_required() {
    let simulator = simulator(|config| config.upgrade_signing = UpgradeSigning::Required).await;
    let (_, answer) = start(&simulator).await;
    let (url, token) = grant(&answer);
    let (code, body) = status(dial(&url, &[]).await.unwrap_err());
    assert_eq!(
        (code, body.as_str()),
        (403, "<UnauthorizedRequest><message>Forbidden.</message></UnauthorizedRequest>")
    );
    let good = Signer::new(&account(&simulator, "payments-prod"), "eu-central-1", "ssmmessages");
    let mut wrong = good.clone();
    wrong.secret_key.push('x');
    let other = Signer::new(&account(&simulator, "plants-eu"), "eu-central-1", "ssmmessages");
    let mut ssm = good.clone();
    ssm.service = "ssm".into();
    for signer in [&wrong, &other, &ssm] {
        let headers = upgrade_headers(&simulator, signer, &url);
        assert_eq!(status(dial(&url, &headers).await.unwrap_err()).0, 403);
    }
    simulator.control().deny(DenyRule {
        action: "ssmmessages:OpenDataChannel".into(),
        resource: "*".into(),
        reason: DenyReason::NoIdentityPolicy,
    });
    let headers = upgrade_headers(&simulator, &good, &url);
    let (code, body) = status(dial(&url, &headers).await.unwrap_err());
    assert_eq!(code, 403);
    assert!(
        body.contains(
            "ssmmessages:OpenDataChannel on resource: arn:aws:ssm:eu-central-1:111122223333:session/"
        )
    );
    simulator.control().allow_everything();
    let socket = dial(&url, &headers).await.unwrap();
    let mut client = Client::new(None);
    client.attach(socket, &token).await;
    client.until("first output", |c| c.started).await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_presigned_url_opens_until_it_expires() {
    let simulator = simulator(|config| config.upgrade_signing = UpgradeSigning::Required).await;
    let (_, answer) = start(&simulator).await;
    let (url, token) = grant(&answer);
    let good = Signer::new(&account(&simulator, "payments-prod"), "eu-central-1", "ssmmessages");
    let mut old = good.clone();
    old.skew_s = -61;
    let mut wrong = good.clone();
    wrong.secret_key.push('x');
    for refused in [presigned(&old, &url), presigned(&wrong, &url), presigned(&good, &url) + "&extra=1"] {
        assert_eq!(status(dial(&refused, &[]).await.unwrap_err()).0, 403, "{refused}");
    }
    let socket = dial(&presigned(&good, &url), &[]).await.unwrap();
    let mut client = Client::new(None);
    client.attach(socket, &token).await;
    client.until("first output", |c| c.started).await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn stream_urls_that_are_signed_already_open_as_they_are_and_not_signed_once_more() {
    let simulator = simulator(|config| {
        config.upgrade_signing = UpgradeSigning::Required;
        config.presigned_urls = Some(Duration::from_secs(60));
    })
    .await;
    let (signer, answer) = start(&simulator).await;
    let resumed =
        ssm_ok(&simulator, &signer, "ResumeSession", &json!({ "SessionId": answer["SessionId"] })).await;
    let good = Signer::new(&account(&simulator, "payments-prod"), "eu-central-1", "ssmmessages");
    for answer in [&answer, &resumed] {
        let (url, token) = grant(answer);
        let headers = upgrade_headers(&simulator, &good, &url);
        let (code, body) = status(dial(&url, &headers).await.unwrap_err());
        assert!(code == 403 && body.contains("Only one auth mechanism"), "{code} {body}");
        assert_eq!(
            status(dial(&url.replace("&X-Amz-Date=2", "&X-Amz-Date=1"), &[]).await.unwrap_err()).0,
            403
        );
        let mut socket = dial(&url, &[]).await.unwrap();
        socket.send(open_message(&token)).await.unwrap();
        let message = AgentMessage::decode(binary(&mut socket).await).unwrap();
        assert_eq!(message.message_type, MessageType::StartPublication);
    }
    simulator.shutdown().await;
}

/// The URL with a signature in its query that is good for a minute.
fn presigned(signer: &Signer, url: &str) -> String {
    let (base, query) = url.split_once('?').unwrap();
    let (host, path) = base.strip_prefix("ws://").unwrap().split_once('/').unwrap();
    let query = signer.presign("GET", host, &format!("/{path}"), query, 60);
    format!("{base}?{query}")
}

#[tokio::test]
async fn a_second_socket_replaces_the_first() {
    let simulator = simulator(|_| {}).await;
    let (signer, answer) = start(&simulator).await;
    let (url, token) = grant(&answer);
    let mut first = dial(&url, &[]).await.unwrap();
    first.send(open_message(&token)).await.unwrap();
    binary(&mut first).await;
    let again =
        ssm_ok(&simulator, &signer, "ResumeSession", &json!({ "SessionId": answer["SessionId"] })).await;
    let (url, token) = grant(&again);
    let mut second = dial(&url, &[]).await.unwrap();
    second.send(open_message(&token)).await.unwrap();
    assert_eq!(ended(&mut first).await, Ended::Closed(1000, "Replaced".into()));
    let message = AgentMessage::decode(binary(&mut second).await).unwrap();
    assert_eq!(message.message_type, MessageType::StartPublication);
    simulator.shutdown().await;
}

#[tokio::test]
async fn sockets_are_closed_with_bye_on_a_timer_and_the_session_lives_on() {
    let simulator = simulator(|config| config.bye_after = Some(Duration::from_millis(700))).await;
    let (signer, answer) = start(&simulator).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until("end of the socket", |c| c.ended.is_some()).await;
    assert_eq!(client.ended, Some(Ended::Closed(1000, "Bye".into())));
    client.drop_socket();
    assert_eq!(simulator.control().sessions()[0].status, SessionStatus::Disconnected);
    let again =
        ssm_ok(&simulator, &signer, "ResumeSession", &json!({ "SessionId": answer["SessionId"] })).await;
    client.open(&again).await;
    client.send(b"echo $((6*7))\r").await;
    client.until_output("42\r\n").await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn termination_and_idleness_are_told_in_channel_closed() {
    let simulator = simulator(|config| config.idle_timeout = Duration::from_millis(600)).await;
    let (_, answer) = start(&simulator).await;
    let (url, token) = grant(&answer);
    let mut socket = dial(&url, &[]).await.unwrap();
    socket.send(open_message(&token)).await.unwrap();
    let closed = loop {
        let message = AgentMessage::decode(binary(&mut socket).await).unwrap();
        if message.message_type == MessageType::ChannelClosed {
            break message;
        }
    };
    let content = ChannelClosed::decode(&closed.payload).unwrap();
    assert_eq!(content.output, "Your session timed out due to inactivity.");
    assert_eq!(content.session_id, answer["SessionId"]);
    assert_eq!(ended(&mut socket).await, Ended::Closed(1000, String::new()));
    let (_, answer) = start(&simulator).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until("first output", |c| c.started).await;
    let id = answer["SessionId"].as_str().unwrap();
    simulator.control().terminate(id, "Ended by the administrator.").await.unwrap();
    client.until("end of the session", |c| c.closed.is_some()).await;
    let told = format!("{:?}", client.closed);
    assert!(told.contains("Ended by the administrator."), "{told}");
    simulator.shutdown().await;
}

#[tokio::test]
async fn fragments_are_put_together_and_pings_answered() {
    let simulator = simulator(|_| {}).await;
    let (_, answer) = start(&simulator).await;
    let (url, token) = grant(&answer);
    let mut socket = dial(&url, &[]).await.unwrap();
    // The open message itself in three fragments.
    let open = open_message(&token).into_data();
    let third = open.len() / 3;
    for (code, part, last) in [
        (Data::Text, open.slice(..third), false),
        (Data::Continue, open.slice(third..2 * third), false),
        (Data::Continue, open.slice(2 * third..), true),
    ] {
        socket.send(Message::Frame(Frame::message(part, OpCode::Data(code), last))).await.unwrap();
    }
    binary(&mut socket).await;
    socket.send(Message::Ping(Bytes::from_static(b"keepalive"))).await.unwrap();
    loop {
        if let Message::Pong(payload) = socket.next().await.unwrap().unwrap() {
            assert_eq!(payload.as_ref(), b"keepalive");
            break;
        }
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn the_gateway_never_acknowledges_and_pauses_for_a_dead_agent() {
    let simulator = simulator(|_| {}).await;
    let (_, answer) = start(&simulator).await;
    let (url, token) = grant(&answer);
    let control = simulator.control();
    control.stop_node("pay-api-03").await.unwrap();
    let mut socket = dial(&url, &[]).await.unwrap();
    socket.send(open_message(&token)).await.unwrap();
    let frame = AgentMessage {
        message_type: MessageType::InputStreamData,
        schema_version: 1,
        created_ms: 1,
        seq: 0,
        flags: fleetline_protocol::Flags::NONE,
        id: fleetline_protocol::MessageId::from_random([1; 16]),
        payload_type: fleetline_protocol::PayloadType::Output,
        payload: Bytes::from_static(b"x"),
    };
    for _ in 0..3 {
        socket.send(Message::Binary(frame.encode())).await.unwrap();
        let answer = AgentMessage::decode(binary(&mut socket).await).unwrap();
        assert_eq!(answer.message_type, MessageType::PausePublication);
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn the_control_page_cuts_and_tells() {
    let simulator = simulator(|config| config.enable_control_http = true).await;
    let (_, answer) = start(&simulator).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until("first output", |c| c.started).await;
    let host = host(&simulator);
    let json_type = vec![("content-type".to_owned(), "application/json".to_owned())];
    let control = async |body: Value| {
        send(&host, "POST", "/_sim/control", &json_type, body.to_string().as_bytes()).await
    };
    let listed = send(&host, "GET", "/_sim/sessions", &[], b"").await.json();
    assert_eq!(listed["sessions"][0]["status"], "Connected");
    let cut = control(json!({ "action": "cut", "session": answer["SessionId"] })).await;
    assert_eq!(cut.status, 200, "{}", cut.body);
    client.until("end of the socket", |c| c.ended.is_some()).await;
    assert_eq!(client.ended, Some(Ended::Dropped));
    assert_eq!(control(json!({ "action": "cut" })).await.json()["cut"], 1);
    assert_eq!(control(json!({ "action": "cut", "session": "nobody" })).await.status, 404);
    assert_eq!(control(json!({ "action": "dance" })).await.status, 400);
    let rebound = vec![("host".to_owned(), "evil.example".to_owned())];
    assert_eq!(send(&host, "GET", "/_sim/sessions", &rebound, b"").await.status, 403);
    assert_eq!(send(&host, "POST", "/_sim/control", &[], b"{\"action\":\"cut\"}").await.status, 415);
    let terminated = control(json!({ "action": "terminate", "session": answer["SessionId"] })).await;
    assert_eq!(terminated.status, 200);
    simulator.control().wait_for(|s| s[0].status.is_over()).await.unwrap();
    let listed = send(&host, "GET", "/_sim/sessions", &[], b"").await.json();
    assert_eq!(listed["sessions"][0]["status"], "Terminated");
    let calls = send(&host, "GET", "/_sim/calls", &[], b"").await.json();
    assert_eq!(calls["calls"]["StartSession"], 1);
    simulator.shutdown().await;
}

#[tokio::test]
async fn sessions_beyond_the_limit_are_refused() {
    let simulator = simulator(|config: &mut SimulatorConfig| config.max_sessions = 1).await;
    let (signer, _) = start(&simulator).await;
    let target = simulator.control().node("pay-api-03").unwrap().id;
    let (code, _) =
        support::ssm_error(&simulator, &signer, "StartSession", &json!({ "Target": target })).await;
    assert_eq!(code, "ServiceQuotaExceededException");
    simulator.shutdown().await;
}
