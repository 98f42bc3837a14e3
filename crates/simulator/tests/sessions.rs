//! Sessions with a real Unix shell: over the gateway's WebSocket with the client's protocol machine.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::Duration;

use fleetline_protocol::TerminalSize;
use fleetline_simulator::{FrameFaults, LinkFaults, SessionStatus, Simulator};
use serde_json::{Value, json};
use support::channel::{Client, Ended};
use support::{Signer, account, simulator, ssm_ok};

async fn start(simulator: &Simulator, node: &str, request: &Value) -> (Signer, Value) {
    let node = simulator.control().node(node).unwrap();
    let signer = Signer::new(&account(simulator, &node.account), &node.region, "ssm");
    let mut body = json!({ "Target": node.id });
    body.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
    let answer = ssm_ok(simulator, &signer, "StartSession", &body).await;
    (signer, answer)
}

fn id(answer: &Value) -> String {
    answer["SessionId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_shell_shows_the_nodes_name_runs_commands_and_ends_with_exit() {
    let simulator = simulator(|_| {}).await;
    let (_, answer) = start(&simulator, "pay-api-03", &json!({ "Reason": "CHG-1" })).await;
    let mut client = Client::new(Some(TerminalSize { cols: 132, rows: 43 }));
    client.open(&answer).await;
    client.until_output("ssm-user@pay-api-03:~$ ").await;
    client.send(b"stty size; echo $((6*7)); pwd; echo $TERM $LANG $HOME $AWS_REGION $CARGO end\r").await;
    client.until_output("end\r\n").await;
    client.until_output("xterm-256color C.UTF-8 ").await;
    let text = client.text();
    assert!(text.contains("43 132\r\n42\r\n"), "{text}");
    let home = text.lines().find(|l| l.starts_with('/')).unwrap().trim().to_owned();
    assert!(text.contains(&format!("C.UTF-8 {home} end")), "nothing of this computer leaks: {text}");
    client.resize(90, 30).await;
    client.send(b"stty size\r").await;
    client.until_output("30 90\r\n").await;
    client.send(b"exit\r").await;
    client.until("end of the session", |c| c.closed.is_some() && c.ended.is_some()).await;
    assert_eq!(client.ended, Some(Ended::Closed(1000, String::new())));
    let control = simulator.control();
    let sessions = control.wait_for(|s| s[0].status.is_over()).await.unwrap();
    assert_eq!(sessions[0].status, SessionStatus::Terminated);
    assert_eq!(sessions[0].reason.as_deref(), Some("CHG-1"));
    assert!(!std::path::Path::new(&home).exists(), "the home is gone");
    simulator.shutdown().await;
}

#[tokio::test]
async fn control_characters_reach_the_program() {
    let simulator = simulator(|_| {}).await;
    let (_, answer) = start(&simulator, "pay-api-03", &json!({})).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    // The programs say themselves that they run; the echo of a command comes before.
    client.send(b"sh -c 'echo go-$((1+1)); exec sleep 1000'\r").await;
    client.until_output("go-2").await;
    client.send(b"\x03").await;
    client.until("the next prompt", |c| c.text().matches("~$ ").count() == 2).await;
    client.send(b"sh -c 'echo up-$((1+2)); exec sleep 1001'\r").await;
    client.until_output("up-3").await;
    client.send(b"\x1a").await;
    client.until_output("Stopped").await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn terminating_a_session_kills_all_it_started() {
    let simulator = simulator(|_| {}).await;
    let (signer, answer) = start(&simulator, "pay-api-03", &json!({})).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    client.send(b"nohup sleep 4242 >/dev/null 2>&1 & echo pid=$! shell=$$ .\r").await;
    client.until("process ids", |c| c.text().contains(" .\r\n") && c.text().contains("pid=")).await;
    let text = client.text();
    let number = |key: &str| -> u32 {
        let after = text.rsplit(key).find(|t| t.starts_with(|c: char| c.is_ascii_digit())).unwrap();
        after.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
    };
    let pids = [number("pid="), number("shell=")];
    ssm_ok(&simulator, &signer, "TerminateSession", &json!({ "SessionId": id(&answer) })).await;
    client.until("end of the session", |c| c.closed.is_some()).await;
    simulator.control().wait_for(|s| s[0].status == SessionStatus::Terminated).await.unwrap();
    #[cfg(target_os = "linux")]
    for pid in pids {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "{pid} still runs: {state}");
    }
    assert!(pids.iter().all(|pid| *pid > 1));
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_cut_socket_is_resumed_with_nothing_lost() {
    let simulator = simulator(|_| {}).await;
    let (signer, answer) = start(&simulator, "pay-api-03", &json!({})).await;
    let control = simulator.control();
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    client.output.clear();
    client.send(b"stty -onlcr -echo; echo rea''dy; while read a b; do seq $a $b; done\r").await;
    client.until_output("ready\n").await;
    client.output.clear();
    for round in 0..3 {
        // Output after the socket was opened proves that the gateway has attached it, so that the cut meets it. Each round
        // asks for its own, since what is on its way when a socket is cut may be all of it.
        let before = client.output.len();
        client.send(format!("{} {}\r", round * 20_000 + 1, (round + 1) * 20_000).as_bytes()).await;
        client.until("more output", |c| c.output.len() > before + 5_000).await;
        control.cut_client_socket(&id(&answer)).await.unwrap();
        client.until("end of the socket", |c| c.ended.is_some()).await;
        assert_eq!(client.ended, Some(Ended::Dropped));
        let again = ssm_ok(&simulator, &signer, "ResumeSession", &json!({ "SessionId": id(&answer) })).await;
        assert_ne!(again["TokenValue"], answer["TokenValue"]);
        assert!(again["StreamUrl"].as_str().unwrap().contains("cell-number="));
        client.open(&again).await;
    }
    client.until_output("\n60000\n").await;
    let expected: String = (1..=60_000).map(|n| format!("{n}\n")).collect();
    assert!(client.text() == expected, "every line once and in order");
    assert_eq!(control.sessions()[0].client_sockets, 4);
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_lossy_link_delivers_everything_in_order() {
    let simulator = simulator(|config| {
        config.link_faults = LinkFaults::both(FrameFaults {
            drop_per_mille: 20,
            duplicate_per_mille: 50,
            reorder_per_mille: 50,
            ..FrameFaults::default()
        });
    })
    .await;
    let (_, answer) = start(&simulator, "pay-api-03", &json!({})).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    client.output.clear();
    client.send(b"stty -onlcr; seq 1 8000; echo don''e\r").await;
    client.until_output("done\n").await;
    let text = client.text();
    let expected: String = (1..=8000).map(|n| format!("{n}\n")).collect();
    assert!(text.contains(&expected));
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_large_paste_arrives_whole() {
    let simulator = simulator(|_| {}).await;
    let (_, answer) = start(&simulator, "pay-api-03", &json!({})).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    // The quotes keep the echo of the line from looking like its output.
    client.send(b"stty raw -echo; echo rea''dy; head -c 1000000 | cksum; stty sane\r").await;
    client.until_output("ready").await;
    let paste: Vec<u8> = (0..1_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    client.send(&paste).await;
    let expected = format!("{} 1000000", posix_cksum(&paste));
    client.until_output(&expected).await;
    simulator.shutdown().await;
}

/// The checksum of POSIX `cksum`.
fn posix_cksum(data: &[u8]) -> u32 {
    let mut length = data.len();
    let mut tail = Vec::new();
    while length > 0 {
        tail.push(length as u8);
        length >>= 8;
    }
    let crc = data.iter().chain(&tail).fold(0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            if crc & 0x8000_0000 == 0 { crc << 1 } else { crc << 1 ^ 0x04c1_1db7 }
        })
    });
    !crc
}

#[tokio::test]
async fn commands_without_terminal_tell_output_errors_and_status_apart() {
    let simulator = simulator(|_| {}).await;
    let request = json!({ "DocumentName": "AWS-StartNonInteractiveCommand", "Parameters": {
        "command": ["sh -c 'echo out; echo err >&2; exit 3'"], "separateOutputStream": ["true"],
    }});
    let (_, answer) = start(&simulator, "pay-api-03", &request).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until("end of the session", |c| c.closed.is_some()).await;
    assert_eq!(
        (client.text().as_str(), client.errors.as_slice(), client.exit_code),
        ("out\n", &b"err\n"[..], Some(3))
    );
    simulator.shutdown().await;
}

#[tokio::test]
async fn commands_without_terminal_join_their_output_by_default_and_take_signals() {
    let simulator = simulator(|_| {}).await;
    let document = "AWS-StartNonInteractiveCommand";
    let joined = json!({ "DocumentName": document, "Parameters": { "command": ["sh -c 'echo a; echo b >&2; echo c'"] } });
    let (_, answer) = start(&simulator, "pay-api-03", &joined).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until("end of the session", |c| c.closed.is_some()).await;
    assert_eq!((client.text().as_str(), client.errors.len(), client.exit_code), ("a\nb\nc\n", 0, None));
    let slow = json!({ "DocumentName": document, "Parameters": {
        "command": ["sleep 1000"], "separateOutputStream": ["true"],
    }});
    let (_, answer) = start(&simulator, "pay-api-03", &slow).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until("start of the session", |c| c.started).await;
    client.send(b"ignored\x03").await;
    client.until("end of the session", |c| c.closed.is_some()).await;
    assert_eq!(client.exit_code, Some(-1));
    let missing = json!({ "DocumentName": document, "Parameters": {
        "command": ["/no/such/program"], "separateOutputStream": ["true"],
    }});
    let (_, answer) = start(&simulator, "pay-api-03", &missing).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until("end of the session", |c| c.closed.is_some()).await;
    assert_eq!(client.exit_code, Some(1));
    assert!(String::from_utf8_lossy(&client.errors).contains("/no/such/program"));
    simulator.shutdown().await;
}

#[tokio::test]
async fn an_interactive_command_runs_on_a_pty() {
    let simulator = simulator(|_| {}).await;
    let request = json!({ "DocumentName": "AWS-StartInteractiveCommand", "Parameters": { "command": ["tty && echo | wc -l"] } });
    let (_, answer) = start(&simulator, "hel-edge-12", &request).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until("end of the session", |c| c.closed.is_some()).await;
    assert!(client.text().contains("/dev/") && client.text().contains("1\r\n"), "{}", client.text());
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_paced_agent_waits_a_second_and_works() {
    let simulator = simulator(|config| config.agent_pacing = true).await;
    let (_, answer) = start(&simulator, "pay-api-03", &json!({})).await;
    let mut client = Client::new(None);
    let began = std::time::Instant::now();
    client.open(&answer).await;
    client.until_output("~$ ").await;
    assert!(began.elapsed() >= Duration::from_secs(1), "the first output comes after a second");
    client.send(b"echo $((6*7))\r").await;
    client.until_output("42\r\n").await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn shutdown_ends_every_shell_and_removes_its_home() {
    let simulator = simulator(|_| {}).await;
    let (_, answer) = start(&simulator, "pay-api-03", &json!({})).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    client.send(b"echo home=$HOME.\r").await;
    client.until("home", |c| c.text().contains("home=/")).await;
    let text = client.text();
    let home =
        text.split("home=").find(|t| t.starts_with('/')).unwrap().split(".\r").next().unwrap().to_owned();
    assert!(std::path::Path::new(&home).is_dir(), "{home}");
    let control = simulator.control();
    simulator.shutdown().await;
    assert!(!std::path::Path::new(&home).exists());
    assert_eq!(control.sessions()[0].status, SessionStatus::Terminated);
}

#[tokio::test]
async fn a_lost_node_pauses_the_client_and_comes_back() {
    let simulator = simulator(|_| {}).await;
    let (_, answer) = start(&simulator, "pay-api-03", &json!({})).await;
    let control = simulator.control();
    let mut client = Client::new(None);
    client.open(&answer).await;
    client.until_output("~$ ").await;
    control.disconnect_node("pay-api-03").await.unwrap();
    client.send(b"echo back=$((1+1))\r").await;
    let dropped = control.wait_for(|s| s[0].dropped_frames > 0);
    tokio::select! {
        dropped = dropped => { dropped.unwrap(); },
        () = client.until("nothing", |_| false) => {}
    }
    control.connect_node("pay-api-03").await.unwrap();
    client.until_output("back=2\r\n").await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_session_of_somebody_else_is_listed_under_their_name_and_can_be_terminated() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let node = control.node("pay-api-03").unwrap();
    let id = control.begin_session_of("j.weber", "pay-api-03", "INC-9921").unwrap();
    assert!(id.starts_with("j.weber-0"), "{id}");
    let signer = Signer::new(&account(&simulator, &node.account), &node.region, "ssm");
    let listed = ssm_ok(&simulator, &signer, "DescribeSessions", &json!({ "State": "Active" })).await;
    let row = &listed["Sessions"][0];
    assert_eq!(row["SessionId"], *id);
    assert!(row["Owner"].as_str().unwrap().ends_with("/j.weber"), "{row}");
    assert_eq!(row["Reason"], "INC-9921");
    ssm_ok(&simulator, &signer, "TerminateSession", &json!({ "SessionId": id })).await;
    control.wait_for(|sessions| sessions[0].status.is_over()).await.unwrap();
    assert!(control.begin_session_of("j.weber", "no-such-node", "").is_err());
    simulator.shutdown().await;
}
