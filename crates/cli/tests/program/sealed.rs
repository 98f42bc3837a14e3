//! Sessions that must be encrypted with a KMS key: the real client, with the SDK's own KMS client.

use fleetline_simulator::{DenyReason, DenyRule, NodeView, SessionKey, SessionStatus};

use super::forwards::{Forwarding, echo, exchanged, forward};
use super::tap::Tap;
use super::terminal::Terminal;
use super::{Lab, Ran, at};

/// A name for the one key of every account and Region.
const KEY: &str = "alias/fleet-sessions";
/// Typed by the client, and not what comes of it.
const TYPED: &str = "echo $((6*7))-from-the-no''de";
/// What comes of it.
const ANSWERED: &str = "42-from-the-node";

fn seal(lab: &Lab, node: &NodeView, key: Option<SessionKey>) {
    lab.simulator.control().set_session_key(&node.account, &node.region, key).unwrap();
}

fn keys_made(lab: &Lab) -> u64 {
    lab.simulator.control().calls().get("GenerateDataKey").copied().unwrap_or_default()
}

fn gateway(lab: &Lab) -> String {
    lab.simulator.endpoint().trim_start_matches("http://").to_owned()
}

fn words<'a>(node: &'a NodeView, word: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec![word];
    args.extend(at(node));
    args.push(&node.id);
    args.extend(rest);
    args
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sealed_shells_and_commands_show_nothing_on_the_wire_that_others_show() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let with_challenge = |has_challenge| SessionKey { has_challenge, ..SessionKey::new(KEY) };
    let must_acknowledge = SessionKey { requires_acknowledgement: true, ..SessionKey::new(KEY) };
    for (key, made) in [
        (None, 0),
        (Some(with_challenge(false)), 2),
        (Some(with_challenge(true)), 4),
        (Some(must_acknowledge), 6),
    ] {
        let is_sealed = key.is_some();
        seal(&lab, &node, key);
        let tap = Tap::start(gateway(&lab));
        let (name, address) = tap.variable();

        let mut command = lab.command(&words(&node, "shell", &["-q"]));
        command.env(name, &address);
        let ran = lab.fed(command, format!("{TYPED}\nexit\n").as_bytes());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.out.contains(ANSWERED), "{ran:?}");
        assert_eq!(tap.saw(TYPED.as_bytes())[0], !is_sealed, "typed");
        assert_eq!(tap.saw(ANSWERED.as_bytes())[1], !is_sealed, "answered");

        let rest = ["--", "sh", "-c", "echo to-standard-out''put; echo to-standard-er''ror >&2; exit 7"];
        let ran = lab.run_with(&words(&node, "exec", &rest), &[(name, &address)]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(7), "to-standard-output\n"), "{ran:?}");
        assert_eq!(ran.err, "to-standard-error\n");
        for text in ["to-standard-output", "to-standard-error", "EXIT_CODE: 7"] {
            assert_eq!(tap.saw(text.as_bytes())[1], !is_sealed, "{text}");
        }
        // What is not sealed was recorded, so that a tap that sees nothing proves something.
        assert_eq!(tap.connections(), 2);
        for kind in ["input_stream_data", "output_stream_data"] {
            assert_eq!(tap.saw(kind.as_bytes()), [true, true], "acknowledgements name {kind}");
        }
        assert_eq!(keys_made(&lab), made);
    }
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_terminal_lives_through_cuts_with_the_key_it_has() {
    let lab = Lab::open().await;
    let node = lab.linux();
    seal(&lab, &node, Some(SessionKey::new(KEY)));
    let mut terminal = Terminal::start(&lab, &words(&node, "shell", &[]), &[]);
    terminal.expect("$ ");
    // A key that is taken away later is none of the session's business.
    lab.simulator.control().set_kms_key_enabled(&node.account, &node.region, false).unwrap();
    terminal.write(b"echo be''gun; seq 1 20000; echo en''ded\r");
    terminal.expect("begun");
    assert_eq!(lab.simulator.control().cut_all_client_sockets().await, 1);
    let shown = terminal.expect("ended");
    let numbers: Vec<u32> = shown.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert_eq!(numbers, (1..=20_000).collect::<Vec<u32>>());
    terminal.write(b"exit\r");
    assert_eq!(terminal.wait().exit_code(), 0);
    assert_eq!(keys_made(&lab), 1);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forwards_need_no_key_and_work_where_nobody_can_have_one() {
    let lab = Lab::open().await;
    let node = lab.linux();
    seal(&lab, &node, Some(SessionKey::new(KEY)));
    lab.simulator.control().set_kms_key_enabled(&node.account, &node.region, false).unwrap();
    let mut forwarding = Forwarding::start(forward(&lab, &node, &[&format!("0:{}", echo()), "-q"]));
    let sent: Vec<u8> = (0..50_000_u32).flat_map(u32::to_le_bytes).collect();
    assert!(exchanged(&forwarding.line(), &sent) == sent, "bytes differ");
    assert_eq!(forwarding.interrupt(), Some(130));
    assert_eq!(keys_made(&lab), 0);
    lab.end().await;
}

/// Runs a shell and a command, which must both be refused without a byte of the session, and gives what they said.
fn both_refused(lab: &Lab, node: &NodeView, variables: &[(&str, &str)], code: i32) -> [String; 2] {
    let before = lab.simulator.control().sessions().len();
    let tap = Tap::start(gateway(lab));
    let (name, address) = tap.variable();
    let command = |args: &[&str]| {
        let mut command = lab.command(args);
        command.env(name, &address).envs(variables.iter().copied());
        command
    };
    let shell = lab.fed(command(&words(node, "shell", &[])), format!("{TYPED}\n").as_bytes());
    let exec = Ran::of(command(&words(node, "exec", &["--", "echo", "never-seen"])).output().unwrap());
    for ran in [&shell, &exec] {
        ran.refused(code);
        assert!(ran.err.contains("KMS key"), "{ran:?}");
    }
    assert_eq!(tap.connections(), 2, "each got as far as the handshake");
    assert_eq!(tap.saw(TYPED.as_bytes()), [false, false]);
    assert_eq!(tap.saw(b"never-seen"), [false, false]);
    assert_eq!(lab.simulator.control().sessions().len(), before + 2);
    [shell.err, exec.err]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_data_key_there_is_no_session_and_the_cause_is_named() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let control = lab.simulator.control();
    let arn = control.kms_key(&node.account, &node.region).unwrap();

    seal(&lab, &node, Some(SessionKey::new(&*arn)));
    let rule = |action: &str| DenyRule {
        action: action.to_owned(),
        resource: arn.clone(),
        reason: DenyReason::NoIdentityPolicy,
    };
    control.deny(rule("kms:GenerateDataKey"));
    for said in both_refused(&lab, &node, &[], 3) {
        assert!(said.contains(&format!("kms:GenerateDataKey on {arn}")), "{said}");
    }
    lab.nothing_left().await;
    control.allow_everything();

    control.set_kms_key_enabled(&node.account, &node.region, false).unwrap();
    for said in both_refused(&lab, &node, &[], 2) {
        assert!(said.contains(&format!("{arn} is disabled")), "{said}");
    }
    control.set_kms_key_enabled(&node.account, &node.region, true).unwrap();

    seal(&lab, &node, Some(SessionKey::new("alias/of-another-account")));
    for said in both_refused(&lab, &node, &[], 2) {
        assert!(said.contains("alias/of-another-account is not found"), "{said}");
    }

    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    seal(&lab, &node, Some(SessionKey::new(KEY)));
    for said in both_refused(&lab, &node, &[("AWS_ENDPOINT_URL_KMS", &closed)], 6) {
        assert!(said.contains("GenerateDataKey"), "{said}");
    }
    lab.nothing_left().await;

    // The key is made, and the node cannot open it: it has no way to say why (aws-security-reliability.md A.11).
    control.deny(rule("kms:Decrypt"));
    for said in both_refused(&lab, &node, &[], 1) {
        assert!(said.contains("kms:Decrypt") && said.contains("node's role"), "{said}");
    }
    let failed = control.wait_for(|sessions| sessions.iter().rev().take(2).all(|s| s.status.is_over()));
    let sessions = failed.await.unwrap();
    assert!(sessions.iter().rev().take(2).all(|s| s.status == SessionStatus::Failed), "{sessions:?}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_finest_log_shows_neither_data_key_nor_what_was_sealed() {
    let lab = Lab::open().await;
    let node = lab.linux();
    seal(&lab, &node, Some(SessionKey::new(KEY)));
    let ran = lab.run_with(
        &words(&node, "exec", &["--", "sh", "-c", "echo sealed-se''cret"]),
        &[("FLEETLINE_LOG", "trace")],
    );
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "sealed-secret\n"), "{ran:?}");
    assert!(ran.err.contains("fleetline_engine"), "nothing was logged: {ran:?}");
    for secret in ["Plaintext", "sealed-secret"] {
        assert!(!ran.err.contains(secret), "{secret} is logged");
    }
    lab.end().await;
}
