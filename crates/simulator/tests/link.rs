//! What can go wrong between a client and its node: frames, sockets and upgrades.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::{Duration, Instant};

use bytes::Bytes;
use fleetline_protocol::{OpenMessage, Opener, StreamToken};
use fleetline_simulator::{
    Calls, Condition, FrameFaults, LinkFaults, SessionStatus, Simulator, SocketCut, UpgradeRefusal,
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use support::channel::{Client, Ended, Socket, binary, dial, grant};
use support::{Signer, account, simulator, ssm_ok};
use tokio_tungstenite::tungstenite::{Error, Message};

async fn start(simulator: &Simulator) -> (Signer, Value) {
    let signer = Signer::new(&account(simulator, "payments-prod"), "eu-central-1", "ssm");
    let target = simulator.control().node("pay-api-03").unwrap().id;
    let answer = ssm_ok(simulator, &signer, "StartSession", &json!({ "Target": target })).await;
    (signer, answer)
}

fn id(answer: &Value) -> &str {
    answer["SessionId"].as_str().unwrap()
}

async fn resume(simulator: &Simulator, signer: &Signer, answer: &Value) -> Value {
    ssm_ok(simulator, signer, "ResumeSession", &json!({ "SessionId": id(answer) })).await
}

/// A raw socket that has shown its token and heard from the gateway.
async fn open(answer: &Value) -> Socket {
    let (url, token) = grant(answer);
    let mut socket = dial(&url, &[]).await.unwrap();
    socket.send(open_message(&token)).await.unwrap();
    binary(&mut socket).await;
    socket
}

fn open_message(token: &StreamToken) -> Message {
    let opener = Opener::Client { client_id: "c".into(), client_version: Some("1.2.764.0".into()) };
    let open = OpenMessage { request_id: "r".into(), token: token.clone(), opener };
    Message::text(open.encode().as_str())
}

#[tokio::test]
async fn every_kind_of_damage_at_once_loses_nothing() {
    let faults = FrameFaults {
        drop_per_mille: 10,
        duplicate_per_mille: 30,
        reorder_per_mille: 30,
        corrupt_per_mille: 20,
        truncate_per_mille: 10,
        text_per_mille: 20,
        unknown_per_mille: 20,
        padded_per_mille: 20,
        delay: Duration::from_millis(2),
        jitter: Duration::from_millis(4),
        bytes_per_second: 4_000_000,
    };
    let simulator = simulator(|config| config.link_faults = LinkFaults::both(faults)).await;
    let (_, answer) = start(&simulator).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    client.output.clear();
    client.send(b"stty -onlcr; seq 1 6000; echo don''e\r").await;
    client.until_output("done\n").await;
    let expected: String = (1..=6000).map(|n| format!("{n}\n")).collect();
    assert!(client.text().contains(&expected), "every line once and in order");
    simulator.shutdown().await;
}

#[tokio::test]
async fn faults_can_be_changed_while_sessions_run() {
    let simulator = simulator(|_| {}).await;
    let (_, answer) = start(&simulator).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    let slow = FrameFaults { delay: Duration::from_millis(150), ..FrameFaults::default() };
    simulator.control().set_link_faults(LinkFaults { to_client: slow, ..LinkFaults::default() }).await;
    let began = Instant::now();
    client.send(b"echo $((6*7))\r").await;
    client.until_output("42\r\n").await;
    assert!(began.elapsed() >= Duration::from_millis(150));
    simulator.control().set_link_faults(LinkFaults::default()).await;
    client.send(b"echo $((7*7))\r").await;
    client.until_output("49\r\n").await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn what_is_still_on_its_way_arrives_before_the_end() {
    let slow = FrameFaults { delay: Duration::from_millis(300), ..FrameFaults::default() };
    let faults = LinkFaults { to_client: slow, ..LinkFaults::default() };
    let simulator = simulator(|config| config.link_faults = faults).await;
    let (_, answer) = start(&simulator).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    client.send(b"echo la''st; exit\r").await;
    client.until("end of the session", |c| c.closed.is_some()).await;
    assert!(client.text().contains("last\r\n"), "{}", client.text());
    simulator.shutdown().await;
}

#[tokio::test]
async fn sockets_end_as_they_are_told_to() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let (signer, answer) = start(&simulator).await;
    let mut socket = open(&answer).await;
    control.cut_client_socket_with(id(&answer), SocketCut::Reset).await.unwrap();
    let error = loop {
        match socket.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("an orderly end"),
        }
    };
    let Error::Io(error) = error else { panic!("{error}") };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let codes = [(1000, "Bye"), (1001, ""), (1011, "Internal error"), (4000, "x")];
    for (code, reason) in codes {
        let mut socket = open(&resume(&simulator, &signer, &answer).await).await;
        let cut = SocketCut::Close { code, reason: reason.to_owned() };
        assert_eq!(control.cut_all_client_sockets_with(cut).await, 1);
        assert_eq!(support::channel::ended(&mut socket).await, Ended::Closed(code, reason.to_owned()));
    }
    let mut socket = open(&resume(&simulator, &signer, &answer).await).await;
    control.cut_client_socket_with(id(&answer), SocketCut::Fin).await.unwrap();
    assert_eq!(support::channel::ended(&mut socket).await, Ended::Dropped);
    control.wait_for(|s| s[0].status == SessionStatus::Disconnected).await.unwrap();
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_half_open_socket_answers_nothing_until_another_takes_over() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let (signer, answer) = start(&simulator).await;
    let mut socket = open(&answer).await;
    control.half_open(id(&answer)).await.unwrap();
    // The relay has told the socket before it answers anything that is asked later.
    control.pause_storm(id(&answer), 3).await.unwrap();
    let again = resume(&simulator, &signer, &answer).await;
    socket.send(Message::Ping(Bytes::from_static(b"anyone?"))).await.unwrap();
    assert_eq!(control.sessions()[0].status, SessionStatus::Connected, "nobody noticed");
    let mut second = open(&again).await;
    loop {
        match socket.next().await {
            Some(Ok(Message::Pong(_) | Message::Close(_))) => panic!("an answer"),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => break,
        }
    }
    second.send(Message::Ping(Bytes::from_static(b"you?"))).await.unwrap();
    while !matches!(second.next().await, Some(Ok(Message::Pong(_)))) {}
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_session_ends_behind_a_half_open_socket() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let (_, answer) = start(&simulator).await;
    let _socket = open(&answer).await;
    control.half_open(id(&answer)).await.unwrap();
    control.terminate(id(&answer), "enough").await.unwrap();
    let sessions = control.wait_for(|s| s[0].status.is_over()).await.unwrap();
    assert_eq!(sessions[0].details, "enough");
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_session_whose_agent_only_repeats_itself_is_idle() {
    let simulator = simulator(|config| config.idle_timeout = Duration::from_secs(2)).await;
    let control = simulator.control();
    let (_, answer) = start(&simulator).await;
    // Nobody acknowledges the prompt, so that it comes again and again.
    let mut socket = open(&answer).await;
    support::channel::ended(&mut socket).await;
    let sessions = control.wait_for(|s| s[0].status.is_over()).await.unwrap();
    assert!(sessions[0].details.contains("inactivity"), "{sessions:?}");
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_stall_holds_everything_and_loses_nothing() {
    const TIME: Duration = Duration::from_millis(400);
    let simulator = simulator(|_| {}).await;
    let (_, answer) = start(&simulator).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    simulator.control().stall(id(&answer), TIME).await.unwrap();
    let began = Instant::now();
    client.send(b"echo $((6*7))\r").await;
    client.until_output("42\r\n").await;
    assert!(began.elapsed() >= TIME);
    simulator.shutdown().await;
}

#[tokio::test]
async fn an_agent_that_ignores_input_acknowledges_none_and_loses_none() {
    let simulator = simulator(|_| {}).await;
    let (_, answer) = start(&simulator).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    // What it says itself goes on meanwhile.
    client.send(b"(sleep 0.3; echo la''ter) & echo so''on\r").await;
    client.until_output("soon\r\n").await;
    simulator.control().ignore_input(id(&answer), true).await.unwrap();
    // The relay has told the agent before it does what comes later.
    simulator.control().pause_storm(id(&answer), 1).await.unwrap();
    client.until("pause", |client| client.pauses > 0).await;
    client.send(b"echo $((6*7))\r").await;
    client.until_output("later\r\n").await;
    assert!(client.unacked() > 0 && !client.text().contains("42"));
    assert_eq!(simulator.control().ignore_input_all(false).await, 1);
    client.until_output("42\r\n").await;
    assert_eq!(client.text().matches("42").count(), 1);
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_storm_of_pauses_means_nothing_to_a_session() {
    let simulator = simulator(|_| {}).await;
    let (_, answer) = start(&simulator).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    assert_eq!(simulator.control().pause_storm_all(2_000).await, 1);
    client.send(b"echo $((6*7))\r").await;
    client.until_output("42\r\n").await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn upgrades_are_refused_in_every_way_and_the_token_stays_good() {
    let simulator = simulator(|_| {}).await;
    let (_, answer) = start(&simulator).await;
    let (url, token) = grant(&answer);
    let control = simulator.control();
    for (refusal, status) in [("401", 401), ("403", 403), ("503", 503), ("page", 200)] {
        let refusal = UpgradeRefusal::from_name(refusal).unwrap();
        control.impose(Calls::of("OpenDataChannel").times(1), Condition::UpgradeRefused(refusal));
        match dial(&url, &[]).await.unwrap_err() {
            Error::Http(response) => {
                assert_eq!(response.status().as_u16(), status);
                let body = String::from_utf8(response.into_body().unwrap_or_default()).unwrap();
                let signature = body.contains("<UnauthorizedRequest><message>Forbidden.</message>");
                assert_eq!(signature, matches!(status, 401 | 403), "{body}");
            }
            other => panic!("{other}"),
        }
    }
    control.impose(Calls::all().times(1), Condition::UpgradeRefused(UpgradeRefusal::WrongAccept));
    assert!(matches!(dial(&url, &[]).await, Err(Error::Protocol(_))));
    control.impose(Calls::all().times(1), Condition::UpgradeRefused(UpgradeRefusal::Noise));
    assert!(dial(&url, &[]).await.is_err());
    control.impose(Calls::of("OpenDataChannel").times(1), Condition::AnswerLost);
    assert!(dial(&url, &[]).await.is_err());
    let wait = Condition::Slow { before: Duration::from_millis(200), after: Duration::ZERO };
    control.impose(Calls::of("OpenDataChannel").times(1), wait);
    let began = Instant::now();
    let mut client = Client::new(None);
    client.attach(dial(&url, &[]).await.unwrap(), &token).await;
    assert!(began.elapsed() >= Duration::from_millis(200));
    client.until("first output", |c| c.started).await;
    simulator.shutdown().await;
}
